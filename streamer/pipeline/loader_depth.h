// How many threads, how long runs, how much memory: fixed rules of the settings, the cores and the
// index. Never of a clock or of what happens to be free, so that a run can be told from its
// settings.
#pragma once

#include <cstddef>
#include <cstdint>

#include "streamer/pipeline/loader.h"
#include "streamer/read/sample_costs.h"

namespace penstock {

/// Returns `config` with the numbers of threads that a loader starts: those left to the rule filled
/// in, and no more workers than cores, whatever was asked for. The flow graph takes no more.
///
/// Rule  As many readers as cores, and as many workers: either may turn out to be what costs most,
///       and waiting costs nothing. At most 64 of each.
LoaderConfig with_ruled_threads(LoaderConfig config, std::uint32_t num_cores) noexcept;

/// Bytes for samples in flight when LoaderConfig::work_bytes leaves them to the rule.
///
/// Rule  Two runs a reader, one in its hands and one waiting for it, and one for each worker; at
///       least four. A run is one of average samples, 16 of them but no more than 4 MiB; of small
///       ones, max_run_samples within 512 KiB. Beside them the costliest sample, so that it does not
///       hold up the others. At least 16 MiB, in which runs of small pictures never wait.
std::uint64_t ruled_work_bytes(const LoaderConfig& config, const SampleCosts& costs) noexcept;

/// How long a run may be.
struct RunBounds {
  std::uint32_t max_samples = 1;
  std::size_t max_bytes = 0;
};

/// Cuts short enough that nobody goes without work: the arena holds as many runs as
/// ruled_work_bytes() counts, the batches in flight, one being lent out, two a reader and two a
/// worker. Never below one sample, and never more than a quarter of the arena.
RunBounds run_bounds(const LoaderConfig& config, std::size_t arena_bytes) noexcept;

}  // namespace penstock
