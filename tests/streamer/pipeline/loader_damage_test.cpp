// What damaged data does to a running loader.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <set>

#include "streamer/core/draws.h"
#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "streamer/shard/shard_file.h"
#include "tests/streamer/pipeline/seen_place.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_damage)

const BatchSpec& kSpec = tests::kSeenSpec;
using tests::SeenPlace;
using tests::stream_epoch;

void flip_bit(const std::filesystem::path& file, std::uint64_t offset) {
  std::FILE* stream = std::fopen(file.c_str(), "r+b");
  BOOST_REQUIRE(stream != nullptr);
  std::fseek(stream, static_cast<long>(offset), SEEK_SET);
  const int byte = std::fgetc(stream);
  std::fseek(stream, static_cast<long>(offset), SEEK_SET);
  std::fputc(byte ^ 4, stream);
  std::fclose(stream);
}

std::vector<tests::SmallSample> jpegs_and_raws() {
  std::vector<tests::SmallSample> samples = tests::mixed_samples(40);
  for (std::uint32_t i = 0; i < 20; ++i) samples.push_back(tests::raw_sample(9 + i, 7, i));
  return samples;
}

// Flips 1 to 24 bits, several to a sample now and then. Returns the samples struck.
std::set<std::uint64_t> flip_bits(const DatasetSplit& split, std::uint64_t seed) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> flipped;  // no bit twice: that would mend it
  std::set<std::uint64_t> struck;
  const std::uint64_t num_flips = 1 + Draws({.seed = seed}).block(0)[0] % 24;
  while (flipped.size() < num_flips) {
    const auto words = Draws({.seed = seed, .position = 1 + flipped.size()}).block(0);
    const std::uint64_t id = words[0] % split.num_samples();
    const IndexRecord record = split.record(id);
    const std::uint64_t offset = record.offset_bytes + words[1] % record.length_bytes;
    if (!flipped.emplace(id, offset).second) break;
    flip_bit(split.shard_of(id).path(), offset);
    struck.insert(id);
  }
  return struck;
}

// The whole epoch with every damage undone is what it is compared with, place by place.
BOOST_AUTO_TEST_CASE(flipped_bits_cost_their_own_samples_and_move_no_other) {
  const tests::TemporaryFolder folder;
  const auto samples = jpegs_and_raws();
  const DatasetSplit whole =
      tests::write_small_dataset(folder.path() / "whole", samples, 25).split("train");
  const std::vector<SeenPlace> expected = stream_epoch(whole, 1);
  BOOST_REQUIRE(expected.size() == 60u);
  const std::vector<float> zero(kSpec.sample_bytes() / sizeof(float), 0.0f);
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    const auto path = folder.path() / std::to_string(seed);
    const Dataset dataset = tests::write_small_dataset(path, samples, 25);
    const std::set<std::uint64_t> struck = flip_bits(dataset.split("train"), seed);
    for (const std::uint32_t num_threads : {1u, 2u, 8u}) {
      const std::vector<SeenPlace> found = stream_epoch(dataset.split("train"), num_threads);
      BOOST_REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        BOOST_TEST_CONTEXT("seed " << seed << ", " << num_threads << " threads, place " << i) {
          const SeenPlace& was = expected[i];
          const SeenPlace& is = found[i];
          const bool is_struck = struck.contains(was.sample_id);
          BOOST_TEST(was.weight == 1.0f);
          BOOST_TEST(is.sample_id == was.sample_id);
          BOOST_TEST(is.position == was.position);
          BOOST_TEST(is.class_idx == was.class_idx);
          BOOST_TEST(is.weight == (is_struck ? 0.0f : 1.0f));
          BOOST_TEST((is.pixels == (is_struck ? zero : was.pixels)));
          BOOST_TEST(is.events.size() == (is_struck ? 1u : 0u));
          if (is_struck) BOOST_TEST((is.events.at(0).status == SampleStatus::kChecksumMismatch));
        }
      }
    }
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

BOOST_AUTO_TEST_CASE(a_shard_cut_while_open_ends_the_run_with_sample_name_and_place) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(60));
  const DatasetSplit split = dataset.split("train");
  const auto shard = folder.path() / "d" / "train-00000.h5";
  const std::uint64_t cut_at_bytes = split.record(40).offset_bytes;
  MemoryBudget budget(64u << 20);
  // Without end: whatever was read ahead before the cut, sample 40 is wanted after it.
  Loader loader(split, {.batch = kSpec, .num_epochs = {}}, std::make_shared<ResizeTransform>(),
                budget);
  std::filesystem::resize_file(shard, cut_at_bytes);
  BOOST_CHECK_EXCEPTION(while (loader.next()){}, Error, [&](const Error& error) {
    BOOST_TEST_MESSAGE(error.what());
    const std::string what = error.what();
    return error.code() == ErrorCode::kCorruptData && what.starts_with("sample ") &&
           what.find(": shard: " + shard.string() + ": expected ") != std::string::npos &&
           what.find(" at offset ") != std::string::npos;
  });
}

// In mid-epoch: what is in flight is small, so the larger part is read after the change.
BOOST_AUTO_TEST_CASE(a_shard_renamed_over_in_mid_epoch_is_read_to_its_end_as_it_was) {
  const tests::TemporaryFolder folder;
  const auto samples = jpegs_and_raws();
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", samples);
  tests::write_small_dataset(folder.path() / "other", tests::mixed_samples(60, 99));
  const DatasetSplit split = dataset.split("train");
  const std::vector<SeenPlace> expected = stream_epoch(split, 1);
  MemoryBudget budget(64u << 20);
  Loader loader(split, {.batch = kSpec, .seed = 4, .num_slots = 2},
                std::make_shared<ResizeTransform>(), budget);
  std::size_t place = 0;
  while (const BatchLease lease = loader.next()) {
    if (place == 0) {
      std::filesystem::rename(folder.path() / "other" / "train-00000.h5",
                              folder.path() / "d" / "train-00000.h5");
    }
    BOOST_TEST(lease->events.empty());
    for (std::uint32_t i = 0; i < lease->num_valid; ++i, ++place) {
      const std::vector<float>& pixels = expected[place].pixels;
      BOOST_TEST((std::memcmp(lease->pixels + i * kSpec.sample_bytes(), pixels.data(),
                              kSpec.sample_bytes()) == 0));
    }
  }
  BOOST_TEST(place == 60u);
}

BOOST_AUTO_TEST_CASE(a_shard_rewritten_in_place_in_mid_epoch_ends_the_run) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", jpegs_and_raws());
  const auto shard = folder.path() / "d" / "train-00000.h5";
  MemoryBudget budget(64u << 20);
  Loader loader(dataset.split("train"), {.batch = kSpec, .num_slots = 2, .max_bad_fraction = 1.0},
                std::make_shared<ResizeTransform>(), budget);
  loader.next();
  const std::uint64_t size = std::filesystem::file_size(shard);
  std::filesystem::resize_file(shard, 0);
  std::filesystem::resize_file(shard, size);  // zeros
  const auto now = std::filesystem::last_write_time(shard);
  std::filesystem::last_write_time(shard, now + std::chrono::seconds(5));  // past a clock's tick
  BOOST_CHECK_EXCEPTION(while (loader.next()){}, Error, [&](const Error& error) {
    BOOST_TEST_MESSAGE(error.what());
    // A reader may come by while the file is empty.
    const std::string what = error.what();
    return error.code() == ErrorCode::kCorruptData &&
           (what.find("found it written to since") != std::string::npos ||
            what.find("before the end of the file") != std::string::npos);
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
