#include "streamer/read/work_arena.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <map>
#include <thread>

#include "streamer/core/draws.h"
#include "streamer/core/error.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(work_arena)

BOOST_AUTO_TEST_CASE(blocks_never_overlap_and_the_arena_empties_to_one_piece) {
  MemoryBudget budget(1 << 20);
  WorkArena arena(64 << 10, budget);
  const std::uint64_t seed = 11;
  BOOST_TEST_MESSAGE("seed " << seed);
  std::map<std::size_t, std::size_t> live;  // offset to size
  for (std::uint64_t step = 0; step < 5000; ++step) {
    const auto words = Draws({.seed = seed, .position = step}).block(0);
    const std::size_t wanted = 1 + words[0] % 6000;
    std::size_t used = 0;
    for (const auto& [offset, size] : live) used += size;
    // Half empty at least: a first fit of less than a tenth of the arena then always exists here,
    // because blocks of such sizes cannot fragment it further.
    while (used > (32u << 10)) {
      auto victim = std::next(live.begin(), static_cast<long>(words[1] % live.size()));
      used -= victim->second;
      arena.release({victim->first, victim->second});
      live.erase(victim);
    }
    const auto block = arena.acquire(wanted, {});
    BOOST_REQUIRE(block.has_value());
    BOOST_REQUIRE(block->size_bytes >= wanted);
    BOOST_REQUIRE(block->offset_bytes % WorkArena::kAlignmentBytes == 0u);
    const auto next = live.lower_bound(block->offset_bytes);
    if (next != live.end()) BOOST_REQUIRE(block->offset_bytes + block->size_bytes <= next->first);
    if (next != live.begin()) {
      const auto before = std::prev(next);
      BOOST_REQUIRE(before->first + before->second <= block->offset_bytes);
    }
    live[block->offset_bytes] = block->size_bytes;
  }
  for (const auto& [offset, size] : live) arena.release({offset, size});
  BOOST_TEST(arena.acquire(arena.size_bytes(), {})->offset_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(a_request_waits_until_enough_is_given_back) {
  MemoryBudget budget(1 << 20);
  WorkArena arena(1024, budget);
  const auto first = arena.acquire(768, {});
  std::atomic<bool> was_released = false;
  std::jthread other([&] {
    was_released = true;
    arena.release(*first);
  });
  const auto second = arena.acquire(512, {});
  BOOST_TEST(was_released.load());
  BOOST_TEST(second->offset_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_wait) {
  MemoryBudget budget(1 << 20);
  WorkArena arena(1024, budget);
  BOOST_TEST(arena.acquire(1024, {}).has_value());
  std::stop_source stop;
  std::jthread other([&] { stop.request_stop(); });
  BOOST_TEST(!arena.acquire(64, stop.get_token()).has_value());
}

BOOST_AUTO_TEST_CASE(its_bytes_are_drawn_from_the_budget) {
  MemoryBudget budget(1000);
  BOOST_CHECK_THROW(WorkArena(2000, budget), Error);
  {
    const WorkArena arena(512, budget);
    BOOST_TEST(budget.used_bytes() == 512u);
  }
  BOOST_TEST(budget.used_bytes() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
