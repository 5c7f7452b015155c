#include "tools/care/mutual_help.h"

#include <algorithm>

namespace penstock::care {
namespace {

template <class Action>
class AtEnd {
 public:
  explicit AtEnd(Action action) : action_(std::move(action)) {}
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;
  ~AtEnd() { action_(); }

 private:
  Action action_;
};

}  // namespace

void MutualHelp::Task::work(unsigned thread_idx) {
  try {
    for (std::size_t i = next++; i < num_parts; i = next++) do_part(thread_idx, i);
  } catch (...) {
    next = num_parts;
    throw;
  }
}

void MutualHelp::do_parts(unsigned thread_idx, std::size_t num_parts, const DoPart& do_part) {
  Task task{.num_parts = num_parts, .do_part = do_part};
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(&task);
  }
  changed_.notify_all();
  const AtEnd end([&] { leave(task); });
  task.work(thread_idx);
}

// The task lies on the caller's stack: nobody may be at it any longer.
void MutualHelp::leave(Task& task) noexcept {
  std::unique_lock lock(mutex_);
  std::erase(tasks_, &task);
  changed_.wait(lock, [&] { return task.num_helping == 0; });
}

void MutualHelp::end_task() noexcept {
  {
    const std::lock_guard lock(mutex_);
    --num_tasks_left_;
  }
  changed_.notify_all();
}

void MutualHelp::help(unsigned thread_idx) {
  std::unique_lock lock(mutex_);
  while (num_tasks_left_ > 0) {
    const auto found =
        std::ranges::find_if(tasks_, [](const Task* task) { return task->next < task->num_parts; });
    if (found == tasks_.end()) {
      changed_.wait(lock);
      continue;
    }
    Task& task = **found;
    ++task.num_helping;
    lock.unlock();
    const AtEnd end([&] {
      lock.lock();
      --task.num_helping;
      changed_.notify_all();
    });
    task.work(thread_idx);
  }
}

}  // namespace penstock::care
