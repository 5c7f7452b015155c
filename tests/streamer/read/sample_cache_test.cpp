#include "streamer/read/sample_cache.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <thread>
#include <vector>

#include "streamer/core/draws.h"
#include "streamer/read/decoder_set.h"
#include "tests/streamer/wait_until.h"

namespace penstock {
namespace {

// Raw samples of 8 x 8 pixels, 192 bytes each, before anything is read.
constexpr std::uint32_t kSidePx = 8;
constexpr std::uint64_t kSampleBytes = kSidePx * kSidePx * 3;

SampleTask task_of(std::uint64_t sample_id) {
  SampleTask task;
  task.info.sample_id = sample_id;
  task.record.length_bytes = kSampleBytes;
  task.record.width_px = kSidePx;
  task.record.height_px = kSidePx;
  task.record.codec = static_cast<std::uint8_t>(Codec::kRaw);
  task.request = {.region = {0, 0, kSidePx, kSidePx}};
  return task;
}

std::vector<SampleTask> tasks_of(std::uint64_t begin, std::uint64_t end) {
  std::vector<SampleTask> tasks;
  for (std::uint64_t id = begin; id < end; ++id) tasks.push_back(task_of(id));
  return tasks;
}

bool takes_in(const SampleTask& task) {
  return task.cached.use == CacheUse::kFillEncoded || task.cached.use == CacheUse::kFillPixels;
}

// What a reader does with them: every byte of a sample says its number.
void fill(std::vector<SampleTask>& tasks) {
  for (SampleTask& task : tasks) {
    if (!takes_in(task)) continue;
    std::memset(task.cached.bytes.data(), static_cast<int>(task.info.sample_id % 251),
                kSampleBytes);
    task.cached.is_filled = true;
  }
}

// Served samples say their own numbers.
void check_contents(const std::vector<SampleTask>& tasks) {
  for (const SampleTask& task : tasks) {
    if (!is_cached(task)) continue;
    for (const std::byte byte : task.cached.bytes.first(kSampleBytes)) {
      BOOST_REQUIRE(byte == static_cast<std::byte>(task.info.sample_id % 251));
    }
  }
}

std::uint64_t count_served(const std::vector<SampleTask>& tasks) {
  return static_cast<std::uint64_t>(std::ranges::count_if(tasks, is_cached));
}

struct Cached {
  explicit Cached(std::uint64_t num_entries, CacheForm form = CacheForm::kEncoded)
      : cache(SampleCache::make(form, layout_for(num_entries), budget)) {
    BOOST_REQUIRE(cache != nullptr);
  }
  // One page of table; entries in whole pages, of which 21 samples fill one but for 64 bytes.
  static CacheLayout layout_for(std::uint64_t num_entries) {
    return {
        .num_slots = 128,
        .max_entries = 96,
        .table_bytes = kPageBytes,
        .entries_bytes = (num_entries * kSampleBytes + kPageBytes - 1) / kPageBytes * kPageBytes};
  }
  // Passes [begin, end) through; returns how many were served.
  std::uint64_t pass(std::uint64_t begin, std::uint64_t end) {
    auto tasks = tasks_of(begin, end);
    cache->attach(tasks);
    fill(tasks);
    check_contents(tasks);
    const std::uint64_t num_served = count_served(tasks);
    cache->detach(tasks);
    return num_served;
  }

  MemoryBudget budget{1u << 20};
  std::shared_ptr<SampleCache> cache;
};

BOOST_AUTO_TEST_SUITE(sample_cache)

BOOST_AUTO_TEST_CASE(what_fits_is_served_from_the_second_time_on) {
  for (const CacheForm form : {CacheForm::kEncoded, CacheForm::kDecoded}) {
    Cached at(42, form);
    BOOST_TEST(at.pass(0, 42) == 0u);
    BOOST_TEST(at.pass(0, 42) == 42u);
    const CacheStats expected{.limit_bytes = 3 * kPageBytes,
                              .kept_bytes = 42 * kSampleBytes,
                              .num_kept = 42,
                              .num_places = 84,
                              .num_hits = 42};
    BOOST_TEST((at.cache->stats() == expected));
    BOOST_TEST(at.budget.used_bytes() == 3 * kPageBytes);
  }
}

// No cliff: a cache of a third of the samples serves a third of them, in any order.
BOOST_AUTO_TEST_CASE(the_first_of_the_stream_that_fit_stay_whatever_comes_after) {
  Cached at(21);
  at.pass(30, 40);
  at.pass(0, 63);
  BOOST_TEST(at.cache->stats().num_kept == 21u);
  BOOST_TEST(at.pass(30, 40) == 10u);
  BOOST_TEST(at.pass(0, 11) == 11u);
  BOOST_TEST(at.pass(11, 30) == 0u);
  BOOST_TEST(at.pass(40, 63) == 0u);
}

BOOST_AUTO_TEST_CASE(a_table_that_is_full_takes_no_more) {
  MemoryBudget budget(1u << 20);
  CacheLayout layout = Cached::layout_for(90);
  layout.num_slots = 8;
  layout.max_entries = 4;
  const auto cache = SampleCache::make(CacheForm::kEncoded, layout, budget);
  for (int i = 0; i < 2; ++i) {
    auto tasks = tasks_of(0, 90);
    cache->attach(tasks);
    fill(tasks);
    BOOST_TEST(count_served(tasks) == (i == 0 ? 0u : 4u));
    cache->detach(tasks);
  }
}

// As weighted orders have it, and an epoch whose first samples are the last one's.
BOOST_AUTO_TEST_CASE(a_sample_twice_in_flight_is_taken_in_once) {
  Cached at(42);
  std::vector<SampleTask> first = {task_of(7), task_of(7)};
  std::vector<SampleTask> second = {task_of(7)};
  at.cache->attach(first);
  at.cache->attach(second);
  BOOST_TEST(takes_in(first[0]));
  BOOST_TEST((first[1].cached.use == CacheUse::kNone));
  BOOST_TEST((second[0].cached.use == CacheUse::kNone));
  fill(first);
  at.cache->detach(second);
  at.cache->detach(first);
  // Served twice at once, let go one after the other.
  std::vector<SampleTask> both = {task_of(7), task_of(7)};
  at.cache->attach(both);
  BOOST_TEST(count_served(both) == 2u);
  check_contents(both);
  at.cache->detach(both);
}

BOOST_AUTO_TEST_CASE(a_sample_that_failed_is_never_served) {
  Cached at(42);
  auto tasks = tasks_of(0, 2);
  at.cache->attach(tasks);
  fill(tasks);
  tasks[1].cached.is_filled = false;
  at.cache->detach(tasks);
  for (int i = 0; i < 3; ++i) {
    auto again = tasks_of(0, 2);
    at.cache->attach(again);
    BOOST_TEST(is_cached(again[0]));
    BOOST_TEST((again[1].cached.use == CacheUse::kNone));
    at.cache->detach(again);
  }
  BOOST_TEST(at.cache->stats().num_kept == 1u);
}

BOOST_AUTO_TEST_CASE(what_the_index_does_not_call_whole_is_left_alone) {
  Cached at(42);
  std::vector<SampleTask> tasks = {task_of(1)};
  tasks[0].record.status = 1;
  at.cache->attach(tasks);
  BOOST_TEST((tasks[0].cached.use == CacheUse::kNone));
}

BOOST_AUTO_TEST_CASE(each_decode_scale_is_a_picture_of_its_own) {
  Cached at(42, CacheForm::kDecoded);
  for (const std::uint32_t scale : {1u, 2u, 4u, 8u}) {
    std::vector<SampleTask> tasks = {task_of(3)};
    tasks[0].record.codec = static_cast<std::uint8_t>(Codec::kJpeg);
    tasks[0].request.decode_scale = scale;
    at.cache->attach(tasks);
    BOOST_TEST((tasks[0].cached.use == CacheUse::kFillPixels));
    tasks[0].cached.is_filled = true;
    at.cache->detach(tasks);
  }
  BOOST_TEST(at.cache->stats().num_kept == 4u);
}

// A whole picture is priced for its whole scratch, which its region may not need.
BOOST_AUTO_TEST_CASE(a_picture_to_be_kept_whole_is_priced_whole) {
  Cached at(42, CacheForm::kDecoded);
  std::vector<SampleTask> tasks = {task_of(3)};
  SampleTask& task = tasks[0];
  task.record.codec = static_cast<std::uint8_t>(Codec::kPng);
  task.record.flags = kFlagProgressive;  // interlaced: the rows of the region are scratch
  task.request.region = {0, 0, kSidePx, 1};
  const StoredInfo stored = stored_info(task.record);
  task.price = decode_price(stored, task.request);
  const DecodePrice region = task.price;
  at.cache->attach(tasks);
  BOOST_TEST(task.price.scratch_bytes ==
             decode_price(stored, whole_picture(stored, task.request)).scratch_bytes);
  BOOST_TEST(task.price.scratch_bytes > region.scratch_bytes);
  BOOST_TEST(task.price.decoded_bytes == region.decoded_bytes);
}

BOOST_AUTO_TEST_CASE(others_that_draw_take_from_its_end) {
  Cached at(84);  // four pages
  at.pass(0, 84);
  BOOST_TEST(at.budget.room().reclaimable_bytes == 4 * kPageBytes);
  const std::uint64_t free_bytes = (1u << 20) - at.budget.used_bytes();
  const BudgetShare share = at.budget.draw(free_bytes + kPageBytes, "another loader");
  BOOST_TEST(at.budget.used_bytes() == 1u << 20);
  // The last page and the sample that reached into it. Three pages hold 64 samples.
  BOOST_TEST(at.cache->stats().num_kept == 64u);
  BOOST_TEST(at.cache->stats().limit_bytes == 4 * kPageBytes);
  BOOST_TEST(at.pass(0, 84) == 64u);
  const BudgetShare rest = at.budget.draw(3 * kPageBytes, "another loader");
  BOOST_TEST(at.cache->stats().num_kept == 0u);
  BOOST_TEST(at.cache->stats().kept_bytes == 0u);
  BOOST_TEST(at.pass(0, 84) == 0u);
  BOOST_TEST(at.pass(0, 84) == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_left_after_a_reclaim_is_used_again) {
  Cached at(42);
  at.pass(0, 42);
  BOOST_TEST(at.cache->reclaim(kPageBytes) == kPageBytes);
  BOOST_TEST(at.cache->stats().num_kept == 21u);
  // 64 bytes are free, and a smaller sample fits there.
  std::vector<SampleTask> small = {task_of(60)};
  small[0].record.length_bytes = 64;
  at.cache->attach(small);
  BOOST_TEST(takes_in(small[0]));
  small[0].cached.is_filled = true;
  at.cache->detach(small);
  BOOST_TEST(at.pass(0, 42) == 21u);
}

BOOST_AUTO_TEST_CASE(what_runs_are_reading_is_given_back_when_they_let_go) {
  Cached at(42);
  at.pass(0, 42);
  auto tasks = tasks_of(40, 42);
  at.cache->attach(tasks);
  BOOST_REQUIRE(count_served(tasks) == 2u);
  std::atomic<std::uint64_t> given{0};
  std::jthread drawing([&] { given = at.cache->reclaim(kPageBytes); });
  tests::wait_until([&] { return at.cache->stats().num_kept == 21u; });
  BOOST_TEST(given == 0u);
  check_contents(tasks);
  // Nobody is attached to them any more, and nothing is stored over them.
  auto more = tasks_of(40, 44);
  at.cache->attach(more);
  for (const SampleTask& task : more) BOOST_TEST((task.cached.use == CacheUse::kNone));
  at.cache->detach(more);
  at.cache->detach(tasks);
  drawing.join();
  BOOST_TEST(given == kPageBytes);
}

BOOST_AUTO_TEST_CASE(a_cache_that_is_closed_keeps_no_one_waiting_and_what_is_in_use) {
  Cached at(42);
  at.pass(0, 42);
  auto tasks = tasks_of(5, 6);  // in the first page
  at.cache->attach(tasks);
  std::atomic<std::uint64_t> given{0};
  std::jthread drawing([&] { given = at.cache->reclaim(2 * kPageBytes); });
  tests::wait_until([&] { return at.cache->stats().num_kept == 0u; });
  at.cache->close();
  drawing.join();
  BOOST_TEST(given == kPageBytes);
  check_contents(tasks);
  at.cache->detach(tasks);
  BOOST_TEST(at.pass(0, 42) == 0u);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_longer_free_make_no_cache) {
  MemoryBudget budget(2 * kPageBytes);
  const BudgetShare share = budget.draw(1, "another loader");
  BOOST_TEST(SampleCache::make(CacheForm::kEncoded, Cached::layout_for(21), budget) == nullptr);
  BOOST_TEST(budget.used_bytes() == 1u);
}

// Threads that serve, take in and fail at once, while others draw: nobody ever reads another's bytes.
BOOST_AUTO_TEST_CASE(samples_stay_themselves_while_others_draw) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    BOOST_TEST_INFO("seed " << seed);
    Cached at(84);
    std::atomic<bool> has_ended{false};
    std::jthread drawing([&] {
      for (std::uint64_t i = 0; i < 4; ++i) {
        tests::wait_until([&] { return has_ended || at.cache->stats().num_hits > 100 * i; });
        const auto share =
            at.budget.draw((1u << 20) - at.budget.used_bytes() + kPageBytes, "loader");
      }
    });
    // One thread attaches, in order; the tasks of 3 batches are in flight at a time.
    std::vector<std::jthread> readers;
    std::vector<std::vector<SampleTask>> batches(3);
    std::atomic<int> num_wrong{0};
    for (std::uint64_t i = 0; i < 200; ++i) {
      auto& tasks = batches[i % batches.size()];
      if (readers.size() == batches.size()) {
        readers.front().join();
        readers.erase(readers.begin());
      }
      tasks.clear();
      const Draws draws({.seed = seed, .position = i});
      for (std::uint16_t k = 0; k < 8; ++k) tasks.push_back(task_of(draws.block(k)[0] % 90));
      at.cache->attach(tasks);
      readers.emplace_back([&at, &tasks, &num_wrong] {
        fill(tasks);
        for (const SampleTask& task : tasks) {
          if (task.cached.use == CacheUse::kNone) continue;
          const auto bytes = task.cached.bytes.first(kSampleBytes);
          const auto own = static_cast<std::byte>(task.info.sample_id % 251);
          num_wrong += std::ranges::count(bytes, own) != std::ptrdiff_t{kSampleBytes};
        }
        at.cache->detach(tasks);
      });
    }
    readers.clear();
    has_ended = true;
    BOOST_REQUIRE(num_wrong == 0);
    BOOST_REQUIRE(at.cache->stats().num_hits > 0u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
