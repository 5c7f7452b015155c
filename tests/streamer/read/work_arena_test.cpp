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

// With a stop requested, acquire() takes what fits at once and does not wait for the rest.
std::stop_token requested_stop() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

BOOST_AUTO_TEST_CASE(blocks_never_overlap_and_the_arena_empties_to_one_piece) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    BOOST_TEST_INFO("seed " << seed);
    MemoryBudget budget(1 << 20);
    WorkArena arena(64 << 10, budget);
    std::map<std::size_t, std::size_t> live;  // offset to size
    for (std::uint64_t step = 0; step < 4000; ++step) {
      const auto words = Draws({.seed = seed, .position = step}).block(0);
      const std::size_t wanted = 1 + words[0] % (64 << 10);
      std::optional<WorkBlock> block;
      while (!(block = arena.acquire(wanted, requested_stop()))) {
        BOOST_REQUIRE(!live.empty());  // an empty arena fits everything
        const auto victim = std::next(live.begin(), static_cast<long>(words[1] % live.size()));
        arena.release({victim->first, victim->second});
        live.erase(victim);
      }
      BOOST_REQUIRE(block->size_bytes >= wanted);
      BOOST_REQUIRE(block->offset_bytes % WorkArena::kAlignmentBytes == 0u);
      BOOST_REQUIRE(block->offset_bytes + block->size_bytes <= arena.size_bytes());
      const auto next = live.lower_bound(block->offset_bytes);
      if (next != live.end()) {
        BOOST_REQUIRE(block->offset_bytes + block->size_bytes <= next->first);
      }
      if (next != live.begin()) {
        const auto before = std::prev(next);
        BOOST_REQUIRE(before->first + before->second <= block->offset_bytes);
      }
      live[block->offset_bytes] = block->size_bytes;
    }
    for (const auto& [offset, size] : live) arena.release({offset, size});
    BOOST_TEST(arena.acquire(arena.size_bytes(), {})->offset_bytes == 0u);
  }
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
