#include "train/run/data/picture_place.h"

#include <algorithm>

#include "streamer/read/admission.h"
#include "streamer/read/decoder_set.h"

namespace penstock::train {

SampleFault fill_place(const EncodedPicture& picture, const SampleTransform& transform,
                       const PicturePlace& place, MemoryBudget& budget) {
  if (picture.record.status != 0) {
    return {SampleStatus::kUnsupported, "the index does not call the sample whole"};
  }
  const StoredInfo stored = stored_info(picture.record);
  DecoderSet decoders;
  SampleDecoder* decoder = decoders.find(stored.codec);
  if (decoder == nullptr) return {SampleStatus::kUnsupported, "no decoder for this codec"};
  const SamplePlan plan =
      transform.plan(sample_info(picture.record, picture.sample_id), place.spec, place.draws);
  const DecodeRequest request{.region = plan.source_region,
                              .decode_scale = plan.decode_scale,
                              .channels = place.spec.channels};
  const DecodePrice price = decode_price(stored, request);
  const std::size_t scratch_bytes = std::max<std::size_t>(price.scratch_bytes, plan.scratch_bytes);
  const BudgetShare share = budget.draw(price.decoded_bytes + scratch_bytes, "decoding a picture");
  std::vector<std::byte> decoded_pixels(price.decoded_bytes);
  std::vector<std::byte> scratch(scratch_bytes);
  const auto decoded =
      decoder->decode(picture.encoded, stored, request, decoded_pixels, scratch, {});
  if (!decoded.ok()) return decoded.fault();
  transform.apply(decoded.value(), plan, scratch, {.spec = &place.spec, .pixels = place.pixels});
  return {};
}

}  // namespace penstock::train
