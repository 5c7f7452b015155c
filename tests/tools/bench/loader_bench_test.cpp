// What a run comes to, and how it is told.
#include "tools/bench/loader_bench.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/contains.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"
#include "tools/bench/bench_sides.h"
#include "tools/bench/loader_bench_report.h"

namespace penstock::tools::bench {
namespace {

using tests::contains;

BOOST_AUTO_TEST_SUITE(loader_bench)

// Three of twelve pictures end half way: whole for a checksum, damaged for a decoder. A round is one
// batch of all twelve.
BOOST_AUTO_TEST_CASE(damaged_pictures_are_counted_on_both_sides_of_a_ratio) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples;
  for (std::uint64_t i = 0; i < 12; ++i) {
    samples.push_back(tests::jpeg_sample(60, 50, i));
    auto& encoded = samples.back().encoded;
    if (i % 4 == 1) encoded.resize(encoded.size() / 2);
  }
  (void)tests::write_small_dataset(folder.path() / "damaged.ds", samples);
  // Whole pictures: a crop might lie above what is missing.
  const auto result = bench_loader({.dataset = folder.path() / "damaged.ds",
                                    .workload = "shift-zoom",
                                    .wish = {.batch_size = 12, .image_side_px = 24},
                                    .memory_bytes = 64u << 20,
                                    .num_threads = 1,
                                    .num_rounds = 1},
                                   [](std::string_view) {});
  BOOST_TEST(result.num_samples == 12u);
  for (const char* name : {"libjpeg-turbo, same crops", "libjpeg-turbo, whole pictures", "decode",
                           "stages in a row", "loader"}) {
    BOOST_TEST(result_named(result.sides, name).num_failed == 3u, name);
  }
  for (const char* name : {"pread", "checksum", "warp"}) {
    BOOST_TEST(result_named(result.sides, name).num_failed == 0u, name);
  }
  BOOST_TEST(result_named(result.sides, "loader").ratio.has_value());
  BOOST_TEST(result.loader_stats.source.num_skipped > 0u);
  BOOST_TEST(contains(loader_bench_text(result), "3 failed"));
}

LoaderBenchResult told_result() {
  return {.dataset_id = "id",
          .split = "train",
          .workload = workload_named("resized-crop", {}),
          .threads = {.num_readers = 2, .num_workers = 2, .num_slots = 4},
          .num_threads = 2,
          .num_rounds = 1,
          .limit_bytes = 64u << 20,
          .notes = {"--samples 10: 8 are measured"},
          .recommended = {.num_readers = 3, .num_workers = 1, .num_slots = 8}};
}

BOOST_AUTO_TEST_CASE(the_recommendation_is_told_in_fields_of_the_configuration) {
  LoaderBenchResult result = told_result();
  BOOST_TEST(
      contains(loader_bench_text(result),
               "recommended: LoaderConfig{.num_readers = 3, .num_workers = 1, .num_slots = 8}"));
  result.recommended = result.threads;
  BOOST_TEST(!contains(loader_bench_text(result), "LoaderConfig"));
}

BOOST_AUTO_TEST_CASE(a_verdict_what_was_drawn_and_notes_are_told) {
  LoaderBenchResult result = told_result();
  // By hand: the worker decoded all the time, the consumer waited for nine tenths of it.
  LoaderStats& stats = result.loader_stats;
  stats.elapsed_us = 1'000'000;
  stats.source.num_batches = 100;
  stats.source.consumer_wait_us = 900'000;
  stats.source.high_water_bytes = 5u << 20;
  stats.decode_busy_us = 990'000;
  stats.augment_busy_us = 10'000;
  stats.depth = {.num_readers = 1, .num_workers = 1, .num_slots = 4};
  const std::string text = loader_bench_text(result);
  BOOST_TEST(contains(text, "verdict: decode is the bottleneck"), text);
  BOOST_TEST(contains(text, "memory: 5.0 MiB drawn"), text);
  BOOST_TEST(contains(text, "note: --samples 10"), text);
  const auto json = nlohmann::json::parse(loader_bench_json(result));
  BOOST_TEST(json["verdict"]["bottleneck"] == "decode");
  BOOST_TEST(json["verdict"]["text"] == verdict(stats).text);
  BOOST_TEST(json["verdict"]["busy_us"]["decode"] == 990'000);
  BOOST_TEST(json["verdict"]["wait_us"]["consumer"] == 900'000);
  BOOST_TEST(json["drawn_bytes"] == 5u << 20);
  BOOST_TEST(json["element"] == "float32");
  BOOST_TEST(json["layout"] == "NCHW");
  BOOST_TEST(json["notes"].size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
