// Canvases, colour steps and vector units for the tests of augment.
#pragma once

#include <hwy/targets.h>

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "augment/affine_map.h"
#include "augment/colour/colour_canvas.h"
#include "augment/colour/colour_steps.h"

namespace penstock::augment {

/// A canvas that owns exactly its values, so that AddressSanitizer sees an access outside.
class TestCanvas {
 public:
  TestCanvas(SizePx size, std::uint32_t channels)
      : size_(size),
        channels_(channels),
        values_(static_cast<float*>(::operator new(num_values() * sizeof(float), kAlignment))) {
    std::fill_n(values_.get(), num_values(), 0.0f);
  }
  TestCanvas(const TestCanvas& other) : TestCanvas(other.size_, other.channels_) {
    std::copy_n(other.values_.get(), num_values(), values_.get());
  }

  Canvas canvas() const {
    return {.values = values_.get(),
            .channels = channels_,
            .height_px = size_.height,
            .width_px = size_.width};
  }
  std::vector<float> values() const { return {values_.get(), values_.get() + num_values()}; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(float* values) const { ::operator delete(values, kAlignment); }
  };

  std::size_t num_values() const { return std::size_t{size_.width} * size_.height * channels_; }

  SizePx size_;
  std::uint32_t channels_;
  std::unique_ptr<float, Free> values_;
};

/// Whole pixel values often, and colours with equal channels.
inline void fill_randomly(const Canvas& canvas, std::mt19937_64& random) {
  std::uniform_real_distribution<float> real(0, 255);
  for (std::size_t i = 0; i < canvas.plane_px(); ++i) {
    for (std::uint32_t c = 0; c < canvas.channels; ++c) {
      float value = random() % 2 == 0 ? real(random) : static_cast<float>(random() % 256);
      if (c > 0 && random() % 4 == 0) value = canvas.plane(c - 1)[i];
      canvas.plane(c)[i] = value;
    }
  }
}

/// Of 1 or 3 channels; a row, a column or less than a vector often.
inline TestCanvas random_canvas(std::mt19937_64& random) {
  const auto side = [&] {
    return static_cast<std::uint32_t>(1 + random() % (random() % 3 ? 60 : 3));
  };
  const TestCanvas owned({.width = side(), .height = side()}, random() % 3 == 0 ? 1 : 3);
  fill_randomly(owned.canvas(), random);
  return owned;
}

/// Up to six steps of those that colour_pass knows.
inline ColourSteps random_steps(std::mt19937_64& random) {
  std::uniform_real_distribution<float> factor(0, 2.5f);
  std::uniform_real_distribution<float> turns(-0.5f, 0.5f);
  std::uniform_real_distribution<float> shift(-80, 80);
  ColourSteps steps;
  for (std::uint64_t left = random() % 7; left > 0; --left) {
    const auto kind = static_cast<ColourStepKind>(random() % 5);
    const float amount = kind == ColourStepKind::kChannelShift ? shift(random)
                         : kind == ColourStepKind::kHue        ? turns(random)
                                                               : factor(random);
    steps.add({kind, amount});
  }
  return steps;
}

/// Runs `body` once for every vector unit of this machine.
template <class Body>
void for_each_target(const Body& body) {
  for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    body();
    hwy::SetSupportedTargetsForTest(0);
  }
}

}  // namespace penstock::augment
