// What grows with the number of shards: the descriptor, the open file's fields, the manifest's lines.
#include <boost/test/unit_test.hpp>

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
  BOOST_TEST(split.shards_bytes() == alone.shards_bytes() + 3 * kShardBytes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
