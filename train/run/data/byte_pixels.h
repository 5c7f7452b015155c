// Augmentation into batches of bytes, which programs normalise on the device.
#pragma once

#include "augment/augment_transform.h"

namespace penstock::train {

/// Writes the sampled pixels. Its identity is that of the same settings with values: a run may go on with either.
///
/// Needs    batches of uint8
/// Threads  immutable; every member may be called from any thread
class BytePixels final : public SampleTransform {
 public:
  explicit BytePixels(const augment::AugmentConfig& config);

  void accept(const BatchSpec& spec) const override { pixels_.accept(spec); }
  SamplePlan plan(const SampleInfo& info, const BatchSpec& spec,
                  const Draws& draws) const noexcept override {
    return pixels_.plan(info, spec, draws);
  }
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte> scratch,
             const SampleSlot& slot) const noexcept override {
    pixels_.apply(decoded, plan, scratch, slot);
  }
  std::uint32_t finest_decode_scale(const SampleInfo& info,
                                    const BatchSpec& spec) const noexcept override {
    return pixels_.finest_decode_scale(info, spec);
  }
  std::size_t worst_case_scratch_bytes(const BatchSpec& spec) const noexcept override {
    return pixels_.worst_case_scratch_bytes(spec);
  }
  bool takes_sample_draws() const noexcept override { return pixels_.takes_sample_draws(); }
  std::string identity() const override { return normalised_.identity(); }

 private:
  augment::AugmentTransform pixels_;      // mean 0, std 1
  augment::AugmentTransform normalised_;  // as asked for
};

}  // namespace penstock::train
