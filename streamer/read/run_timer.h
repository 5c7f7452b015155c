// How long a thread spends on the parts of its work on a run. A look at the clock takes up to 0.1 us,
// a small picture 1 us: so the parts of small samples are timed on one of a run, and stand for the
// others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "streamer/read/sample_run.h"
#include "streamer/read/stage_counters.h"

namespace penstock {

/// Readers do the first two, workers the others.
enum class RunPart : std::uint8_t { kRead, kChecksum, kDecode, kAugment };
inline constexpr std::size_t kNumRunParts = 4;

/// Nanoseconds by RunPart.
using RunTimes = std::array<std::int64_t, kNumRunParts>;

/// The same, added up over runs.
using RunTallies = std::array<Tally, kNumRunParts>;
inline void add_times(const RunTimes& times, RunTallies& tallies) noexcept {
  for (std::size_t part = 0; part < kNumRunParts; ++part) {
    if (times[part] != 0) tallies[part].add(times[part]);
  }
}

/// Times what one thread does with one run.
///
/// Cost  two looks at the clock a run, and three for every sample that is timed
class RunTimer {
 public:
  /// `main_part` is what all of the time was when no sample was timed.
  RunTimer(const SampleRun& run, RunPart main_part) noexcept;

  /// Samples may be left out; of small ones the first that is begun from the chosen one on is timed.
  void begin_sample(std::size_t sample_idx) noexcept {
    is_timed_ = times_all_ || (sample_idx >= chosen_idx_ && !has_timed_);
    if (!is_timed_) return;
    has_timed_ = true;
    last_ns_ = steady_ns();
  }
  /// Ends a part of the sample begun last; a part may come several times.
  void end(RunPart part) noexcept {
    if (!is_timed_) return;
    const std::int64_t now_ns = steady_ns();
    parts_[static_cast<std::size_t>(part)] += now_ns - last_ns_;
    last_ns_ = now_ns;
  }
  /// The time since the timer was made, divided as the timed samples were.
  RunTimes times() const noexcept { return divide(steady_ns() - start_ns_, parts_, main_part_); }

  /// Divides `total_ns` in the proportion of `parts`; all of it is `main_part` when they are 0.
  static RunTimes divide(std::int64_t total_ns, const RunTimes& parts, RunPart main_part) noexcept;

 private:
  std::int64_t start_ns_;
  RunPart main_part_;
  std::int64_t last_ns_ = 0;
  std::size_t chosen_idx_ = 0;
  bool times_all_ = false;
  bool has_timed_ = false;
  bool is_timed_ = false;
  RunTimes parts_{};
};

}  // namespace penstock
