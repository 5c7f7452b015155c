// A loader whose index is not in memory: the same batches, and what befalls a page in mid-epoch.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <set>

#include "streamer/core/error.h"
#include "streamer/shard/shard_file.h"
#include "streamer/shard/shard_header.h"
#include "tests/streamer/pipeline/seen_place.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::SeenPlace;

// 1,180 small pictures in shards of 400: 20 pages, where 16 are kept. So pages 0 to 3 take turns with
// 16 to 19 and are read again and again; the others are read once.
struct Fixture {
  Fixture() {
    std::vector<tests::SmallSample> samples = tests::mixed_samples(40);
    for (std::uint32_t i = 0; samples.size() < 1180; ++i) {
      samples.push_back(tests::raw_sample(3 + i % 5, 2 + i % 3, i));
    }
    tests::write_small_dataset(folder.path() / "d", samples, 400);
  }

  DatasetSplit split() const { return Dataset::open(folder.path() / "d").split("train"); }
  std::uint64_t limit_bytes(std::uint32_t num_threads) const {
    return tests::paged_limit_bytes(split(), tests::seen_config(num_threads));
  }
  std::filesystem::path shard(int nr) const {
    return folder.path() / "d" / ("train-0000" + std::to_string(nr) + ".h5");
  }
  std::uint64_t index_offset_bytes(int nr) const {
    const auto bytes = tests::read_bytes(shard(nr));
    return parse_shard_header(
               std::span<const std::byte, kShardHeaderBytes>(bytes.data(), kShardHeaderBytes), "")
        .find("index")
        ->offset_bytes;
  }
  // Takes batches of many epochs, the first before `strike`.
  template <class Strike>
  std::string error_after(const Strike& strike) {
    LoaderConfig config = tests::seen_config(2);
    config.num_epochs = 20;
    config.num_slots = 2;  // of 147 batches an epoch
    MemoryBudget budget(tests::paged_limit_bytes(split(), config));
    Loader loader(split(), config, std::make_shared<ResizeTransform>(), budget);
    loader.next();
    strike();
    try {
      while (loader.next()) {
      }
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kCorruptData));
      BOOST_TEST(!error.hint().empty());
      return error.what();
    }
    return "";
  }

  tests::TemporaryFolder folder;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

BOOST_FIXTURE_TEST_SUITE(loader_paged_index, Fixture)

BOOST_AUTO_TEST_CASE(batches_are_those_of_a_resident_index_whatever_the_threads) {
  const std::vector<SeenPlace> expected = tests::stream_epoch(split(), 1);
  BOOST_REQUIRE(expected.size() == 1180u);
  for (const std::uint32_t num_threads : {1u, 4u}) {
    const std::vector<SeenPlace> found =
        tests::stream_epoch(split(), num_threads, limit_bytes(num_threads));
    BOOST_REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      BOOST_REQUIRE(found[i].sample_id == expected[i].sample_id);
      BOOST_REQUIRE(found[i].class_idx == expected[i].class_idx);
      BOOST_REQUIRE(found[i].weight == 1.0f);
      BOOST_REQUIRE((found[i].pixels == expected[i].pixels));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_sample_costs_itself_only) {
  const std::vector<SeenPlace> expected = tests::stream_epoch(split(), 1);
  const std::set<std::uint64_t> struck = {0, 39, 64, 500, 1179};
  for (const std::uint64_t id : struck) {
    tests::flip_bit(split().shard_of(id).path(), split().record(id).offset_bytes, 2);
  }
  const std::vector<SeenPlace> found = tests::stream_epoch(split(), 2, limit_bytes(2));
  BOOST_REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool is_struck = struck.contains(found[i].sample_id);
    BOOST_REQUIRE(found[i].sample_id == expected[i].sample_id);
    BOOST_REQUIRE(found[i].weight == (is_struck ? 0.0f : 1.0f));
    BOOST_REQUIRE(found[i].events.size() == (is_struck ? 1u : 0u));
    if (!is_struck) BOOST_REQUIRE((found[i].pixels == expected[i].pixels));
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_page_ends_the_run_with_sample_shard_and_page) {
  const std::string what = error_after([&] {
    for (int page = 0; page < 4; ++page) {
      tests::flip_bit_on_disk(shard(0), index_offset_bytes(0) + page * 4096 + 100, 1);
    }
  });
  BOOST_TEST_MESSAGE(what);
  BOOST_TEST(what.starts_with("sample "), what);
  BOOST_TEST(has(what, ": index: shard: " + shard(0).native() + ": index page "), what);
  BOOST_TEST(has(what, ": expected checksum "), what);
  // The sample named is one of that page.
  const auto number_after = [&](const std::string& text) {
    return std::stoull(what.substr(what.find(text) + text.size()));
  };
  BOOST_TEST(number_after("sample ") / 64 == number_after("index page "), what);
}

BOOST_AUTO_TEST_CASE(a_page_of_a_shard_rewritten_in_mid_epoch_is_told_from_damage) {
  const std::string what = error_after([&] {
    for (int page = 0; page < 4; ++page) {
      tests::flip_bit(shard(0), index_offset_bytes(0) + page * 4096 + 100, 1);
    }
    const auto now = std::filesystem::last_write_time(shard(0));
    std::filesystem::last_write_time(shard(0), now + std::chrono::seconds(5));  // past a tick
  });
  BOOST_TEST_MESSAGE(what);
  BOOST_TEST(what.starts_with("sample "), what);
  BOOST_TEST(has(what, ": index: shard: " + shard(0).native()), what);
  BOOST_TEST(has(what, "found it written to since"), what);
}

BOOST_AUTO_TEST_CASE(a_shard_cut_before_its_index_ends_the_run_with_the_sample) {
  const std::uint64_t cut_at_bytes = index_offset_bytes(0);
  const std::string what =
      error_after([&] { std::filesystem::resize_file(shard(0), cut_at_bytes); });
  BOOST_TEST_MESSAGE(what);
  BOOST_TEST(what.starts_with("sample "), what);
  BOOST_TEST(has(what, ": shard: " + shard(0).native() + ": expected "), what);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
