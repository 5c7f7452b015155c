// Two transforms as a user would write them, plain enough for a test to do by hand what they do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "streamer/pipeline/resize_transform.h"

namespace penstock::tests {

/// Resizes into bytes, then turns over the bits that it drew. Spoils all the scratch that it has.
class FlippedBits final : public SampleTransform {
 public:
  static constexpr std::uint32_t kScratchBytes = 1000;

  static std::uint8_t drawn(const Draws& draws) noexcept {
    return static_cast<std::uint8_t>(256 * draws.with_purpose(user_purpose(0)).uniform(0));
  }

  void accept(const BatchSpec& spec) const override { resize_.accept(spec); }
  SamplePlan plan(const SampleInfo& info, const BatchSpec& spec,
                  const Draws& draws) const noexcept override {
    SamplePlan plan = resize_.plan(info, spec, draws);
    plan.store(Planned{info, drawn(draws)});
    plan.scratch_bytes = kScratchBytes;
    return plan;
  }
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte> scratch,
             const SampleSlot& slot) const noexcept override {
    const auto planned = plan.load<Planned>();
    std::memset(scratch.data(), 0xEE, kScratchBytes);
    SamplePlan resized = plan;
    resized.store(planned.info);
    resize_.apply(decoded, resized, {}, slot);
    for (std::byte& pixel : std::span(slot.pixels, slot.spec->sample_bytes())) {
      pixel ^= std::byte{planned.bits};
    }
  }
  std::uint32_t finest_decode_scale(const SampleInfo& info,
                                    const BatchSpec& spec) const noexcept override {
    return resize_.finest_decode_scale(info, spec);
  }
  std::size_t worst_case_scratch_bytes(const BatchSpec&) const noexcept override {
    return kScratchBytes;
  }
  std::string identity() const override { return "transform=flipped_bits\n" + resize_.identity(); }

 private:
  struct Planned {
    SampleInfo info;
    std::uint8_t bits;
  };
  ResizeTransform resize_{{.decode_scaling = false}};
};

/// Copies a picture of at least the batch's sides, from its top left, times a drawn gain, to float32
/// NHWC. Spoils all the scratch that it has.
class DrawnGain final : public SampleTransform {
 public:
  static constexpr std::uint32_t kScratchBytes = 3000;

  static float drawn(const Draws& draws) noexcept {
    return static_cast<float>(1 + draws.with_purpose(user_purpose(1)).uniform(0));
  }

  void accept(const BatchSpec& spec) const override { spec.validate(); }
  SamplePlan plan(const SampleInfo& info, const BatchSpec&,
                  const Draws& draws) const noexcept override {
    SamplePlan plan{.source_region = {0, 0, info.width_px, info.height_px}};
    plan.scratch_bytes = kScratchBytes;
    plan.store(drawn(draws));
    return plan;
  }
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte> scratch,
             const SampleSlot& slot) const noexcept override {
    std::memset(scratch.data(), 0xDD, kScratchBytes);
    const auto gain = plan.load<float>();
    auto* out = reinterpret_cast<float*>(slot.pixels);
    const std::size_t row_values = std::size_t{slot.spec->width_px} * slot.spec->channels;
    for (std::uint32_t y = 0; y < slot.spec->height_px; ++y) {
      const std::uint8_t* row = decoded.image.row(y);
      out = std::transform(row, row + row_values, out,
                           [gain](std::uint8_t value) { return gain * static_cast<float>(value); });
    }
  }
  std::uint32_t finest_decode_scale(const SampleInfo&, const BatchSpec&) const noexcept override {
    return 1;
  }
  std::size_t worst_case_scratch_bytes(const BatchSpec&) const noexcept override {
    return kScratchBytes;
  }
  std::string identity() const override { return "transform=drawn_gain\n"; }
};

}  // namespace penstock::tests
