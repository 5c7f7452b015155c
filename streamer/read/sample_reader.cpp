#include "streamer/read/sample_reader.h"

#include "streamer/core/checksum.h"

namespace penstock {
namespace {

struct BlockParts {
  std::span<std::byte> encoded;
  std::span<std::byte> scratch;
  std::span<std::byte> decoded;
};

BlockParts divide(std::span<const SampleTask> tasks, std::span<std::byte> block) noexcept {
  const RunLayout layout = run_layout(tasks);
  return {.encoded = block.first(layout.encoded_bytes),
          .scratch = block.subspan(layout.encoded_bytes, layout.scratch_bytes),
          .decoded = block.subspan(layout.encoded_bytes + layout.scratch_bytes)};
}

void decode_sample(SampleTask& task, std::span<const std::byte> encoded,
                   std::span<std::byte> scratch, std::span<std::byte> pixels, DecoderSet& decoders,
                   const std::stop_token& stop) {
  if (xxh3_64(encoded) != task.record.xxh3) {
    task.fault = {SampleStatus::kChecksumMismatch, "stored bytes do not match their checksum"};
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
  const auto result = decoder->decode(encoded, stored, task.request, pixels, scratch, stop);
  if (result.ok()) {
    task.decoded = result.value();
  } else {
    task.fault = result.fault();
  }
}

}  // namespace

void read_run(const SampleRun& run, std::span<std::byte> block, DecoderSet& decoders,
              const std::stop_token& stop) {
  const BlockParts parts = divide(run.tasks, block);
  std::size_t decoded_offset = 0;
  for (SampleTask& task : run.tasks) {
    if (stop.stop_requested()) return;
    const auto encoded = parts.encoded.first(task.record.length_bytes);
    task.shard->read_sample(task.record, encoded);
    const auto pixels = parts.decoded.subspan(decoded_offset, task.price.decoded_bytes);
    decoded_offset += align_up(task.price.decoded_bytes);
    decode_sample(task, encoded, parts.scratch, pixels, decoders, stop);
  }
}

std::span<std::byte> transform_scratch(const SampleRun& run, std::span<std::byte> block) noexcept {
  return divide(run.tasks, block).scratch;
}

}  // namespace penstock
