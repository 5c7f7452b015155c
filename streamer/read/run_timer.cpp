#include "streamer/read/run_timer.h"

namespace penstock {
namespace {

// A raw sample of this size takes about 20 us to read and check, and as long to copy and augment;
// three looks at the clock are 2 % of that at worst, and a JPEG decode of it a hundred times longer.
constexpr std::uint64_t kLargeSampleBytes = 64u << 10;

std::uint64_t encoded_bytes(const SampleRun& run) noexcept {
  std::uint64_t bytes = 0;
  for (const SampleTask& task : run.tasks) bytes += task.record.length_bytes;
  return bytes;
}

}  // namespace

RunTimer::RunTimer(const SampleRun& run, RunPart main_part) noexcept
    : start_ns_(steady_ns()), main_part_(main_part) {
  const std::size_t count = run.tasks.size();
  if (count == 0) return;
  times_all_ = encoded_bytes(run) >= kLargeSampleBytes * count;
  // Another place each time: the first of a run finds colder caches than the rest.
  chosen_idx_ = (run.batch_seq + run.first_place / count) % count;
}

RunTimes RunTimer::divide(std::int64_t total_ns, const RunTimes& parts,
                          RunPart main_part) noexcept {
  std::int64_t sum = 0;
  for (const std::int64_t part : parts) sum += part;
  RunTimes times{};
  if (sum <= 0) {
    times[static_cast<std::size_t>(main_part)] = total_ns;
    return times;
  }
  for (std::size_t part = 0; part < kNumRunParts; ++part) {
    times[part] =
        static_cast<std::int64_t>(static_cast<double>(total_ns) * static_cast<double>(parts[part]) /
                                  static_cast<double>(sum));
  }
  return times;
}

}  // namespace penstock
