// The transform of a loader whose consumer makes the pixels itself: it plans a sample as AugmentTransform does,
// and hands on the decoded crop with what is to become of it.
// Knows no files, no codecs, no threads and no device.
#pragma once

#include <cstdint>
#include <string>

#include "augment/augment_config.h"
#include "augment/augment_transform.h"
#include "streamer/core/sample_transform.h"

namespace penstock::augment {

/// Fills batches of crops (BatchSpec::crop_bytes, streamer/core/crop_record.h): the same draws, source regions and
/// decode scales as AugmentTransform, and the same values once a consumer has followed the record.
///
/// A crop that does not fit its place is sampled here, into a picture of the output's sides, rounded to bytes; the
/// record then says what is left: colours, erasing, normalisation.
///
/// Errors   the constructor throws what AugmentConfig::validate() throws; accept() refuses with Unsupported what no
///          record can say: filters, hue, policies
/// Needs    as AugmentTransform; crop_bytes of at least the record and a picture of the output's sides
/// Threads  immutable; every member may be called from any thread
/// Cost     a copy of the crop a sample; allocates nothing
class CropTransform final : public SampleTransform {
 public:
  explicit CropTransform(AugmentConfig config);

  const AugmentConfig& config() const noexcept { return finished_.config(); }

  /// The bytes of a place that every crop of such a picture fits into, but for those of more than kMostOutputs
  /// times the output's pixels. Of a dataset, the largest of its pictures' is BatchSpec::crop_bytes.
  std::uint32_t crop_bytes(const SampleInfo& info, const BatchSpec& spec) const noexcept;
  /// A map that shrinks by less than two along both axes, all that scaled decoding leaves, reads no more.
  static constexpr std::uint32_t kMostOutputs = 4;

  void accept(const BatchSpec& spec) const override;
  SamplePlan plan(const SampleInfo& info, const BatchSpec& spec,
                  const Draws& draws) const noexcept override;
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte> scratch,
             const SampleSlot& slot) const noexcept override;
  std::uint32_t finest_decode_scale(const SampleInfo& info,
                                    const BatchSpec& spec) const noexcept override;
  std::size_t worst_case_scratch_bytes(const BatchSpec& spec) const noexcept override;
  bool takes_sample_draws() const noexcept override;
  bool writes_crops() const noexcept override { return true; }
  std::string identity() const override;

 private:
  AugmentTransform finished_;  // what a consumer makes of it
};

}  // namespace penstock::augment
