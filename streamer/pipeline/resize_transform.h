// The transform of an engine without augment: every picture is stretched to the batch's size and
// normalised. Also the reference of what a transform is.
#pragma once

#include <array>

#include "streamer/core/sample_transform.h"

namespace penstock {

struct ResizeConfig {
  /// Subtracted per channel after the division by 255 (float32 only).
  std::array<float, 3> mean = {0.0f, 0.0f, 0.0f};
  /// Divides per channel after that; above 0.
  std::array<float, 3> std = {1.0f, 1.0f, 1.0f};
  /// Decodes JPEG at 1/2, 1/4 or 1/8 where the picture is at least so many times too large.
  bool decode_scaling = true;

  void validate() const;
};

/// Bilinear, half-pixel centres, no antialiasing beyond the decode scale; EXIF orientation applied.
///
/// Shapes  float32 or uint8, NCHW or NHWC, 3 channels or 1
/// Method  the centre of output pixel x lies at (x + 0.5) * width_in / width_out - 0.5
class ResizeTransform final : public SampleTransform {
 public:
  explicit ResizeTransform(ResizeConfig config = {});

  void accept(const BatchSpec& spec) const override;
  SamplePlan plan(const SampleInfo& info, const BatchSpec& spec,
                  const Draws& draws) const noexcept override;
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte> scratch,
             const SampleSlot& slot) const noexcept override;
  std::uint32_t finest_decode_scale(const SampleInfo& info,
                                    const BatchSpec& spec) const noexcept override;
  std::size_t worst_case_scratch_bytes(const BatchSpec& spec) const noexcept override;
  std::string identity() const override;

 private:
  ResizeConfig config_;
};

}  // namespace penstock
