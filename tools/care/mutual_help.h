// Threads that each have tasks of their own, and help one another where a task comes in parts.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

namespace penstock::care {

/// Threads  every member may be called from any thread
class MutualHelp {
 public:
  using DoPart = std::function<void(unsigned thread_idx, std::size_t part_idx)>;

  /// help() lasts until so many tasks have ended.
  explicit MutualHelp(std::size_t num_tasks) : num_tasks_left_(num_tasks) {}

  /// Does every part of the caller's task once, on this thread and on those that help; `thread_idx` is that
  /// of whoever does it. What a part throws leaves by the call that did it, this one or help(); other
  /// parts of the task may then be left undone.
  void do_parts(unsigned thread_idx, std::size_t num_parts, const DoPart& do_part);

  /// One of the tasks: it ends with this, done or given up.
  class [[nodiscard]] TaskScope {
   public:
    explicit TaskScope(MutualHelp& help) : help_(help) {}
    TaskScope(const TaskScope&) = delete;
    TaskScope& operator=(const TaskScope&) = delete;
    ~TaskScope() { help_.end_task(); }

   private:
    MutualHelp& help_;
  };

  /// Does parts of the others' tasks, those there are now and those to come, until all tasks have ended.
  void help(unsigned thread_idx);

 private:
  struct Task {
    const std::size_t num_parts;
    const DoPart& do_part;
    std::atomic<std::size_t> next = 0;
    unsigned num_helping = 0;  // guarded by mutex_

    void work(unsigned thread_idx);
  };
  void leave(Task& task) noexcept;
  void end_task() noexcept;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t num_tasks_left_;  // guarded by mutex_
  std::vector<Task*> tasks_;    // those in parts; guarded by mutex_
};

}  // namespace penstock::care
