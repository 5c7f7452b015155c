// Runs one function on a fixed number of parts of work, on the same threads that oneDNN uses. The
// parts depend on the number asked for alone, so sums over parts come out the same every time.
#pragma once

#include <cstddef>
#include <type_traits>

namespace penstock::train::onednn {

/// Calls body(context, part) for part = 0 .. num_parts - 1, each once; returns when all are done.
void run_parts(unsigned num_parts, void (*body)(void*, unsigned), void* context);

template <class Body>
void parallel(unsigned num_parts, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  run_parts(
      num_parts, [](void* context, unsigned part) { (*static_cast<Plain*>(context))(part); },
      const_cast<std::remove_const_t<Plain>*>(&body));
}

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

/// Part `part` of `count` things cut into `num_parts` nearly equal runs.
constexpr Range part_range(std::size_t count, unsigned num_parts, unsigned part) {
  return {count * part / num_parts, count * (part + 1) / num_parts};
}

/// Sets the number of threads that OpenMP regions started by this thread use, oneDNN's included;
/// puts the old number back on destruction.
class ThreadScope {
 public:
  explicit ThreadScope(unsigned num_threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int before_;
};

}  // namespace penstock::train::onednn
