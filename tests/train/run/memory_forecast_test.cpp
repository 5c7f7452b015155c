// The memory plan beside what the kernel counts: of the arena alone, and of a run from end to end.
#include <boost/test/unit_test.hpp>

#include <iostream>
#include <optional>
#include <string_view>

#include "tests/sanitizer.h"
#include "tests/train/run/held_memory.h"
#include "tests/train/run/tiny_run.h"
#include "train/backend/backend.h"
#include "train/loop/program_set.h"
#include "train/run/network/run_model.h"

namespace penstock::train {
namespace {

using tests::status_bytes;

constexpr std::uint64_t kMiB = 1u << 20;

constexpr std::uint32_t kArenaBatch = 8;  // reference keeps every value, in double

/// 16 tensors of 4 MiB in 0.2 GB and little to compute: what held all weights a second time would show.
RunConfig heavy(const tests::TinyRun& place) {
  RunConfig heavy = place.config();
  heavy.model_layers = "[[layer]]\ntype = \"global_avg_pool\"\n";
  for (int i = 0; i < 17; ++i) {
    heavy.model_layers += "[[layer]]\ntype = \"dense\"\nunits = 1024\nactivation = \"relu\"\n";
  }
  heavy.model_layers += "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
  heavy.optimizer.learning_rate = 1e-4;
  heavy.epochs = 2;
  heavy.memory_bytes = 1024 * kMiB;
  return heavy;
}

/// Values of 32 samples of 96 x 96 pixels in 64 channels, 72 MiB each, and little to compute: 378 MB in all,
/// beside which what loaders keep ready for larger pictures weighs little.
RunConfig wide(const tests::TinyRun& place) {
  RunConfig wide = place.config();
  wide.model_layers =
      "[[layer]]\ntype = \"conv2d\"\nfilters = 64\nkernel = 1\n[[layer]]\ntype = \"batch_norm\"\n"
      "[[layer]]\ntype = \"relu\"\n[[layer]]\ntype = \"conv2d\"\nfilters = 64\nkernel = 1\n"
      "[[layer]]\ntype = \"batch_norm\"\n[[layer]]\ntype = \"relu\"\n"
      "[[layer]]\ntype = \"conv2d\"\nfilters = 64\nkernel = 1\n"
      "[[layer]]\ntype = \"global_avg_pool\"\n"
      "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
  wide.image_height_px = wide.image_width_px = 96;
  wide.batch_size = 32;
  wide.epochs = 2;
  wide.memory_bytes = 1024 * kMiB;
  return wide;
}

bool cannot_be_measured() {
  if (penstock::tests::kHasSanitizer) {
    std::cout << "SKIPPED: resident memory: sanitizers hold some of their own\n";
    return true;
  }
  if (!tests::reset_peak()) {
    std::cout << "SKIPPED: peak of resident memory: this system does not reset it\n";
    return true;
  }
  return false;
}

void check_within(std::uint64_t held, std::uint64_t planned, double share) {
  BOOST_TEST_MESSAGE("planned " << planned << " bytes, held " << held);
  BOOST_TEST(static_cast<double>(held) >= (1 - share) * static_cast<double>(planned));
  BOOST_TEST(static_cast<double>(held) <= (1 + share) * static_cast<double>(planned));
}

struct RunPeak {
  std::uint64_t planned = 0;
  std::uint64_t held = 0;
};

/// The table of a run's memory beside what the process came to hold; nothing where that cannot be measured.
std::optional<RunPeak> peak_of(const RunConfig& config, tests::TinyRun& place) {
  RunPeak peak;
  place.watcher.at_start = [&](const RunOverview& overview) {
    for (const MemoryRow& row : overview.memory) {
      if (row.what != "left" && row.what != "limit") peak.planned += row.bytes;
    }
  };
  if (cannot_be_measured()) return std::nullopt;
  const std::uint64_t before = status_bytes("VmRSS");
  train_run(config, place.watcher, place.stop.get_token());
  peak.held = status_bytes("VmHWM") - before;
  return peak;
}

BOOST_AUTO_TEST_SUITE(memory_forecast)

BOOST_AUTO_TEST_CASE(an_arena_is_resident_from_the_start_as_large_as_planned) {
  const tests::TinyRun place;
  const ModelGraph graph = build_run_model(wide(place), 3, 2);
  for (const std::string_view name : backend_names()) {
    const auto backend = make_backend(name, {.num_threads = 1});
    ProgramSet programs(*backend, graph,
                        {.train_batch = kArenaBatch, .evaluation_batch = kArenaBatch});
    BOOST_REQUIRE(programs.plan().arena_bytes > 64 * kMiB);
    if (cannot_be_measured()) return;
    const std::uint64_t before = status_bytes("VmRSS");
    programs.bind();
    BOOST_TEST_CONTEXT(name) {
      check_within(status_bytes("VmRSS") - before, programs.plan().arena_bytes, 0.03);
    }
  }
}

// A run of a tiny network before brings in the code of the libraries, which is the same whatever is planned.
BOOST_AUTO_TEST_CASE(a_run_holds_at_its_peak_what_was_forecast) {
  tests::TinyRun warm_up;
  warm_up.run();
  tests::TinyRun place;
  const std::optional<RunPeak> peak = peak_of(wide(place), place);
  if (peak) check_within(peak->held, peak->planned, 0.10);
}

// With all weights beside the network it would be 64 MiB more, a quarter of what is planned. Batches that the
// loader may hold and never needs are the difference.
BOOST_AUTO_TEST_CASE(a_run_of_many_weights_holds_no_more_than_was_forecast) {
  tests::TinyRun warm_up;
  warm_up.run();
  tests::TinyRun place;
  const std::optional<RunPeak> peak = peak_of(heavy(place), place);
  if (!peak) return;
  BOOST_TEST_MESSAGE("planned " << peak->planned << " bytes, held " << peak->held);
  BOOST_TEST(peak->held <= peak->planned);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
