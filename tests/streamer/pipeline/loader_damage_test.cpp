// What damaged data does to a running loader.
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstring>
#include <set>

#include "streamer/core/draws.h"
#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_damage)

const BatchSpec kSpec{.batch = 8, .height_px = 16, .width_px = 16};

void flip_bit(const std::filesystem::path& file, std::uint64_t offset) {
  std::FILE* stream = std::fopen(file.c_str(), "r+b");
  BOOST_REQUIRE(stream != nullptr);
  std::fseek(stream, static_cast<long>(offset), SEEK_SET);
  const int byte = std::fgetc(stream);
  std::fseek(stream, static_cast<long>(offset), SEEK_SET);
  std::fputc(byte ^ 4, stream);
  std::fclose(stream);
}

std::vector<std::vector<float>> pixels_by_id(Loader& loader, std::set<std::uint64_t>& failed) {
  std::vector<std::vector<float>> pixels(60);
  const std::size_t size = kSpec.sample_bytes() / sizeof(float);
  while (const BatchLease lease = loader.next()) {
    for (std::uint32_t i = 0; i < lease->num_valid; ++i) {
      const float* begin = lease->pixels_f32() + i * size;
      pixels[lease->sample_ids[i]].assign(begin, begin + size);
      if (lease->weights[i] == 0.0f) failed.insert(lease->sample_ids[i]);
    }
    for (const SampleEvent& event : lease->events) {
      BOOST_TEST(lease->sample_ids[event.slot_idx] == event.sample_id);
      BOOST_TEST((event.fault.status == SampleStatus::kChecksumMismatch));
      BOOST_TEST(lease->weights[event.slot_idx] == 0.0f);
    }
  }
  return pixels;
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_costs_its_own_sample_and_moves_no_other) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(60));
  MemoryBudget budget(64u << 20);
  const LoaderConfig config{.batch = kSpec, .seed = 4, .num_readers = 2, .max_bad_fraction = 0.5};
  const auto transform = std::make_shared<ResizeTransform>();
  std::set<std::uint64_t> failed_before;
  Loader before(dataset.split("train"), config, transform, budget);
  const auto expected = pixels_by_id(before, failed_before);
  BOOST_TEST(failed_before.empty());

  const std::uint64_t seed = 21;
  BOOST_TEST_MESSAGE("seed " << seed);
  std::set<std::uint64_t> damaged;
  for (std::uint64_t i = 0; i < 8; ++i) {
    const auto words = Draws({.seed = seed, .position = i}).block(0);
    const std::uint64_t id = words[0] % 60;
    if (!damaged.insert(id).second) continue;
    const IndexRecord record = dataset.split("train").record(id);
    flip_bit(folder.path() / "d" / "train-00000.h5",
             record.offset_bytes + words[1] % record.length_bytes);
  }
  std::set<std::uint64_t> failed;
  Loader after(dataset.split("train"), config, transform, budget);
  const auto found = pixels_by_id(after, failed);
  BOOST_TEST((failed == damaged));
  BOOST_TEST(after.stats().num_skipped == damaged.size());
  for (std::uint64_t id = 0; id < 60; ++id) {
    BOOST_TEST_INFO("sample " << id);
    const bool is_damaged = damaged.contains(id);
    const auto zero = std::vector<float>(expected[id].size(), 0.0f);
    BOOST_REQUIRE(found[id] == (is_damaged ? zero : expected[id]));
  }
}

BOOST_AUTO_TEST_CASE(above_the_stated_share_the_epoch_ends_with_a_reason) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(60));
  for (const std::uint64_t id : {3u, 30u}) {
    flip_bit(folder.path() / "d" / "train-00000.h5",
             dataset.split("train").record(id).offset_bytes + 50);
  }
  MemoryBudget budget(64u << 20);
  Loader loader(dataset.split("train"), {.batch = kSpec, .order = SampleOrder::kSequential},
                std::make_shared<ResizeTransform>(), budget);
  // Sample 30 is in the fourth batch; the three before it are whole and are handed out.
  for (int i = 0; i < 3; ++i) BOOST_TEST(static_cast<bool>(loader.next()));
  for (int again = 0; again < 2; ++again) {
    BOOST_CHECK_EXCEPTION(loader.next(), Error, [](const Error& error) {
      return error.code() == ErrorCode::kTooManyBad &&
             std::string(error.what()) ==
                 "epoch 0: failed samples: expected at most 1, found 2 (the last: sample 30, "
                 "checksum "
                 "mismatch: stored bytes do not match their checksum)";
    });
  }
}

BOOST_AUTO_TEST_CASE(a_rank_counts_its_failures_against_its_own_part) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(64));
  for (std::uint64_t id = 0; id < 64; ++id) {
    flip_bit(folder.path() / "d" / "train-00000.h5",
             dataset.split("train").record(id).offset_bytes);
  }
  const DatasetSplit split = dataset.split("train");
  MemoryBudget budget(64u << 20);
  // Rank 0 of 2 delivers 32 samples, all damaged: half of them is 16, passed in its third batch.
  Loader loader(split, {.batch = kSpec, .rank = {.index = 0, .world = 2}, .max_bad_fraction = 0.5},
                std::make_shared<ResizeTransform>(), budget);
  for (int i = 0; i < 2; ++i) BOOST_TEST(static_cast<bool>(loader.next()));
  BOOST_CHECK_EXCEPTION(loader.next(), Error, [](const Error& error) {
    return std::string(error.what())
        .starts_with("epoch 0: failed samples: expected at most 16, found 24 ");
  });
}

BOOST_AUTO_TEST_CASE(a_shard_cut_while_open_ends_the_run_with_its_name_and_place) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(60));
  const DatasetSplit split = dataset.split("train");
  const auto shard = folder.path() / "d" / "train-00000.h5";
  std::filesystem::resize_file(shard, split.record(40).offset_bytes);
  MemoryBudget budget(64u << 20);
  Loader loader(split, {.batch = kSpec}, std::make_shared<ResizeTransform>(), budget);
  BOOST_CHECK_EXCEPTION(while (loader.next()){}, Error, [&](const Error& error) {
    BOOST_TEST_MESSAGE(error.what());
    return error.code() == ErrorCode::kCorruptData &&
           std::string(error.what()).find(shard.string()) != std::string::npos;
  });
}

// FORMAT.md, sections 4 and 6: an unknown codec or a status other than 0 fails that sample.
BOOST_AUTO_TEST_CASE(an_unknown_codec_or_status_costs_its_sample_only) {
  const tests::TemporaryFolder folder;
  auto samples = tests::mixed_samples(10);
  samples[3].record.codec = 200;
  samples[5].record.status = 1;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", samples);
  MemoryBudget budget(64u << 20);
  Loader loader(dataset.split("train"), {.batch = kSpec, .max_bad_fraction = 0.5},
                std::make_shared<ResizeTransform>(), budget);
  std::set<std::uint64_t> failed;
  while (const BatchLease lease = loader.next()) {
    for (const SampleEvent& event : lease->events) {
      failed.insert(event.sample_id);
      BOOST_TEST((event.fault.status == SampleStatus::kUnsupported));
    }
  }
  BOOST_TEST((failed == std::set<std::uint64_t>{3, 5}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
