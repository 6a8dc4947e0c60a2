#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "error.h"

namespace causal_tracer {

/// A switch shared by whoever stops a job and the job itself. Copies are the same switch; safe from any
/// thread.
class StopFlag {
 public:
  void RequestStop() const { stopped_->store(true, std::memory_order_relaxed); }
  bool stopped() const { return stopped_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> stopped_ = std::make_shared<std::atomic<bool>>(false);
};

/// How a caller watches and stops a piece of work.
class JobControl {
 public:
  using Progress = std::function<void(int64_t done, int64_t total)>;

  JobControl() = default;
  JobControl(StopFlag stop, Progress progress) : stop_(std::move(stop)), progress_(std::move(progress)) {}

  /// Throws kAborted once a stop has been requested.
  void ThrowIfStopped() const {
    if (stop_.stopped()) throw Error(ErrorCode::kAborted, "The work was aborted.");
  }

  void ReportProgress(int64_t done, int64_t total) const {
    if (progress_) progress_(done, total);
  }

  /// Control of the parts `[begin, begin + size)` of a piece of work with `count` parts of equal weight. This
  /// object must outlive it.
  JobControl Part(int64_t begin, int64_t size, int64_t count) const {
    if (!progress_ || size == count) return *this;
    return {stop_, [this, begin, size, count](int64_t done, int64_t total) {
              constexpr int64_t kUnits = 1000;
              ReportProgress(begin * kUnits + size * kUnits * done / total, count * kUnits);
            }};
  }

 private:
  StopFlag stop_;
  Progress progress_;
};

}  // namespace causal_tracer
