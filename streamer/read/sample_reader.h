// Reads, verifies and decodes the samples of one run. What data does wrong is noted in the task;
// what the disk does wrong is thrown.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "streamer/read/decoder_set.h"
#include "streamer/read/sample_run.h"

namespace penstock {

/// Reads the encoded bytes of sample `sample_id` into `bytes` (record.length_bytes of them). Returns
/// whether they match their checksum.
///
/// Errors  Io; CorruptData (shard cut short or written to while open); naming sample, shard, offset
bool read_verified(const ShardFile& shard, const IndexRecord& record, std::uint64_t sample_id,
                   std::span<std::byte> bytes);

/// Fills `decoded` or `fault` of every task of `run`, using `block` as RunLayout divides it.
///
/// Errors  as read_verified()
void read_run(const SampleRun& run, std::span<std::byte> block, DecoderSet& decoders,
              const std::stop_token& stop);

/// The part of a run's block that the transform may scribble on.
std::span<std::byte> transform_scratch(const SampleRun& run, std::span<std::byte> block) noexcept;

}  // namespace penstock
