// What a run comes to, and how it is told.
#include "tools/bench/loader_bench.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "streamer/core/error.h"
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
                                    .num_rounds = 1,
                                    .num_samples = 12},
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

// A dataset of which each test makes its own pictures, streamed in one round.
LoaderBenchResult bench_of(const std::vector<tests::SmallSample>& samples,
                           LoaderBenchConfig config) {
  const tests::TemporaryFolder folder;
  config.dataset = folder.path() / "some.ds";
  (void)tests::write_small_dataset(config.dataset, samples);
  config.num_threads = 1;
  config.num_rounds = 1;
  return bench_loader(config, [](std::string_view) {});
}

// Pictures of which every draw asks for the same decode scale: one epoch brings all of them.
BOOST_AUTO_TEST_CASE(a_cache_that_holds_all_serves_all_of_the_clock) {
  std::vector<tests::SmallSample> samples;
  for (std::uint64_t i = 0; i < 12; ++i) samples.push_back(tests::jpeg_sample(64, 64, i));
  for (const CacheForm form : {CacheForm::kEncoded, CacheForm::kDecoded}) {
    const std::string name(cache_form_name(form));
    const auto result = bench_of(
        samples, {.dataset = {},
                  .workload = "shift-zoom",
                  .wish = {.batch_size = 4, .image_side_px = 24, .layout = PixelLayout::kNhwc},
                  .memory_bytes = 64u << 20,
                  .num_samples = 96,
                  .cache = form});
    const CacheStats& cache = result.loader_stats.cache;
    BOOST_TEST(cache.num_kept == 12u, name);
    BOOST_TEST(cache.num_places > 0u, name);
    BOOST_TEST(cache.num_hits == cache.num_places, name);
    // Nothing was read on the clock, and with pictures decoded nothing was decoded.
    BOOST_TEST(result.loader_stats.checksum_busy_us == 0u, name);
    const SideResult& loader = result_named(result.sides, "loader");
    BOOST_TEST(loader.ratio.has_value() == (form == CacheForm::kEncoded), name);
    BOOST_TEST(loader.ceiling == (form == CacheForm::kEncoded ? kBareDecodeSide : ""), name);
    BOOST_TEST(result_named(result.sides, "stages in a row").ceiling == kBareDecodeSide, name);
    const std::string text = loader_bench_text(result);
    BOOST_TEST(contains(text, name + " cache: 12 pictures in "), text);
    BOOST_TEST(contains(text, "100 % of "), text);
    BOOST_TEST(contains(text, "--cache " + name + ": filled by 1 epoch before each clock"), text);
    const bool is_excused = text.find("note: no ratio of the loader") != std::string::npos;
    BOOST_TEST(is_excused == (form == CacheForm::kDecoded), text);
    BOOST_TEST(contains(text, "float32 NHWC"), text);
    const auto json = nlohmann::json::parse(loader_bench_json(result));
    BOOST_TEST(json["cache"]["form"] == name);
    BOOST_TEST(json["cache"]["num_hits"] == cache.num_hits);
    BOOST_TEST(json["cache"]["num_places"] == cache.num_places);
    BOOST_TEST(json["layout"] == "NHWC");
  }
}

// 36 MB of raw pictures, of which the loader has room for some.
BOOST_AUTO_TEST_CASE(a_cache_too_small_for_all_serves_its_share) {
  const std::vector<tests::SmallSample> samples(300, tests::raw_sample(200, 200, 1));
  const auto result = bench_of(samples, {.dataset = {},
                                         .workload = "shift-zoom",
                                         .wish = {.batch_size = 10, .image_side_px = 24},
                                         .memory_bytes = 40u << 20,
                                         .cache = CacheForm::kEncoded});
  const CacheStats& cache = result.loader_stats.cache;
  const double kept = static_cast<double>(cache.num_kept) / 300;
  const double served = static_cast<double>(cache.num_hits) / static_cast<double>(cache.num_places);
  BOOST_TEST_MESSAGE("kept " << kept << ", served " << served);
  BOOST_TEST(kept > 0.1);
  BOOST_TEST(kept < 0.9);
  // An epoch in another order: each sample is there once, the clock begins a little after.
  BOOST_TEST(std::abs(served - kept) < 0.15);
}

BOOST_AUTO_TEST_CASE(a_cache_without_room_is_told_and_nothing_else_changes) {
  const auto result =
      bench_of(tests::mixed_samples(12), {.dataset = {},
                                          .workload = "shift-zoom",
                                          .wish = {.batch_size = 4, .image_side_px = 24},
                                          .memory_bytes = 20u << 20,
                                          .cache = CacheForm::kDecoded});
  const std::string text = loader_bench_text(result);
  BOOST_TEST(contains(text, "--cache decoded: no room for a cache within 20.0 MiB"), text);
  BOOST_TEST(!contains(text, "decoded cache:"), text);
  BOOST_TEST(result_named(result.sides, "loader").ratio.has_value());
  BOOST_TEST(nlohmann::json::parse(loader_bench_json(result))["cache"].is_null());
}

BOOST_AUTO_TEST_CASE(a_cold_clock_and_a_cache_are_refused_together) {
  BOOST_CHECK_EXCEPTION(
      bench_of(tests::mixed_samples(4),
               {.dataset = {}, .is_cold = true, .cache = CacheForm::kEncoded}),
      Error, [](const Error& error) {
        return error.code() == ErrorCode::kInvalidArgument &&
               std::string(error.what()) ==
                   "bench: --cold: expected --cache none, found encoded: the shards are read "
                   "before "
                   "the clock starts, to fill the cache";
      });
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
  result.num_rounds = 3;
  BOOST_TEST(
      contains(loader_bench_text(result),
               "recommended: LoaderConfig{.num_readers = 3, .num_workers = 1, .num_slots = 8}"));
  result.recommended = result.threads;
  BOOST_TEST(contains(loader_bench_text(result), "recommended: as measured"));
  BOOST_TEST(!contains(loader_bench_text(result), "LoaderConfig"));
  BOOST_TEST(nlohmann::json::parse(loader_bench_json(result))["recommended"]["num_readers"] == 2);
}

BOOST_AUTO_TEST_CASE(fewer_than_three_rounds_recommend_nothing) {
  LoaderBenchResult result = told_result();
  result.num_rounds = 2;
  BOOST_TEST(!contains(loader_bench_text(result), "recommended:"));
  BOOST_TEST(nlohmann::json::parse(loader_bench_json(result))["recommended"].is_null());
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
