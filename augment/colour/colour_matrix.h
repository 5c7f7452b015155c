// Per-pixel linear colour steps as one 3 x 4 matrix.
// Knows formulas; knows no pixels, no settings and no draws.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "augment/channel_scale.h"
#include "augment/colour/colour_steps.h"

namespace penstock::augment {

/// One channel as the pixels are worked out: red * gains[0] + green * gains[1] + blue * gains[2] +
/// offset in this order, held within `lowest` to `highest`.
struct ChannelMix {
  std::array<float, 3> gains{};
  float offset = 0;
  float lowest = 0;
  float highest = 255;
};
using ChannelMixes = std::array<ChannelMix, 3>;

/// One channel as all linear steps leave it: itself times `own`, and what is the same for the three of a
/// pixel: their sum times `shared`, and `offset`.
struct SharedMix {
  double own = 1;
  std::array<double, 3> shared{};
  double offset = 0;
};

/// Whether a step is linear in the pixel, so that it can join a matrix.
bool is_linear(ColourStepKind kind) noexcept;

/// What red, green and blue become: each row holds three factors and an offset. A gray picture has
/// the first row's first factor and offset.
///
/// Source  torchvision 0.15, transforms.functional: brightness blends with black, contrast with the
///         mean of the picture's gray, saturation with the pixel's gray, 0.2989 R + 0.587 G + 0.114 B;
///         channel shift: Keras 2.12, apply_channel_shift
class ColourMatrix {
 public:
  using Means = std::array<double, 3>;

  explicit ColourMatrix(std::uint32_t channels) noexcept;

  /// Puts a linear step behind what is there. `means` are those of the picture's channels before
  /// all of it; only contrast looks at them. Saturation leaves gray pictures as they are.
  void append(const ColourStep& step, const Means& means) noexcept;

  /// Whether each channel depends on itself alone.
  bool is_diagonal() const noexcept;

  /// The rows of a picture of three channels.
  SharedMix shared_mix() const noexcept;

  /// The rows' last columns: what is added. Linear in the means that append() was given.
  std::array<double, 3> offsets() const noexcept;

  /// The rows in floats, normalised, with a clamp to 0 to 255 before the normalisation.
  ChannelMixes mixes(std::span<const ChannelScale> scales) const noexcept;

 private:
  using Row = std::array<double, 4>;

  double mean_of(const Row& row, const Means& means) const noexcept;
  void blend_with(double factor, const Row& other) noexcept;
  Row gray() const noexcept;

  std::uint32_t channels_;
  std::array<Row, 3> rows_{{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};
};

}  // namespace penstock::augment
