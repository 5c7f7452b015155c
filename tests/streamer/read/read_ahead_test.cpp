#include "streamer/read/read_ahead.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

#include "streamer/core/file.h"
#include "streamer/shard/shard_file.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

// Samples that lie somewhere in one of two shards; the ranges read no byte of them.
struct Places {
  Places() {
    tests::write_small_dataset(folder.path() / "d", {tests::raw_sample(2, 2, 0)});
    first = ShardFile::open(folder.path() / "d" / "train-00000.h5");
    second = ShardFile::open(folder.path() / "d" / "train-00000.h5");
  }
  void add(const ShardFile& shard, std::uint64_t offset_bytes, std::uint32_t length_bytes) {
    SampleTask task;
    task.shard = &shard;
    task.record.offset_bytes = offset_bytes;
    task.record.length_bytes = length_bytes;
    tasks.push_back(task);
  }
  // As offset and length, in the order of the offsets.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
    const ReadRanges wanted(tasks);
    for (const ReadRange& range : wanted.get()) {
      found.emplace_back(range.offset_bytes, range.length_bytes);
    }
    std::ranges::sort(found);
    return found;
  }

  tests::TemporaryFolder folder;
  ShardFile first;
  ShardFile second;
  std::vector<SampleTask> tasks;
};

using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

BOOST_FIXTURE_TEST_SUITE(read_ahead_of_runs, Places)

BOOST_AUTO_TEST_CASE(neighbours_are_one_range_in_whatever_order_they_are_read) {
  add(first, 900'000, 20'000);
  add(first, 130'000, 30'000);
  add(first, 100'000, 30'000);
  BOOST_TEST((ranges() == Ranges{{100'000, 60'000}, {900'000, 20'000}}));
}

BOOST_AUTO_TEST_CASE(a_gap_of_a_page_is_bridged_and_a_wider_one_is_not) {
  add(first, 100'000, 20'000);
  add(first, 124'096, 20'000);
  add(first, 148'193, 20'000);
  BOOST_TEST((ranges() == Ranges{{100'000, 44'096}, {148'193, 20'000}}));
}

BOOST_AUTO_TEST_CASE(small_samples_far_from_each_other_cost_no_call) {
  for (std::uint64_t i = 0; i < kMaxRunSamples; ++i) add(first, 4096 + 100'000 * i, 3072);
  BOOST_TEST(ranges().empty());
  tasks.resize(1);
  add(first, 4096 + 3072, 8192 - 3072);
  add(first, 500'000, 8191);
  BOOST_TEST((ranges() == Ranges{{4096, 8192}}));
}

BOOST_AUTO_TEST_CASE(a_run_that_is_one_range_is_left_to_the_system) {
  for (std::uint64_t i = 0; i < 16; ++i) add(first, 4096 + 30'000 * i, 30'000);
  BOOST_TEST(ranges().empty());
  tasks.resize(1);  // one large sample is not a sequence
  BOOST_TEST((ranges() == Ranges{{4096, 30'000}}));
}

BOOST_AUTO_TEST_CASE(the_same_place_in_another_shard_is_another_range) {
  add(first, 100'000, 20'000);
  add(second, 120'000, 20'000);
  BOOST_TEST((ranges() == Ranges{{100'000, 20'000}, {120'000, 20'000}}));
}

BOOST_AUTO_TEST_CASE(a_sample_drawn_twice_is_fetched_once) {
  add(first, 100'000, 20'000);
  add(first, 100'000, 20'000);
  add(first, 900'000, 20'000);
  BOOST_TEST((ranges() == Ranges{{100'000, 20'000}, {900'000, 20'000}}));
}

BOOST_AUTO_TEST_CASE(an_empty_run_asks_for_nothing) {
  BOOST_TEST(ranges().empty());
  read_ahead(tasks);
}

// How many pages of a range the page cache holds.
std::size_t num_cached(const std::filesystem::path& path, const IndexRecord& record) {
  const UniqueFd file = open_for_reading(path);
  const std::uint64_t page = 4096;
  const std::uint64_t begin = record.offset_bytes / page * page;
  const std::uint64_t end = record.offset_bytes + record.length_bytes;
  void* const mapped =
      ::mmap(nullptr, end - begin, PROT_READ, MAP_SHARED, file.get(), static_cast<off_t>(begin));
  BOOST_REQUIRE(mapped != MAP_FAILED);
  std::vector<unsigned char> cached((end - begin + page - 1) / page);
  const int failed = ::mincore(mapped, end - begin, cached.data());
  ::munmap(mapped, end - begin);
  BOOST_REQUIRE(failed == 0);
  return static_cast<std::size_t>(std::ranges::count_if(cached, [](auto c) { return c & 1; }));
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_comes_into_the_page_cache_and_the_rest_stays_out) {
  std::vector<tests::SmallSample> samples;
  for (std::uint64_t i = 0; i < 12; ++i) samples.push_back(tests::raw_sample(200, 200, i));
  const DatasetSplit split =
      tests::write_small_dataset(folder.path() / "e", samples).split("train");
  const auto path = folder.path() / "e" / "train-00000.h5";
  const UniqueFd file = open_for_reading(path);
  sync_file(file, path);
  BOOST_REQUIRE(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED) == 0);
  if (num_cached(path, split.record(1)) + num_cached(path, split.record(5)) != 0) {
    std::cout << "SKIPPED: this file system keeps its pages (tmpfs)\n";
    return;
  }
  for (const std::uint64_t id : {1u, 9u}) {
    add(split.shard_of(id), split.record(id).offset_bytes, split.record(id).length_bytes);
  }
  read_ahead(tasks);
  const std::size_t all = (split.record(1).length_bytes + 4095) / 4096;
  for (int i = 0; i < 10'000 && num_cached(path, split.record(1)) < all; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  BOOST_TEST(num_cached(path, split.record(1)) >= all);
  BOOST_TEST(num_cached(path, split.record(5)) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
