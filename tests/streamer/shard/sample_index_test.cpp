#include "streamer/shard/sample_index.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

#include "streamer/core/draws.h"
#include "streamer/core/error.h"
#include "streamer/shard/shard_file.h"
#include "streamer/shard/shard_header.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

// Three shards, of 30, 1 and 2 index pages, the last of them short.
struct Fixture {
  Fixture() : shards(std::make_shared<SplitShards>()) {
    for (const std::size_t num_samples : {30u * 64u, 5u, 70u}) {
      paths.push_back(folder.path() / (std::to_string(paths.size()) + ".h5"));
      tests::ShardMaker{.num_samples = num_samples}.write(paths.back());
      shards->add(ShardFile::open(paths.back()));
      for (const IndexRecord& record : shards->shards.back().file.read_index()) {
        all.push_back(record);
      }
    }
  }

  SampleIndex index(std::uint32_t num_cached_pages) const {
    return SampleIndex(shards, {.num_cached_pages = num_cached_pages}, BudgetShare());
  }

  static bool are_equal(const IndexRecord& a, const IndexRecord& b) {
    return a.offset_bytes == b.offset_bytes && a.xxh3 == b.xxh3 && a.class_idx == b.class_idx &&
           a.width_px == b.width_px && a.length_bytes == b.length_bytes;
  }

  tests::TemporaryFolder folder;
  std::vector<std::filesystem::path> paths;
  std::shared_ptr<SplitShards> shards;
  std::vector<IndexRecord> all;  // by ShardFile::read_index
};

BOOST_FIXTURE_TEST_SUITE(sample_index, Fixture)

BOOST_AUTO_TEST_CASE(every_form_finds_the_same_records_in_any_order) {
  BOOST_REQUIRE(all.size() == 30u * 64u + 75u);
  for (const std::uint32_t num_cached_pages : {0u, 1u, 2u, 7u, 33u, 1000u}) {
    const SampleIndex index = this->index(num_cached_pages);
    BOOST_TEST(index.form().is_resident() == (num_cached_pages == 0));
    for (std::uint64_t step = 0; step < 3000; ++step) {
      const std::uint64_t id = Draws({.seed = 1, .position = step}).block(0)[0] % all.size();
      BOOST_REQUIRE(are_equal(index.record(id), all[id]));
    }
    std::uint64_t next_id = 0;
    index.scan([&](std::uint64_t first_id, std::span<const IndexRecord> records) {
      BOOST_REQUIRE(first_id == next_id);
      for (const IndexRecord& record : records) {
        BOOST_REQUIRE(are_equal(record, all[next_id++]));
      }
    });
    BOOST_TEST(next_id == all.size());
    BOOST_CHECK_THROW(index.record(all.size()), Error);
  }
}

BOOST_AUTO_TEST_CASE(threads_may_ask_at_once_for_pages_of_one_place) {
  const SampleIndex index = this->index(3);
  std::atomic<int> num_wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      threads.emplace_back([&, seed] {
        for (std::uint64_t step = 0; step < 1000; ++step) {
          const std::uint64_t id = Draws({.seed = seed, .position = step}).block(0)[0] % all.size();
          if (!are_equal(index.record(id), all[id])) ++num_wrong;
        }
      });
    }
  }
  BOOST_TEST(num_wrong == 0);
}

BOOST_AUTO_TEST_CASE(a_damaged_page_is_named_when_it_is_wanted_and_each_time) {
  const SampleIndex paged = index(4);
  const auto bytes = tests::read_bytes(paths[2]);
  const ShardHeader header = parse_shard_header(
      std::span<const std::byte, kShardHeaderBytes>(bytes.data(), kShardHeaderBytes), "");
  for (const char* section : {"index", "index_page_xxh3"}) {
    const bool is_page = std::string(section) == "index";
    const std::uint64_t at = header.find(section)->offset_bytes + (is_page ? 4096 : 8);
    tests::flip_bit_on_disk(paths[2], at, 3);
    const auto names_the_page = [&](const Error& error) {
      return error.code() == ErrorCode::kCorruptData &&
             std::string(error.what())
                 .starts_with("shard: " + paths[2].native() +
                              ": index page 1 (samples 64 to 69): expected checksum ");
    };
    const std::uint64_t first_id = 30 * 64 + 5;
    BOOST_TEST(are_equal(paged.record(first_id + 63), all[first_id + 63]));
    BOOST_CHECK_EXCEPTION(paged.record(first_id + 64), Error, names_the_page);
    BOOST_CHECK_EXCEPTION(paged.record(first_id + 69), Error, names_the_page);
    BOOST_CHECK_EXCEPTION(paged.scan([](auto, auto) {}), Error, names_the_page);
    BOOST_CHECK_EXCEPTION(index(0), Error, names_the_page);
    tests::flip_bit_on_disk(paths[2], at, 3);
    BOOST_TEST(are_equal(paged.record(first_id + 64), all[first_id + 64]));
    // Out of the cache again: 31 pages lie before it, so page 28 of the first shard takes its place.
    BOOST_TEST(are_equal(paged.record(28 * 64), all[28 * 64]));
  }
}

BOOST_AUTO_TEST_CASE(a_page_that_was_rewritten_while_open_is_no_damage) {
  const SampleIndex paged = index(7);
  const auto bytes = tests::read_bytes(paths[0]);
  const ShardHeader header = parse_shard_header(
      std::span<const std::byte, kShardHeaderBytes>(bytes.data(), kShardHeaderBytes), "");
  tests::flip_bit(paths[0], header.find("index")->offset_bytes, 3);
  const auto now = std::filesystem::last_write_time(paths[0]);
  std::filesystem::last_write_time(paths[0], now + std::chrono::seconds(5));  // past a clock's tick
  const auto tells_of_the_writer = [](const Error& error) {
    return error.code() == ErrorCode::kCorruptData &&
           std::string(error.what()).find("found it written to since") != std::string::npos;
  };
  BOOST_CHECK_EXCEPTION(paged.record(5), Error, tells_of_the_writer);
  BOOST_CHECK_EXCEPTION(paged.scan([](auto, auto) {}), Error, tells_of_the_writer);
  BOOST_TEST(are_equal(paged.record(64), all[64]));
}

BOOST_AUTO_TEST_CASE(a_shard_cut_short_while_open_is_an_error_and_not_zeros) {
  const SampleIndex paged = index(1);
  const std::uint64_t size_bytes = std::filesystem::file_size(paths[0]);
  std::filesystem::resize_file(paths[0], size_bytes / 2);
  BOOST_CHECK_EXCEPTION(paged.record(29 * 64), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kCorruptData; });
}

// An eighth of 64 MiB holds 131,072 records of 64 bytes.
BOOST_AUTO_TEST_CASE(an_index_is_resident_within_an_eighth_of_the_limit_and_what_is_left) {
  const std::uint64_t limit_bytes = 64u << 20;
  const auto form = [&](std::uint64_t num_samples, std::uint64_t left_bytes) {
    return choose_index_form(num_samples, {.limit_bytes = limit_bytes, .left_bytes = left_bytes});
  };
  BOOST_TEST(form(131'072, limit_bytes).is_resident());
  BOOST_TEST(form(131'072, limit_bytes).bytes == 8u << 20);
  const IndexForm paged = form(131'073, limit_bytes);
  BOOST_TEST(!paged.is_resident());
  BOOST_TEST(paged.num_cached_pages == 1024u);
  BOOST_TEST(!form(131'072, 7u << 20).is_resident());
  // A hundred million samples take no more than a hundred thousand.
  BOOST_TEST(form(100'000'000, limit_bytes).bytes == paged.bytes);
  BOOST_TEST(form(100'000'000, 1u << 20).bytes <= 1u << 20);
  BOOST_TEST(form(100'000'000, 0).num_cached_pages == 16u);
  BOOST_TEST(form(100'000'000, 0).bytes == least_index_bytes(100'000'000));
  // What is smaller than the smallest cache is resident whatever the limit.
  BOOST_TEST(choose_index_form(100, {}).is_resident());
  BOOST_TEST(choose_index_form(100, {}).bytes == least_index_bytes(100));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
