#include "streamer/read/sample_reader.h"

#include <algorithm>
#include <string>

#include "streamer/core/error.h"
#include "streamer/read/sample_cache.h"

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

// Where a sample's stored bytes lie: in the cache, which has them or takes them in, or in the block.
std::span<std::byte> encoded_place(const SampleTask& task, const BlockParts& parts) noexcept {
  return (lies_encoded_in_cache(task) ? task.cached.bytes : parts.encoded)
      .first(task.record.length_bytes);
}

// Bytes read and checked between looks at the stop token: 25 ms on a disk of 10 MB/s.
constexpr std::size_t kPieceBytes = 256u << 10;

// Reads a sample and returns its checksum. Each piece of a long one is hashed while it is in the
// cache. After a stop the rest is left out and the checksum means nothing.
std::uint64_t read_and_hash(const SampleTask& task, std::span<std::byte> encoded,
                            StreamHasher& hasher, RunTimer& timer, const std::stop_token& stop) {
  if (encoded.size() <= kPieceBytes) {
    task.shard->read_sample(task.record, encoded);
    timer.end(ReadPart::kRead);
    const std::uint64_t digest = xxh3_64(encoded);
    timer.end(ReadPart::kChecksum);
    return digest;
  }
  hasher.reset();
  for (std::size_t begin = 0; begin < encoded.size() && !stop.stop_requested();
       begin += kPieceBytes) {
    const auto piece = encoded.subspan(begin, std::min(kPieceBytes, encoded.size() - begin));
    task.shard->read_sample_part(task.record, begin, piece);
    timer.end(ReadPart::kRead);
    hasher.update(piece);
    timer.end(ReadPart::kChecksum);
  }
  return hasher.digest_64();
}

// Fills `encoded`, and `fault` where that is not what was stored. A shard that somebody writes to
// is no sample's fault: it throws.
void read_sample(SampleTask& task, std::span<std::byte> encoded, StreamHasher& hasher,
                 RunTimer& timer, const std::stop_token& stop) try {
  const std::uint64_t digest = read_and_hash(task, encoded, hasher, timer, stop);
  if (digest == task.record.xxh3 || stop.stop_requested()) return;
  task.shard->check_unchanged();
  task.fault = {SampleStatus::kChecksumMismatch, "stored bytes do not match their checksum"};
} catch (const Error& error) {
  throw Error(error.code(),
              "sample " + std::to_string(task.info.sample_id) + " at offset " +
                  std::to_string(task.record.offset_bytes) + ": " + error.what(),
              error.hint(), error.os_error());
}

// Decodes the whole picture into the cache. What lies outside the task's region may be what makes
// that fail, so a failure is not the task's.
bool fill_cached_picture(SampleTask& task, std::span<const std::byte> encoded,
                         std::span<std::byte> scratch, SampleDecoder& decoder,
                         const std::stop_token& stop) {
  const StoredInfo stored = stored_info(task.record);
  const auto whole = decoder.decode(encoded, stored, whole_picture(stored, task.request),
                                    task.cached.bytes, scratch, stop);
  task.cached.is_filled = whole.ok() && is_kept_as_decoded(task, whole.value());
  if (task.cached.is_filled) task.decoded = cached_picture(task);
  return task.cached.is_filled;
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
  if (task.cached.use == CacheUse::kFillPixels &&
      fill_cached_picture(task, encoded, scratch, *decoder, stop)) {
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

ReadTimes read_run(const SampleRun& run, std::span<std::byte> block, ReaderTools& tools,
                   const std::stop_token& stop) {
  RunTimer timer(run);
  const BlockParts parts = divide(run.tasks, block);
  std::size_t decoded_offset = 0;
  for (std::size_t i = 0; i < run.tasks.size(); ++i) {
    if (stop.stop_requested()) break;
    SampleTask& task = run.tasks[i];
    timer.begin_sample(i);
    if (task.cached.use == CacheUse::kPixels) {
      task.decoded = cached_picture(task);
      timer.end(ReadPart::kDecode);
      continue;
    }
    const auto encoded = encoded_place(task, parts);
    if (task.cached.use != CacheUse::kEncoded) {
      read_sample(task, encoded, tools.hasher, timer, stop);
    }
    if (stop.stop_requested()) break;
    if (task.cached.use == CacheUse::kFillEncoded) {
      task.cached.is_filled = task.fault.status == SampleStatus::kOk;
    }
    const auto pixels = parts.decoded.subspan(decoded_offset, task.price.decoded_bytes);
    decoded_offset += align_up(task.price.decoded_bytes);
    if (task.fault.status == SampleStatus::kOk) {
      decode_sample(task, encoded, parts.scratch, pixels, tools.decoders, stop);
    }
    timer.end(ReadPart::kDecode);
  }
  return timer.times();
}

std::span<std::byte> transform_scratch(const SampleRun& run, std::span<std::byte> block) noexcept {
  return divide(run.tasks, block).scratch;
}

}  // namespace penstock
