#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace causal_tracer {

/// Qualified name of the marker operator, `site(Tensor(a) x, int id) -> Tensor(a)`, which stands in a
/// rewritten graph behind every module call. It hands the module's output to the observer of the running
/// thread.
inline constexpr const char* kSiteOperator = "causal_tracer::site";

/// Sees each marked module output while a graph runs on the observing thread.
class SiteObserver {
 public:
  SiteObserver() = default;
  SiteObserver(const SiteObserver&) = delete;
  SiteObserver& operator=(const SiteObserver&) = delete;
  virtual ~SiteObserver() = default;

  /// Returns the output to go on with: `output` itself, or a new tensor. Must never write into `output`,
  /// whose storage can be the residual stream.
  virtual at::Tensor Observe(int64_t site, const at::Tensor& output) = 0;
};

/// Makes an observer the running thread's for the lifetime of this object.
class ScopedSiteObserver {
 public:
  explicit ScopedSiteObserver(SiteObserver& observer);
  ~ScopedSiteObserver();
  ScopedSiteObserver(const ScopedSiteObserver&) = delete;
  ScopedSiteObserver& operator=(const ScopedSiteObserver&) = delete;

 private:
  SiteObserver* previous_;
};

}  // namespace causal_tracer
