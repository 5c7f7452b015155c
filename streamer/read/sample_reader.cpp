#include "streamer/read/sample_reader.h"

#include <algorithm>
#include <string>

#include "streamer/core/error.h"
#include "streamer/read/run_layout.h"

namespace penstock {
namespace {

// Bytes read and checked between looks at the stop token: 25 ms on a disk of 10 MB/s.
constexpr std::size_t kPieceBytes = 256u << 10;

// Reads a sample and returns its checksum. Each piece of a long one is hashed while it is in the
// cache. After a stop the rest is left out and the checksum means nothing.
std::uint64_t read_and_hash(const SampleTask& task, std::span<std::byte> encoded,
                            StreamHasher& hasher, RunTimer& timer, const std::stop_token& stop) {
  if (encoded.size() <= kPieceBytes) {
    task.shard->read_sample(task.record, encoded);
    timer.end(RunPart::kRead);
    const std::uint64_t digest = xxh3_64(encoded);
    timer.end(RunPart::kChecksum);
    return digest;
  }
  hasher.reset();
  for (std::size_t begin = 0; begin < encoded.size() && !stop.stop_requested();
       begin += kPieceBytes) {
    const auto piece = encoded.subspan(begin, std::min(kPieceBytes, encoded.size() - begin));
    task.shard->read_sample_part(task.record, begin, piece);
    timer.end(RunPart::kRead);
    hasher.update(piece);
    timer.end(RunPart::kChecksum);
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

}  // namespace

RunTimes read_run(const SampleRun& run, std::span<std::byte> block, StreamHasher& hasher,
                  const std::stop_token& stop) {
  RunTimer timer(run, RunPart::kRead);
  RunParts parts(run.tasks, block);
  for (std::size_t i = 0; i < run.tasks.size() && !stop.stop_requested(); ++i) {
    SampleTask& task = run.tasks[i];
    const auto encoded = parts.next_encoded(task);
    if (is_cached(task)) continue;
    timer.begin_sample(i);
    read_sample(task, encoded, hasher, timer, stop);
    if (stop.stop_requested()) break;
    if (task.cached.use == CacheUse::kFillEncoded) {
      task.cached.is_filled = task.fault.status == SampleStatus::kOk;
    }
  }
  return timer.times();
}

}  // namespace penstock
