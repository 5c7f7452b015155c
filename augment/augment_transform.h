// The transform that the loader runs: draws, one map, one pass into the batch slot.
// Knows no files, no codecs and no threads.
#pragma once

#include <array>
#include <string>

#include "augment/augment_config.h"
#include "augment/channel_scale.h"
#include "streamer/core/sample_transform.h"

namespace penstock::augment {

/// Resizes, augments and normalises into batches of 1 or 3 channels, of any element type and layout.
/// A uint8 batch holds the sampled pixels: `rescale`, `mean` and `std` do not apply to it.
///
/// Errors   the constructor throws what AugmentConfig::validate() throws; accept() refuses settings
///          that the element type cannot hold
/// Needs    pictures decoded to as many channels as the batch has, or one, which then serves for
///          all; at any scale and over at least SamplePlan::source_region
/// Threads  immutable; every member may be called from any thread
class AugmentTransform final : public SampleTransform {
 public:
  explicit AugmentTransform(AugmentConfig config);

  const AugmentConfig& config() const noexcept { return config_; }

  void accept(const BatchSpec& spec) const override;
  SamplePlan plan(const SampleInfo& info, const BatchSpec& spec,
                  const Draws& draws) const noexcept override;
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte> scratch,
             const SampleSlot& slot) const noexcept override;
  std::uint32_t finest_decode_scale(const SampleInfo& info,
                                    const BatchSpec& spec) const noexcept override;
  std::size_t worst_case_scratch_bytes(const BatchSpec& spec) const noexcept override;
  bool takes_sample_draws() const noexcept override;
  std::string identity() const override;

 private:
  AugmentConfig config_;
  std::array<ChannelScale, 3> channels_;  // config_'s normalisation as gain and bias
};

}  // namespace penstock::augment
