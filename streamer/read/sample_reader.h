// Reads and verifies the samples of one run. What data does wrong is noted in the task; what the
// disk does wrong is thrown.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "streamer/core/checksum.h"
#include "streamer/read/run_timer.h"
#include "streamer/read/sample_run.h"

namespace penstock {

/// Fills the stored bytes of every task of `run` that the cache does not have, in `block` as
/// RunParts divides it, or `fault`; returns how long the parts of that took.
///
/// Errors  Io; CorruptData (shard cut short or written to while open); naming sample, shard, offset
/// Stop    looked for between samples and between pieces of 256 KiB of a long one; the run is then
///         left half done
RunTimes read_run(const SampleRun& run, std::span<std::byte> block, StreamHasher& hasher,
                  const std::stop_token& stop);

}  // namespace penstock
