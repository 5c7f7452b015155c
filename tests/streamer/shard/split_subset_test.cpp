#include "streamer/shard/split_subset.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>

#include "streamer/core/draws.h"
#include "streamer/core/error.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::ShardMaker;

// Three shards of 300, 1 and 299 samples; sample i of a shard is of class i % 2. The same pictures
// stand in the first and in the last.
struct Fixture {
  Fixture() {
    std::filesystem::create_directory(path);
    Manifest manifest;
    manifest.class_names = {"circle", "ring"};
    ManifestSplit train{
        .name = "train", .num_samples = 600, .num_by_class = {301, 299}, .shards = {}};
    for (const std::size_t size : {300, 1, 299}) {
      const std::string file = "train-" + std::to_string(10000 + train.shards.size()) + ".h5";
      train.shards.push_back(ShardMaker{.num_samples = size}.write(path / file));
    }
    manifest.splits = {train};
    write_manifest(path, manifest);
    whole = Dataset::open(path).split("train");
  }

  std::vector<std::uint64_t> stored_ids(const DatasetSplit& split) const {
    std::vector<std::uint64_t> ids(split.num_samples());
    for (std::uint64_t id = 0; id < ids.size(); ++id) ids[id] = split.stored_id(id);
    return ids;
  }

  void expect_refused(const SubsetConfig& config, ErrorCode code, const std::string& message,
                      const std::string& hint = "") const {
    BOOST_CHECK_EXCEPTION(whole.subset(config), Error, [&](const Error& error) {
      BOOST_TEST(error.what() == message);
      if (!hint.empty()) BOOST_TEST(error.hint() == hint);
      return error.code() == code;
    });
  }

  tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "d.penstock";
  DatasetSplit whole;
};

BOOST_FIXTURE_TEST_SUITE(split_subset, Fixture)

BOOST_AUTO_TEST_CASE(a_class_is_kept_by_name_or_by_index_in_the_same_order) {
  const DatasetSplit rings = whole.subset({.class_names = {"ring"}});
  std::vector<std::uint64_t> expected;
  for (std::uint64_t id = 0; id < 600; ++id) {
    if (whole.record(id).class_idx == 1) expected.push_back(id);
  }
  BOOST_TEST(expected.size() == 299u);  // 150 + 0 + 149
  BOOST_TEST(stored_ids(rings) == expected, boost::test_tools::per_element());
  BOOST_TEST(stored_ids(whole.subset({.class_indices = {1, 1}})) == expected,
             boost::test_tools::per_element());
  BOOST_TEST(whole.subset({.class_names = {"ring"}, .class_indices = {0}}).num_samples() == 600u);
}

BOOST_AUTO_TEST_CASE(everything_about_a_sample_is_found_by_its_id_in_the_subset) {
  const DatasetSplit rings = whole.subset({.class_names = {"ring"}});
  const std::vector<std::string> all_names = whole.read_names();
  const std::vector<std::string> names = rings.read_names();
  BOOST_REQUIRE(names.size() == rings.num_samples());
  for (std::uint64_t id = 0; id < rings.num_samples(); ++id) {
    const std::uint64_t stored = rings.stored_id(id);
    BOOST_TEST(rings.record(id).xxh3 == whole.record(stored).xxh3);
    BOOST_TEST(rings.shard_of(id).path() == whole.shard_of(stored).path());
    BOOST_TEST(names[id] == all_names[stored]);
    BOOST_TEST(rings.read_name(id) == all_names[stored]);
  }
  BOOST_CHECK_THROW(rings.record(rings.num_samples()), Error);
  BOOST_TEST(rings.class_names().size() == 2u);
  BOOST_TEST(rings.dataset_id() == whole.dataset_id());
  BOOST_TEST(rings.subset_bytes() == 4 * rings.num_samples());
  BOOST_TEST(whole.subset_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(shards_tell_how_many_of_their_samples_are_kept) {
  const auto counts_of = [](const DatasetSplit& split) {
    std::vector<std::uint64_t> counts;
    for (const auto& part : split.shard_parts()) counts.push_back(part.num_samples);
    return counts;
  };
  using Counts = std::vector<std::uint64_t>;
  BOOST_TEST(counts_of(whole) == (Counts{300, 1, 299}), boost::test_tools::per_element());
  BOOST_TEST(counts_of(whole.subset({.class_names = {"ring"}})) == (Counts{150, 0, 149}),
             boost::test_tools::per_element());
  BOOST_TEST(whole.shard_parts()[1].file_bytes ==
             std::filesystem::file_size(path / "train-10001.h5"));
}

// The rule in the words of the header, sample by sample.
BOOST_AUTO_TEST_CASE(a_fraction_is_decided_by_seed_and_bytes_alone) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    BOOST_TEST_INFO("seed " << seed);
    const DatasetSplit part =
        whole.subset({.from_fraction = 0.25, .to_fraction = 0.75, .seed = seed});
    std::vector<std::uint64_t> expected;
    for (std::uint64_t id = 0; id < 600; ++id) {
      const std::uint64_t xxh3 = whole.record(id).xxh3;
      const PhiloxCounter words = philox4x32_10(
          {static_cast<std::uint32_t>(xxh3), static_cast<std::uint32_t>(xxh3 >> 32), 0, 5u << 16},
          {static_cast<std::uint32_t>(seed), 0});
      // From a quarter up to below three quarters: the two highest bits are 01 or 10.
      const std::uint32_t highest = words[1] >> 30;
      if (highest == 1 || highest == 2) expected.push_back(id);
    }
    BOOST_TEST(stored_ids(part) == expected, boost::test_tools::per_element());
    // 300 pictures, each there twice, with chance 1/2: the standard deviation is 2 * sqrt(75).
    BOOST_TEST(std::abs(static_cast<double>(part.num_samples()) - 300) < 5 * 17.3);
  }
}

BOOST_AUTO_TEST_CASE(fractions_part_a_split_and_a_smaller_one_lies_within_a_larger) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    BOOST_TEST_INFO("seed " << seed);
    const auto small = stored_ids(whole.subset({.to_fraction = 0.1, .seed = seed}));
    const auto large = stored_ids(whole.subset({.to_fraction = 0.4, .seed = seed}));
    const auto rest = stored_ids(whole.subset({.from_fraction = 0.4, .seed = seed}));
    BOOST_TEST(std::ranges::includes(large, small));
    std::vector<std::uint64_t> all;
    std::ranges::merge(large, rest, std::back_inserter(all));
    BOOST_TEST(all == stored_ids(whole), boost::test_tools::per_element());
  }
  BOOST_TEST((stored_ids(whole.subset({.to_fraction = 0.5, .seed = 1})) !=
              stored_ids(whole.subset({.to_fraction = 0.5, .seed = 2}))));
}

BOOST_AUTO_TEST_CASE(a_subset_of_a_subset_keeps_what_both_keep) {
  const SubsetConfig half{.to_fraction = 0.5, .seed = 3};
  const DatasetSplit nested = whole.subset({.class_names = {"ring"}}).subset(half);
  SubsetConfig both = half;
  both.class_names = {"ring"};
  BOOST_TEST(stored_ids(nested) == stored_ids(whole.subset(both)),
             boost::test_tools::per_element());
  BOOST_TEST(nested.subset_text() == "classes 1; all classes, fraction 0 to 0.5 of seed 3");
  BOOST_TEST(whole.subset_text() == "");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_subset_is_refused) {
  const auto invalid = ErrorCode::kInvalidArgument;
  expect_refused({.class_names = {"rinq"}}, ErrorCode::kNotFound,
                 "subset: class_names: expected one of the 2 classes of the dataset, found "
                 "\"rinq\"",
                 "did you mean 'ring'?");
  expect_refused({.class_indices = {2}}, ErrorCode::kNotFound,
                 "subset: class_indices: expected 0 to 1, found 2");
  expect_refused({.from_fraction = -0.1}, invalid,
                 "subset: from_fraction: expected 0 to below 1, found -0.1");
  expect_refused({.from_fraction = NAN}, invalid,
                 "subset: from_fraction: expected 0 to below 1, found nan");
  expect_refused({.to_fraction = 0}, invalid,
                 "subset: to_fraction: expected above 0 to 1, found 0");
  expect_refused({.to_fraction = NAN}, invalid,
                 "subset: to_fraction: expected above 0 to 1, found nan");
  expect_refused({.from_fraction = 0.5, .to_fraction = 0.5}, invalid,
                 "subset: to_fraction: expected above 0.5 to 1, found 0.5");
  expect_refused({.to_fraction = 1e-12}, invalid,
                 "subset: all classes, fraction 0 to 1e-12 of seed 0: expected samples of split "
                 "train, found none of its 600");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
