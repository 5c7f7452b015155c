// Two ranks that have the same gradients, for tests: their sums are twice what each has.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "train/backend/grad_reducer.h"

namespace penstock::train {

class DoublingReducer final : public GradReducer {
 public:
  using Work = std::function<void()>;
  /// Runs work behind what a stream has; at once without one.
  using Enqueue = std::function<void(void* stream, Work work)>;

  explicit DoublingReducer(Enqueue enqueue = [](void*, const Work& work) { work(); })
      : enqueue_(std::move(enqueue)) {}

  std::uint32_t num_ranks() const noexcept override { return 2; }
  void reduce(std::span<const GradientBlock> gradients, void* stream) override {
    calls.push_back({gradients.begin(), gradients.end()});
    enqueue_(stream, [blocks = calls.back()] {
      for (const GradientBlock& block : blocks) {
        if (block.element_bytes == sizeof(double)) {
          twice<double>(block);
        } else {
          twice<float>(block);
        }
      }
    });
  }

  std::vector<std::vector<GradientBlock>> calls;

 private:
  template <class T>
  static void twice(const GradientBlock& block) {
    T* const values = static_cast<T*>(block.values);
    for (std::size_t i = 0; i < block.num_elements; ++i) values[i] *= 2;
  }

  Enqueue enqueue_;
};

}  // namespace penstock::train
