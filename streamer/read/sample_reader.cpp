#include "streamer/read/sample_reader.h"

#include <string>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"

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

bool read_verified(const ShardFile& shard, const IndexRecord& record, std::uint64_t sample_id,
                   std::span<std::byte> bytes) try {
  shard.read_sample(record, bytes);
  if (xxh3_64(bytes) == record.xxh3) return true;
  shard.check_unchanged();
  return false;
} catch (const Error& error) {
  throw Error(error.code(),
              "sample " + std::to_string(sample_id) + " at offset " +
                  std::to_string(record.offset_bytes) + ": " + error.what(),
              error.hint(), error.os_error());
}

void read_run(const SampleRun& run, std::span<std::byte> block, DecoderSet& decoders,
              const std::stop_token& stop) {
  const BlockParts parts = divide(run.tasks, block);
  std::size_t decoded_offset = 0;
  for (SampleTask& task : run.tasks) {
    if (stop.stop_requested()) return;
    const auto encoded = parts.encoded.first(task.record.length_bytes);
    const bool is_intact = read_verified(*task.shard, task.record, task.info.sample_id, encoded);
    const auto pixels = parts.decoded.subspan(decoded_offset, task.price.decoded_bytes);
    decoded_offset += align_up(task.price.decoded_bytes);
    if (is_intact) {
      decode_sample(task, encoded, parts.scratch, pixels, decoders, stop);
    } else {
      task.fault = {SampleStatus::kChecksumMismatch, "stored bytes do not match their checksum"};
    }
  }
}

std::span<std::byte> transform_scratch(const SampleRun& run, std::span<std::byte> block) noexcept {
  return divide(run.tasks, block).scratch;
}

}  // namespace penstock
