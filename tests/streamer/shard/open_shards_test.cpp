// What grows with the number of shards: the descriptor, the open file's fields, the manifest's lines;
// and with the number of classes: the manifest's names and counts.
#include <boost/test/unit_test.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "streamer/shard/dataset.h"
#include "streamer/shard/split_shards.h"
#include "tests/allocation_ceiling.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(open_shards)

// One shard under many names: opening looks at each by itself.
void write_dataset(const std::filesystem::path& folder, std::uint64_t num_shards) {
  std::filesystem::create_directories(folder);
  const ManifestShard made = tests::ShardMaker{.num_samples = 2}.write(folder / "made.h5");
  Manifest manifest;
  manifest.class_names = {"circle", "ring"};
  ManifestSplit split{.name = "train",
                      .num_samples = 2 * num_shards,
                      .num_by_class = {num_shards, num_shards},
                      .shards = {}};
  for (std::uint64_t i = 0; i < num_shards; ++i) {
    ManifestShard shard = made;
    shard.file = "train-" + std::to_string(100'000 + i).substr(1) + ".h5";
    std::filesystem::create_hard_link(folder / "made.h5", folder / shard.file);
    split.shards.push_back(std::move(shard));
  }
  manifest.splits = {std::move(split)};
  write_manifest(folder, manifest);
}

struct Held {
  std::uint64_t at_most_bytes = 0;  // while it was opened
  std::uint64_t open_bytes = 0;
  std::uint64_t planned_bytes = 0;
};

Held held_by(const std::filesystem::path& folder) {
  const std::size_t before = tests::allocated_bytes().now;
  tests::reset_peak();
  const DatasetSplit split = Dataset::open(folder).split("train");
  const tests::AllocatedBytes after = tests::allocated_bytes();
  return {.at_most_bytes = after.peak - before,
          .open_bytes = after.now - before,
          .planned_bytes = split.shards_bytes()};
}

// Held as a difference, so that what a dataset of one shard takes too is left out.
BOOST_AUTO_TEST_CASE(what_a_shard_takes_is_below_what_the_plan_says) {
  const tests::TemporaryFolder folder;
  constexpr std::uint64_t kNumShards =
      520;  // of 1,024 descriptors; vectors that double are half empty
  for (const char* deep : {"", "a folder of many/folders/each with a name/that is long enough/"}) {
    const auto path = folder.path() / deep;
    write_dataset(path / "one", 1);
    write_dataset(path / "all", 1 + kNumShards);
    const Held one = held_by(path / "one");
    const Held all = held_by(path / "all");
    const std::uint64_t planned = all.planned_bytes - one.planned_bytes;
    const std::uint64_t at_most = all.at_most_bytes - one.at_most_bytes;
    BOOST_TEST_MESSAGE("bytes a shard: " << at_most / kNumShards << " at most, "
                                         << (all.open_bytes - one.open_bytes) / kNumShards
                                         << " open, planned " << planned / kNumShards);
    BOOST_TEST(at_most <= planned);
    BOOST_TEST(at_most > planned / 3);  // the plan is not far from it either
    BOOST_TEST(all.open_bytes - one.open_bytes > 0u);
  }
}

BOOST_AUTO_TEST_CASE(the_plan_counts_the_shards_of_other_splits_which_the_manifest_names_too) {
  const tests::TemporaryFolder folder;
  write_dataset(folder.path() / "d", 3);
  Manifest manifest = read_manifest(folder.path() / "d");
  const DatasetSplit alone = Dataset::open(folder.path() / "d").split("train");
  BOOST_TEST(alone.num_shards() == 3u);
  manifest.splits.push_back(manifest.splits.front());
  manifest.splits.back().name = "test";
  write_manifest(folder.path() / "d", manifest);
  const DatasetSplit split = Dataset::open(folder.path() / "d").split("train");
  BOOST_TEST(split.num_shards() == 3u);
  // The other split's counts of two classes are a matter of some hundred bytes.
  BOOST_TEST(split.shards_bytes() >= alone.shards_bytes() + 3 * kShardBytes);
  BOOST_TEST(split.shards_bytes() < alone.shards_bytes() + 4 * kShardBytes);
}

// One shard with these classes, as every split.
void write_classes(const std::filesystem::path& folder, const std::vector<std::string>& names,
                   std::span<const char* const> splits) {
  std::filesystem::create_directories(folder);
  ShardWriterConfig config = tests::ShardMaker{.num_samples = 2}.config();
  config.class_names = names;
  ShardWriter writer(folder / "made.h5", config);
  for (std::size_t i = 0; i < 2; ++i) {
    const tests::Bytes encoded = tests::sample_bytes(i, 3 * tests::ShardMaker::num_px(i));
    writer.add({.encoded = encoded,
                .record = {.class_idx = static_cast<std::uint32_t>(i),
                           .width_px = static_cast<std::uint32_t>(tests::ShardMaker::num_px(i)),
                           .height_px = 1,
                           .codec = 1},
                .name = tests::ShardMaker::name(i)});
  }
  const ManifestShard made = writer.finish();
  std::vector<std::uint64_t> counts(names.size(), 0);
  counts[0] = counts[1] = 1;
  Manifest manifest;
  manifest.class_names = names;
  for (const char* split : splits) {
    manifest.splits.push_back(
        {.name = split, .num_samples = 2, .num_by_class = counts, .shards = {made}});
  }
  write_manifest(folder, manifest);
}

// Also what is there for a moment: the process grows by it.
BOOST_AUTO_TEST_CASE(what_classes_take_is_below_what_the_plan_says_of_them) {
  const tests::TemporaryFolder folder;
  constexpr std::size_t kNumClasses = (1 << 14) + 1;  // vectors that double are half empty
  const auto long_text = [](std::size_t length, char c) { return std::string(length, c); };
  const std::pair<const char*, std::string> kinds[] = {
      {"short", ""},
      {"of 20 bytes", long_text(15, 'x')},
      {"of 260 bytes", long_text(255, 'x')},
      {"of 60 bytes, of which JSON makes six each", long_text(55, '\x01')},
      {"of 12 bytes and one of 3,000", long_text(7, 'x')}};
  const char* const splits[] = {"train", "validation", "test"};
  for (const std::size_t num_splits : {std::size_t{1}, std::size_t{3}}) {
    const auto some_splits = std::span(splits).first(num_splits);
    const auto in_splits = folder.path() / std::to_string(num_splits);
    write_classes(in_splits / "two", {"circle", "ring"}, some_splits);
    const Held two = held_by(in_splits / "two");
    for (std::size_t kind = 0; kind < std::size(kinds); ++kind) {
      std::vector<std::string> names;
      for (std::size_t i = 0; i < kNumClasses; ++i) {
        names.push_back(kinds[kind].second + std::to_string(10'000 + i));
      }
      if (kind + 1 == std::size(kinds)) names.back().assign(3000, 'y');
      const auto path = in_splits / std::to_string(kind);
      write_classes(path, names, some_splits);
      const Held many = held_by(path);
      const std::uint64_t planned = many.planned_bytes - two.planned_bytes;
      const std::uint64_t at_most = many.at_most_bytes - two.at_most_bytes;
      BOOST_TEST_MESSAGE("names " << kinds[kind].first << ", splits " << num_splits
                                  << ": bytes a class: " << at_most / kNumClasses << " at most, "
                                  << many.open_bytes / kNumClasses << " open, planned "
                                  << planned / kNumClasses);
      BOOST_TEST_CONTEXT("names " << kinds[kind].first << ", splits " << num_splits) {
        BOOST_TEST(at_most <= planned);
        BOOST_TEST(at_most > planned / 2);  // the plan is not far from it either
        BOOST_TEST(many.open_bytes >=
                   kNumClasses * (sizeof(std::string) + num_splits * sizeof(std::uint64_t)));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
