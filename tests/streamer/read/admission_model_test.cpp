// A model of the pipeline around the arena: one acquirer in order, holders that finish in any
// order, sizes that fragment as badly as they can. Nothing of it knows threads or pictures.
#include <boost/test/unit_test.hpp>
#include <deque>
#include <thread>

#include "streamer/core/draws.h"
#include "streamer/read/work_arena.h"

namespace penstock {
namespace {

constexpr std::size_t kArenaBytes = 64u << 10;

std::stop_token requested_stop() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

// Sizes that an enemy of first fit would send, by the number of the request.
std::size_t request_bytes(std::uint64_t pattern, const std::array<std::uint32_t, 4>& words,
                          std::uint64_t seq) {
  switch (pattern) {
    case 0:  // anything
      return 1 + words[0] % kArenaBytes;
    case 1:  // dust, and now and then the whole arena
      return words[0] % 50 == 0 ? kArenaBytes : 1 + words[1] % 200;
    case 2:  // just above half: no two fit
      return kArenaBytes / 2 + 1 + words[0] % 100;
    case 3:  // small and large by turns: releasing the large leaves holes a little too small
      return seq % 2 == 0 ? 64 : 4096 + seq % 64 * 64;
    default:  // powers of two, growing and falling
      return std::size_t{64} << (seq % 11);
  }
}

struct Held {
  std::uint64_t seq = 0;
  WorkBlock block;
};

// Steps until the request is granted; each step one holder, drawn at random, gives back. The oldest
// is the last to go, so nothing rests on it going early. Returns the number of steps.
std::size_t wait_for(WorkArena& arena, std::size_t size_bytes, std::deque<Held>& held,
                     const Draws& draws, std::optional<WorkBlock>& block) {
  std::size_t num_steps = 0;
  while (!(block = arena.acquire(size_bytes, requested_stop()))) {
    BOOST_REQUIRE_MESSAGE(!held.empty(), "an empty arena refuses " << size_bytes << " bytes");
    const std::uint32_t word = draws.block(static_cast<std::uint16_t>(10 + num_steps % 1000))[0];
    const auto victim = held.begin() + (held.size() == 1 ? 0 : 1 + word % (held.size() - 1));
    arena.release(victim->block);
    held.erase(victim);
    ++num_steps;
  }
  return num_steps;
}

BOOST_AUTO_TEST_SUITE(admission_model)

BOOST_AUTO_TEST_CASE(every_request_is_granted_in_order_within_the_arena_whatever_the_sizes) {
  for (std::uint64_t pattern = 0; pattern < 5; ++pattern) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      BOOST_TEST_CONTEXT("pattern " << pattern << ", seed " << seed) {
        MemoryBudget budget(kArenaBytes);
        WorkArena arena(kArenaBytes, budget);
        std::deque<Held> held;
        std::size_t held_bytes = 0;
        std::size_t most_bytes = 0;
        for (std::uint64_t seq = 0; seq < 2000; ++seq) {
          const Draws draws({.seed = seed, .position = seq});
          const std::size_t before = held.size();
          std::optional<WorkBlock> block;
          const std::size_t num_steps =
              wait_for(arena, request_bytes(pattern, draws.block(0), seq), held, draws, block);
          BOOST_REQUIRE(num_steps <= before);  // progress: no more releases than there are holders
          for (const Held& other : held) {
            BOOST_REQUIRE(
                (block->offset_bytes >= other.block.offset_bytes + other.block.size_bytes ||
                 other.block.offset_bytes >= block->offset_bytes + block->size_bytes));
          }
          held.push_back({seq, *block});
          held_bytes = 0;
          for (const Held& one : held) held_bytes += one.block.size_bytes;
          BOOST_REQUIRE(held_bytes <= arena.size_bytes());
          most_bytes = std::max(most_bytes, held_bytes);
        }
        BOOST_TEST(arena.high_water_bytes() == most_bytes);
        BOOST_TEST(budget.high_water_bytes() == kArenaBytes);
        for (const Held& one : held) arena.release(one.block);
        BOOST_TEST(arena.acquire(kArenaBytes, {}).has_value());
      }
    }
  }
}

// The same with threads: one acquires in order, three finish what they hold in no order at all.
BOOST_AUTO_TEST_CASE(waiting_ends_with_threads_that_give_back_in_any_order) {
  for (std::uint64_t pattern = 0; pattern < 5; ++pattern) {
    MemoryBudget budget(kArenaBytes);
    WorkArena arena(kArenaBytes, budget);
    std::mutex mutex;
    std::condition_variable_any pushed;
    std::vector<Held> held;  // guarded by mutex
    std::uint64_t num_granted = 0;
    {
      std::vector<std::jthread> holders;
      for (std::uint64_t seed = 0; seed < 3; ++seed) {
        holders.emplace_back([&, seed](const std::stop_token& stop) {
          for (std::uint64_t step = 0;; ++step) {
            std::unique_lock lock(mutex);
            if (!pushed.wait(lock, stop, [&] { return !held.empty(); })) return;
            const std::uint32_t word = Draws({.seed = seed, .position = step}).block(0)[0];
            const auto victim = held.begin() + word % static_cast<std::uint32_t>(held.size());
            const WorkBlock block = victim->block;
            held.erase(victim);
            lock.unlock();
            arena.release(block);
          }
        });
      }
      for (std::uint64_t seq = 0; seq < 3000; ++seq) {
        const auto words = Draws({.seed = 99, .position = seq}).block(0);
        const auto block = arena.acquire(request_bytes(pattern, words, seq), {});
        BOOST_REQUIRE(block.has_value());
        ++num_granted;
        const std::scoped_lock lock(mutex);
        held.push_back({seq, *block});
        pushed.notify_one();
      }
    }
    BOOST_TEST(num_granted == 3000u);
    BOOST_TEST(arena.high_water_bytes() <= kArenaBytes);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
