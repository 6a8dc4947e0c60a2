#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace causal_tracer::node {

/// A thread that runs tasks one after the other, in the order in which they came. Each model has one of its
/// own: libuv's pool would open an OpenMP team in every one of its threads.
class WorkerThread {
 public:
  using Task = std::function<void()>;

  WorkerThread() : thread_([this] { Loop(); }) {}
  ~WorkerThread() { Finish(); }
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  /// `task` must not throw.
  void Post(Task task);

  /// Lets the tasks that are queued run to their end and ends the thread. Harmless when repeated.
  void Finish();

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace causal_tracer::node
