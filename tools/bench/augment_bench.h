// Measures each operation of augment on one thread: every vector unit, OpenCV's chain of steps and a
// copy of the output, in turn.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "streamer/core/batch.h"
#include "tools/bench/augment_rows.h"
#include "tools/bench/rounds.h"

namespace penstock::tools::bench {

inline constexpr const char* kOpencvSide = "OpenCV";
inline constexpr const char* kCopySide = "memcpy of the output";
inline constexpr const char* kPlanSide = "plan";

struct AugmentBenchConfig {
  /// The row to measure; empty: all.
  std::string row = {};
  /// The vector unit to measure; empty: each of this machine.
  std::string simd = {};
  PixelLayout layout = PixelLayout::kNchw;
  /// Places that are written in turn, from 1 on: 1 stays in the cache, 64 of 224 x 224 do not.
  std::uint32_t batch = 1;
  std::uint32_t num_rounds = 31;
};

/// Sides: `plan`, the copy, OpenCV where the row has a chain, then one for each vector unit, the widest
/// first, compared with kOpencvSide; then base_side() of each, where the row stands on another.
/// CPU time is of the measuring thread.
struct AugmentRowResult {
  AugmentRow row;
  std::vector<std::string> targets;
  std::vector<SideResult> sides;

  /// CPU time of a sample, median.
  double cpu_us(const std::string& side) const { return result_named(sides, side).cpu_us.median; }

  /// The side of the row that this one stands on.
  std::string base_side(const std::string& target) const {
    return target + ", " + std::string(row.on_top_of);
  }
  /// What it takes more than that one.
  double more_us(const std::string& target) const {
    return cpu_us(target) - cpu_us(base_side(target));
  }
};

struct AugmentBenchResult {
  AugmentBenchConfig config;
  std::vector<AugmentRowResult> rows;
};

/// Gives the choice of the vector unit back at its end.
///
/// Errors   InvalidArgument when a name is unknown or this machine lacks the vector unit
/// Threads  no other may sample pictures meanwhile
AugmentBenchResult bench_augment(const AugmentBenchConfig& config);

}  // namespace penstock::tools::bench
