// Pictures and batches for the tests of augment.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "augment/augment_config.h"
#include "augment/augment_draws.h"
#include "augment/augment_transform.h"
#include "augment/sampling_plan.h"
#include "augment/warp/warp_kernel.h"

namespace penstock::augment {

/// Owns exactly the bytes of its pixels, so that AddressSanitizer sees a read outside.
struct TestPicture {
  std::vector<std::uint8_t> bytes;
  SizePx size;
  std::uint32_t channels = 1;

  ImageView view() const {
    return {bytes.data(), size.width, size.height,
            channels,     channels,   std::size_t{size.width} * channels};
  }
  DecodedView decoded(std::uint32_t scale = 1) const {
    return {view(), {0, 0, size.width, size.height}, scale};
  }
};

inline TestPicture gray_picture(SizePx size, std::vector<std::uint8_t> pixels) {
  return {std::move(pixels), size, 1};
}

inline TestPicture noise_picture(SizePx size, std::uint32_t channels, std::mt19937_64& random) {
  TestPicture picture{{}, size, channels};
  picture.bytes.resize(std::size_t{size.width} * size.height * channels);
  for (std::uint8_t& byte : picture.bytes) byte = static_cast<std::uint8_t>(random());
  return picture;
}

inline SampleInfo info_of(SizePx stored, std::uint8_t orientation = 1) {
  return {.width_px = stored.width, .height_px = stored.height, .orientation = orientation};
}

inline BatchSpec spec_of(SizePx output, std::uint32_t channels,
                         PixelLayout layout = PixelLayout::kNhwc) {
  return {.batch = 1,
          .height_px = output.height,
          .width_px = output.width,
          .channels = channels,
          .layout = layout};
}

/// Runs one picture through a transform, decoded at the scale that `picture` has.
inline std::vector<std::byte> transform_bytes(const AugmentTransform& transform,
                                              const DecodedView& decoded, const SampleInfo& info,
                                              const BatchSpec& spec, const Draws& draws) {
  const SamplePlan plan = transform.plan(info, spec, draws);
  std::vector<std::byte> scratch(plan.scratch_bytes);
  std::vector<std::byte> out(spec.sample_bytes(), std::byte{0xC5});
  transform.apply(decoded, plan, scratch, {&spec, out.data()});
  return out;
}

/// The same, of float32 batches.
inline std::vector<float> transform_picture(const AugmentTransform& transform,
                                            const DecodedView& decoded, const SampleInfo& info,
                                            const BatchSpec& spec, const Draws& draws) {
  const std::vector<std::byte> bytes = transform_bytes(transform, decoded, info, spec, draws);
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

/// Warps a gray picture of the output's own size by known draws, in pixel units.
inline std::vector<float> warp_gray(const TestPicture& picture, const AugmentDraws& drawn,
                                    FillMode fill_mode, float cval) {
  const BatchSpec spec = spec_of(picture.size, 1);
  std::vector<float> out(spec.sample_bytes() / sizeof(float), -12345.0f);
  WarpJob job{.decoded = picture.decoded(),
              .map = sample_map(drawn, picture.size, info_of(picture.size)),
              .stored = picture.size,
              .fill_mode = fill_mode,
              .slot = {&spec, reinterpret_cast<std::byte*>(out.data())}};
  job.channels[0].fill = cval;
  std::vector<std::byte> scratch(warp_scratch_bytes(spec));
  warp(job, scratch);
  return out;
}

}  // namespace penstock::augment
