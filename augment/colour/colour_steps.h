// What happens to the colours of one sample, one step after the other.
// Knows no settings, no draws and no pixels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace penstock::augment {

enum class ColourStepKind : std::uint8_t {
  kChannelShift,  // amount: added to every channel, in units of the stored pixels
  kBrightness,    // amount: factor; 0 is black, 1 changes nothing
  kContrast,      // amount: factor about the mean of the picture's gray; 1 changes nothing
  kSaturation,    // amount: factor about each pixel's gray; 0 is gray, 1 changes nothing
  kHue,           // amount: turns of the colour wheel, -0.5 to 0.5; 0 changes nothing
  kPosterize,     // amount: bits kept of each byte, 0 to 8
  kSolarize,      // amount: values from here on are inverted, 0 to 256
  kAutoContrast,  // no amount: each channel stretched to 0 to 255
  kEqualize,      // no amount: each channel's histogram made even
  kSharpness,     // amount: factor about the smoothed picture; 0 is smooth, 1 changes nothing
};

struct ColourStep {
  ColourStepKind kind = ColourStepKind::kBrightness;
  float amount = 1;

  friend bool operator==(const ColourStep&, const ColourStep&) = default;
};

/// The steps of one sample, in order: part of its plan, so of fixed size.
class ColourSteps {
 public:
  static constexpr std::size_t kMaxSteps = 12;

  /// Precondition  fewer than kMaxSteps are there
  void add(const ColourStep& step) noexcept { steps_[num_steps_++] = step; }

  std::span<const ColourStep> steps() const noexcept { return {steps_.data(), num_steps_}; }
  bool empty() const noexcept { return num_steps_ == 0; }

  friend bool operator==(const ColourSteps&, const ColourSteps&) = default;

 private:
  std::array<ColourStep, kMaxSteps> steps_{};
  std::uint8_t num_steps_ = 0;
};

}  // namespace penstock::augment
