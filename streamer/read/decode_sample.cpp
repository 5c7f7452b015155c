#include "streamer/read/decode_sample.h"

#include "streamer/read/sample_cache.h"

namespace penstock {
namespace {

// Decodes the whole picture into the cache. What lies outside the task's region may be what makes
// that fail, so a failure is not the task's.
bool fill_cached_picture(SampleTask& task, std::span<const std::byte> encoded,
                         const RunParts& parts, SampleDecoder& decoder,
                         const std::stop_token& stop) noexcept {
  const StoredInfo stored = stored_info(task.record);
  const auto whole = decoder.decode(encoded, stored, whole_picture(stored, task.request),
                                    task.cached.bytes, parts.scratch(), stop);
  task.cached.is_filled = whole.ok() && is_kept_as_decoded(task, whole.value());
  if (task.cached.is_filled) task.decoded = cached_picture(task);
  return task.cached.is_filled;
}

}  // namespace

void decode_sample(SampleTask& task, std::span<const std::byte> encoded, const RunParts& parts,
                   DecoderSet& decoders, const std::stop_token& stop) noexcept {
  if (task.fault.status != SampleStatus::kOk) return;
  if (task.cached.use == CacheUse::kPixels) {
    task.decoded = cached_picture(task);
    return;
  }
  if (task.record.status != 0) {
    task.fault = {SampleStatus::kUnsupported, "the index does not call the sample whole"};
    return;
  }
  const StoredInfo stored = stored_info(task.record);
  SampleDecoder* decoder = decoders.find(stored.codec);
  if (decoder == nullptr) {
    task.fault = {SampleStatus::kUnsupported, "this build has no decoder for the sample's codec"};
    return;
  }
  if (task.cached.use == CacheUse::kFillPixels &&
      fill_cached_picture(task, encoded, parts, *decoder, stop)) {
    return;
  }
  const auto result =
      decoder->decode(encoded, stored, task.request, parts.decoded(), parts.scratch(), stop);
  if (result.ok()) {
    task.decoded = result.value();
  } else {
    task.fault = result.fault();
  }
}

}  // namespace penstock
