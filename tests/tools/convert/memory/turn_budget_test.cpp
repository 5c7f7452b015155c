#include "tools/convert/write/turn_budget.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <random>
#include <thread>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

BOOST_AUTO_TEST_SUITE(turn_budget)

// Results of a turn are given back in order only, as they leave: with any other order of drawing, a
// later turn could hold what an earlier one waits for.
BOOST_AUTO_TEST_CASE(every_turn_gets_its_bytes_and_no_more_are_out_than_the_limit) {
  const unsigned seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  constexpr std::uint64_t kLimit = 100;
  constexpr std::size_t kNumTurns = 3000;
  std::mt19937 random(seed);
  std::vector<std::uint64_t> wants;
  for (std::size_t i = 0; i < kNumTurns; ++i) wants.push_back(random() % (kLimit + 1));
  TurnBudget budget(kLimit);
  std::atomic<std::uint64_t> out = 0;
  std::atomic<std::uint64_t> most = 0;
  std::atomic<std::size_t> next = 0;
  std::vector<std::atomic<bool>> is_done(kNumTurns);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (std::size_t turn = next++; turn < kNumTurns; turn = next++) {
          budget.await(turn);
          budget.draw(wants[turn]);
          const std::uint64_t now = out += wants[turn];
          std::uint64_t seen = most;
          while (now > seen && !most.compare_exchange_weak(seen, now)) {
          }
          budget.pass();
          is_done[turn] = true;
          is_done[turn].notify_one();
        }
      });
    }
    for (std::size_t turn = 0; turn < kNumTurns; ++turn) {
      is_done[turn].wait(false);
      out -= wants[turn];
      budget.give_back(wants[turn]);
    }
  }
  BOOST_TEST(most <= kLimit);
  BOOST_TEST(most > kLimit / 2);
}

BOOST_AUTO_TEST_CASE(a_halt_ends_all_waiting) {
  TurnBudget budget(10);
  budget.await(0);
  budget.draw(10);
  std::atomic<int> num_ended = 0;
  const auto ends = [&](auto wait) {
    return std::jthread([&, wait] {
      try {
        wait();
      } catch (const Error& error) {
        if (error.code() == ErrorCode::kStopped) ++num_ended;
      }
    });
  };
  {
    const std::jthread waits_for_bytes = ends([&] { budget.draw(1); });
    const std::jthread waits_for_a_turn = ends([&] { budget.await(3); });
    budget.halt();
  }
  BOOST_TEST(num_ended == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
