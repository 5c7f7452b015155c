// Reads, verifies and decodes the samples of one run. What data does wrong is noted in the task;
// what the disk does wrong is thrown.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "streamer/core/checksum.h"
#include "streamer/read/decoder_set.h"
#include "streamer/read/run_timer.h"
#include "streamer/read/sample_run.h"

namespace penstock {

/// What a reader thread owns: decoders and a hasher, kept from run to run.
struct ReaderTools {
  DecoderSet decoders;
  StreamHasher hasher;
};

/// Fills `decoded` or `fault` of every task of `run`, using `block` as RunLayout divides it, and
/// returns how long the parts of that took.
///
/// Errors  Io; CorruptData (shard cut short or written to while open); naming sample, shard, offset
/// Stop    looked for between samples, between pieces of 256 KiB of a long one, and by the
///         decoders; the run is then left half done
ReadTimes read_run(const SampleRun& run, std::span<std::byte> block, ReaderTools& tools,
                   const std::stop_token& stop);

/// The part of a run's block that the transform may scribble on.
std::span<std::byte> transform_scratch(const SampleRun& run, std::span<std::byte> block) noexcept;

}  // namespace penstock
