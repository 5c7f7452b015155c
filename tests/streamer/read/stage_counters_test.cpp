#include "streamer/read/stage_counters.h"

#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(stage_counters)

BOOST_AUTO_TEST_CASE(a_stopwatch_counts_open_and_closed_scopes_and_nothing_between) {
  Stopwatch watch;
  BOOST_TEST(watch.ns(steady_ns()) == 0);
  std::int64_t least = 0;
  std::int64_t most = 0;
  for (int i = 0; i < 3; ++i) {
    const std::int64_t before = steady_ns();
    {
      const Stopwatch::Scope scope(watch);
      const std::int64_t opened = steady_ns();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      const std::int64_t now = steady_ns();
      BOOST_TEST(watch.ns(now) >= least + now - opened - 2 * (i + 1));  // 2 ns of rounding a scope
      BOOST_TEST(watch.ns(now) <= most + now - before);
      least += now - opened;
    }
    most += steady_ns() - before;
    const std::int64_t closed = watch.ns(0);
    BOOST_TEST(closed >= least - 2 * (i + 1));
    BOOST_TEST(closed <= most);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    BOOST_TEST(watch.ns(steady_ns()) == closed);
  }
}

BOOST_AUTO_TEST_CASE(a_queue_knows_what_is_in_it_and_the_most_there_was) {
  QueueBytes queue;
  queue.enter(10);
  queue.enter(30);
  queue.leave(10);
  BOOST_CHECK((queue.stats() == QueueStats{.now_bytes = 30, .most_bytes = 40}));
  queue.leave(30);
  queue.enter(5);
  BOOST_CHECK((queue.stats() == QueueStats{.now_bytes = 5, .most_bytes = 40}));
}

BOOST_AUTO_TEST_CASE(what_many_threads_count_adds_up) {
  Tally tally;
  QueueBytes queue;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 10'000; ++i) {
          tally.add(3);
          queue.enter(7);
          queue.leave(7);
        }
      });
    }
  }
  BOOST_TEST(tally.sum() == 4 * 10'000 * 3);
  BOOST_TEST(queue.stats().now_bytes == 0u);
  BOOST_TEST(queue.stats().most_bytes >= 7u);
  BOOST_TEST(queue.stats().most_bytes <= 28u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
