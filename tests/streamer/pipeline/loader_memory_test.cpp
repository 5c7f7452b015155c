#include "streamer/pipeline/loader_memory.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/usable_cores.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_memory)

// The index alone is what a plan looks at: a record may claim any size.
tests::SmallSample claimed_jpeg(std::uint32_t side_px, std::uint8_t subsampling,
                                bool is_progressive) {
  tests::SmallSample sample{.encoded = std::vector<std::byte>(100), .record = {}};
  sample.record.width_px = side_px;
  sample.record.height_px = side_px;
  sample.record.subsampling_x = subsampling;
  sample.record.subsampling_y = subsampling;
  sample.record.flags = is_progressive ? kFlagProgressive : 0;
  sample.record.class_idx = 0;
  return sample;
}

struct Fixture {
  DatasetSplit split_of(const std::vector<tests::SmallSample>& samples) const {
    return tests::write_small_dataset(folder.path() / "d", samples).split("train");
  }
  LoaderMemory plan(const DatasetSplit& split, const LoaderConfig& config,
                    std::uint64_t limit_bytes) const {
    return plan_loader_memory(split, config, ResizeTransform(),
                              {.limit_bytes = limit_bytes, .left_bytes = limit_bytes});
  }
  static Error refusal(const LoaderMemory& memory, const LoaderConfig& config) {
    try {
      check_memory(memory, config);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "not refused"};
  }

  tests::TemporaryFolder folder;
};

BOOST_FIXTURE_TEST_CASE(the_lines_are_what_a_loader_draws_and_end_with_the_limit, Fixture) {
  const DatasetSplit split = split_of(tests::mixed_samples(30));
  const LoaderConfig config{.batch = {.batch = 4, .height_px = 16, .width_px = 16}};
  MemoryBudget budget(40u << 20);
  const LoaderMemory memory = plan_loader_memory(split, config, ResizeTransform(), budget.room());
  const Loader loader(split, config, std::make_shared<ResizeTransform>(), budget);
  BOOST_TEST(memory.total_bytes() == budget.used_bytes());
  std::uint64_t sum = 0;
  const std::vector<MemoryLine> lines = memory_lines(memory, config);
  for (const MemoryLine& line : lines) {
    if (line.what != "limit") sum += line.bytes;
  }
  BOOST_TEST(sum == budget.limit_bytes());
  BOOST_TEST(lines.back().bytes == budget.limit_bytes());
  BOOST_TEST(lines[1].bytes == split.shards_bytes());
  BOOST_TEST(lines[1].detail == "1 file open, and what the manifest says of each and of 2 classes");
  BOOST_CHECK_NO_THROW(check_memory(memory, config));
}

// More workers than most machines have cores: the loader starts fewer, and so says the plan.
BOOST_FIXTURE_TEST_CASE(a_plan_counts_the_threads_that_the_loader_starts, Fixture) {
  const DatasetSplit split = split_of(tests::mixed_samples(30));
  const LoaderConfig config{
      .batch = {.batch = 4, .height_px = 16, .width_px = 16}, .num_readers = 3, .num_workers = 256};
  MemoryBudget budget(256u << 20);
  const LoaderMemory memory = plan_loader_memory(split, config, ResizeTransform(), budget.room());
  const Loader loader(split, config, std::make_shared<ResizeTransform>(), budget);
  const LoaderDepth depth = loader.detailed_stats().depth;
  BOOST_TEST(memory.total_bytes() == budget.used_bytes());
  BOOST_TEST(memory.work_bytes == depth.work_bytes);
  BOOST_TEST(depth.num_workers == std::min(num_usable_cores(), 256u));
  const std::string threads = std::to_string(depth.num_readers + depth.num_workers + 1);
  BOOST_TEST(memory_lines(memory, config)[3].detail.ends_with(" of " + threads + " threads"));
}

// The nearest settings are checked by trying them, and the next ones, as loaders.
BOOST_FIXTURE_TEST_CASE(what_does_not_fit_is_refused_with_the_nearest_settings_that_do, Fixture) {
  const DatasetSplit split = split_of(tests::mixed_samples(30));
  const std::uint64_t limit_bytes = 12u << 20;
  const LoaderConfig config{.batch = {.batch = 48, .height_px = 64, .width_px = 64},
                            .num_slots = 6};
  const LoaderMemory memory = plan(split, config, limit_bytes);
  BOOST_REQUIRE(!memory.fits(config));
  const NearestFit nearest = nearest_fit(memory, config);
  BOOST_REQUIRE(nearest.batch.has_value());
  BOOST_REQUIRE(nearest.num_slots.has_value());
  const auto starts = [&](const LoaderConfig& other, std::uint64_t limit) {
    MemoryBudget budget(limit);
    try {
      return bool{Loader(split, other, std::make_shared<ResizeTransform>(), budget).next()};
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
      return false;
    }
  };
  LoaderConfig other = config;
  for (const std::uint32_t more : {0u, 1u}) {
    BOOST_TEST_CONTEXT(more << " more") {
      other = config;
      other.batch.batch = *nearest.batch + more;
      BOOST_TEST(starts(other, limit_bytes) == (more == 0));
      other = config;
      other.num_slots = *nearest.num_slots + more;
      BOOST_TEST(starts(other, limit_bytes) == (more == 0));
      BOOST_TEST(starts(config, nearest.limit_bytes - more * (1u << 20)) == (more == 0));
    }
  }
  const Error error = refusal(memory, config);
  const std::string what = error.what();
  for (const char* part :
       {"memory limit: loader: expected at most 12.0 MiB, found ", "index ", " + fixed ",
        " + batch ring ", "6 batches of 48 x 64 x 64 x 3", " + samples in flight "}) {
    BOOST_TEST(what.find(part) != std::string::npos, part << " in " << what);
  }
  BOOST_TEST(error.hint() == "raise the memory limit (--memory) to " +
                                 std::to_string(nearest.limit_bytes >> 20) +
                                 "M, or lower the batch size to " + std::to_string(*nearest.batch) +
                                 ", or num_slots to " + std::to_string(*nearest.num_slots));
}

BOOST_FIXTURE_TEST_CASE(a_limit_that_fits_nothing_has_no_batch_to_offer, Fixture) {
  const DatasetSplit split = split_of(tests::mixed_samples(30));
  for (const std::uint64_t limit_bytes : {0u, 1u, 4096u}) {
    const LoaderMemory memory = plan(split, {}, limit_bytes);
    BOOST_TEST(!nearest_fit(memory, {}).batch.has_value());
    BOOST_TEST(refusal(memory, {}).hint().starts_with("raise the memory limit (--memory) to "));
  }
}

// 100 million pixels at scale 1/8 are 1,250 x 1,250; all coefficients are 2 bytes each, 1.5 or 3 a
// pixel.
BOOST_FIXTURE_TEST_CASE(a_large_baseline_picture_fits_and_a_progressive_one_is_refused, Fixture) {
  const LoaderConfig config{.batch = {.batch = 32, .height_px = 224, .width_px = 224}};
  const std::uint64_t limit_bytes = 256u << 20;
  for (const std::uint8_t subsampling : {std::uint8_t{1}, std::uint8_t{2}}) {
    for (const bool is_progressive : {false, true}) {
      const DatasetSplit split = split_of(
          {claimed_jpeg(300, 2, false), claimed_jpeg(10'000, subsampling, is_progressive)});
      const LoaderMemory memory = plan(split, config, limit_bytes);
      std::filesystem::remove_all(folder.path() / "d");
      BOOST_TEST_CONTEXT("subsampling " << +subsampling << ", progressive " << is_progressive) {
        BOOST_TEST(memory.fits(config) == !is_progressive);
        if (!is_progressive) {
          BOOST_TEST(memory.costliest.bytes < 10u << 20);
          continue;
        }
        BOOST_TEST(memory.costliest.bytes >= (subsampling == 1 ? 600'000'000u : 300'000'000u));
        const Error error = refusal(memory, config);
        BOOST_TEST(std::string(error.what()).find("sample 1, 10000 x 10000 px in several scans") !=
                   std::string::npos);
        BOOST_TEST(
            error.hint().starts_with("convert the source again with --optimize-crops, after "
                                     "which no sample takes more than about "));
      }
    }
  }
}

// All its rows are held at once, and no conversion makes a baseline JPEG of it.
BOOST_FIXTURE_TEST_CASE(an_interlaced_png_too_large_is_not_told_to_be_rewritten, Fixture) {
  tests::SmallSample png = claimed_jpeg(10'000, 1, true);
  png.record.codec = static_cast<std::uint8_t>(Codec::kPng);
  const LoaderConfig config{.batch = {.batch = 4, .height_px = 64, .width_px = 64}};
  const LoaderMemory memory = plan(split_of({png}), config, 64u << 20);
  BOOST_TEST(memory.costliest.bytes_if_baseline == memory.costliest.bytes);
  const Error error = refusal(memory, config);
  BOOST_TEST(
      std::string(error.what()).find("sample 0, 10000 x 10000 px interlaced)") != std::string::npos,
      error.what());
  BOOST_TEST(error.hint().find("--optimize-crops") == std::string::npos, error.hint());
}

// With work_bytes set, smaller pictures leave the sum as it is.
BOOST_FIXTURE_TEST_CASE(rewriting_pictures_is_no_hint_where_the_setting_is_what_is_too_much,
                        Fixture) {
  const DatasetSplit split = split_of({claimed_jpeg(300, 2, false), claimed_jpeg(4000, 2, true)});
  LoaderConfig config{.batch = {.batch = 4, .height_px = 64, .width_px = 64}};
  const LoaderMemory by_rule = plan(split, config, 16u << 20);
  BOOST_REQUIRE(by_rule.costliest.bytes_if_baseline + (8u << 20) < by_rule.costliest.bytes);
  const char* rewrite = "convert the source again with --optimize-crops";
  BOOST_TEST(refusal(by_rule, config).hint().starts_with(rewrite));
  config.work_bytes = by_rule.costliest.bytes + (1u << 20);
  const std::uint64_t least_bytes = plan(split, config, 16u << 20).least_bytes(config);
  const Error error = refusal(plan(split, config, least_bytes - 4096), config);
  BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
  BOOST_TEST(error.hint().find(rewrite) == std::string::npos, error.hint());
  BOOST_CHECK_NO_THROW(check_memory(plan(split, config, least_bytes), config));
}

BOOST_FIXTURE_TEST_CASE(work_bytes_below_the_costliest_sample_are_refused, Fixture) {
  const DatasetSplit split = split_of({claimed_jpeg(640, 2, false)});
  LoaderConfig config{.batch = {.batch = 4, .height_px = 64, .width_px = 64}};
  const std::size_t costliest = plan(split, config, 64u << 20).costliest.bytes;
  config.work_bytes = costliest;
  BOOST_CHECK_NO_THROW(check_memory(plan(split, config, 64u << 20), config));
  config.work_bytes = costliest - 1;
  const Error error = refusal(plan(split, config, 64u << 20), config);
  BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
  const SizeTexts size = format_bytes_apart(costliest, costliest - 1);
  BOOST_TEST(std::string(error.what()) ==
             "memory limit: samples in flight: expected at least " + size.needed +
                 " (the costliest: sample 0, 640 x 640 px), found work_bytes of " + size.there);
}

BOOST_FIXTURE_TEST_CASE(statistics_tell_the_most_that_was_drawn_and_was_in_flight, Fixture) {
  const DatasetSplit split = split_of(tests::mixed_samples(60));
  MemoryBudget budget(64u << 20);
  Loader loader(split, {.batch = {.batch = 4, .height_px = 16, .width_px = 16}},
                std::make_shared<ResizeTransform>(), budget);
  while (loader.next()) {
  }
  const SourceStats stats = loader.stats();
  BOOST_TEST(stats.high_water_bytes == budget.high_water_bytes());
  BOOST_TEST(stats.in_flight_limit_bytes >= stats.in_flight_high_water_bytes);
  BOOST_TEST(
      stats.in_flight_high_water_bytes >=
      plan_loader_memory(split, {.batch = loader.spec()}, ResizeTransform(), {}).costliest.bytes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
