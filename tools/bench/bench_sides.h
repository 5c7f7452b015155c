// What `penstock bench loader` measures, as sides for run_rounds(): the engine, its stages alone,
// and the ceiling of each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/bench/loader_run.h"
#include "tools/bench/rounds.h"
#include "tools/bench/sample_window.h"
#include "tools/bench/stage_workspace.h"
#include "tools/bench/workload.h"

namespace penstock::tools::bench {

/// Names of the sides that the report speaks of.
inline constexpr const char* kLoaderSide = "loader";
inline constexpr const char* kBareDecodeSide = "libjpeg-turbo, same crops";
inline constexpr const char* kBarePadCropSide = "bare kernel loop";

/// What all sides share; must outlive them.
struct BenchSetting {
  Stream stream;
  augment::AugmentConfig augment;
  LoaderThreads threads;
  std::uint32_t num_threads = 1;  // of stages and ceilings
  bool is_cold = false;
  std::shared_ptr<BenchBuffers> buffers;
  /// Figures of the loader's latest run on the clock.
  std::shared_ptr<LoaderStats> loader_stats;
  /// What all stages together are compared with: kBareDecodeSide, kBarePadCropSide, or the decoder.
  std::string loader_ceiling;
  /// False where the loader's cache leaves out what that ceiling does.
  bool is_loader_compared = true;
};

/// Bare pread, libjpeg-turbo alone (when all samples are JPEG), the bare kernel loop (when all are
/// raw and of the batch's sides), memcpy.
std::vector<Side> ceiling_sides(const BenchSetting& setting,
                                const std::shared_ptr<const SampleWindow>& window);

/// pread, checksum, decode, warp, collate, delivery: each alone, on what the one before it made.
std::vector<Side> stage_sides(const BenchSetting& setting,
                              const std::shared_ptr<const SampleWindow>& window);

/// All stages together: in a plain loop without an engine, and the loader.
std::vector<Side> whole_sides(const BenchSetting& setting,
                              const std::shared_ptr<const SampleWindow>& window);

}  // namespace penstock::tools::bench
