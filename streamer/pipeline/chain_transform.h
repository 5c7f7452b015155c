// Two transforms, one after the other: a user's own before or after the fused pass of `augment`.
#pragma once

#include <cstdint>
#include <memory>

#include "streamer/core/sample_transform.h"

namespace penstock {

struct ChainConfig {
  /// Makes the middle picture out of the decoded one. Both are shared with whoever set them here.
  std::shared_ptr<const SampleTransform> first = nullptr;
  /// Makes the place of the batch out of the middle picture.
  std::shared_ptr<const SampleTransform> second = nullptr;
  /// Sides of the middle picture, 1 to 16384 both; 0 both for the batch's.
  std::uint32_t middle_height_px = 0;
  std::uint32_t middle_width_px = 0;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// Fills each place through a middle picture in the scratch.
///
/// Shapes   the middle picture is uint8 NHWC with the batch's channels. `second` sees it as a picture
///          of those sides that stands upright and can be had at full size only; id and class stay
///          the sample's
/// Draws    both are handed the sample's: each has to take purposes of its own (user_purpose in
///          draws.h), and one AugmentTransform of a chain may draw: accept() refuses two
/// Decoder  is asked for what `first` plans
/// Cost     both plans are made twice, as a plan has no room for two; allocates nothing
class ChainTransform final : public SampleTransform {
 public:
  explicit ChainTransform(ChainConfig config);

  void accept(const BatchSpec& spec) const override;
  SamplePlan plan(const SampleInfo& info, const BatchSpec& spec,
                  const Draws& draws) const noexcept override;
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte> scratch,
             const SampleSlot& slot) const noexcept override;
  std::uint32_t finest_decode_scale(const SampleInfo& info,
                                    const BatchSpec& spec) const noexcept override;
  std::size_t worst_case_scratch_bytes(const BatchSpec& spec) const noexcept override;
  bool takes_sample_draws() const noexcept override;
  bool writes_crops() const noexcept override;
  /// The lines of both, after `chain.first.` and `chain.second.`.
  std::string identity() const override;

 private:
  BatchSpec middle_spec(const BatchSpec& spec) const noexcept;
  SamplePlan plan_second(const SampleInfo& info, const BatchSpec& spec,
                         const Draws& draws) const noexcept;

  ChainConfig config_;
};

}  // namespace penstock
