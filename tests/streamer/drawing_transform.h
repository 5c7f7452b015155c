// A transform whose pixels are what it drew: batches then show which draws a place got.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "streamer/core/sample_transform.h"

namespace penstock::tests {

/// Fills a place with the words of block 0 of its draws, over and over, each byte changed by the
/// first byte of the picture.
class DrawingTransform final : public SampleTransform {
 public:
  /// What a place of `spec` must hold.
  static std::vector<std::byte> expected(const BatchSpec& spec, const Draws& draws,
                                         std::uint8_t first_byte) {
    std::vector<std::byte> bytes(spec.sample_bytes());
    fill(bytes, draws.block(0), first_byte);
    return bytes;
  }

  void accept(const BatchSpec&) const override {}
  SamplePlan plan(const SampleInfo& info, const BatchSpec&,
                  const Draws& draws) const noexcept override {
    SamplePlan plan{.source_region = {0, 0, info.width_px, info.height_px}};
    plan.store(draws.block(0));
    return plan;
  }
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte>,
             const SampleSlot& slot) const noexcept override {
    fill({slot.pixels, slot.spec->sample_bytes()}, plan.load<PhiloxCounter>(),
         *decoded.image.row(0));
  }
  std::uint32_t finest_decode_scale(const SampleInfo&, const BatchSpec&) const noexcept override {
    return 1;
  }
  std::size_t worst_case_scratch_bytes(const BatchSpec&) const noexcept override { return 0; }
  std::string identity() const override { return "transform=drawing\n"; }

 private:
  static void fill(std::span<std::byte> bytes, const PhiloxCounter& words,
                   std::uint8_t first_byte) noexcept {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::uint32_t word = words[i / 4 % words.size()];
      bytes[i] = static_cast<std::byte>(word >> 8 * (i % 4)) ^ std::byte{first_byte};
    }
  }
};

}  // namespace penstock::tests
