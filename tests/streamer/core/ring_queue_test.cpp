#include "streamer/core/ring_queue.h"

#include <boost/test/unit_test.hpp>
#include <deque>
#include <random>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(ring_queue)

// Against std::deque, over phases in which the queue mostly grows and mostly shrinks.
BOOST_AUTO_TEST_CASE(it_does_what_a_deque_does) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    BOOST_TEST_INFO("seed " << seed);
    std::mt19937_64 random(seed);
    RingQueue<std::uint64_t> queue(seed);
    std::deque<std::uint64_t> twin;
    for (int step = 0; step < 2'000; ++step) {
      const bool grows = step / 200 % 2 == 0;
      if (random() % 8 < (grows ? 6u : 2u)) {
        const std::uint64_t item = random();
        queue.push_back(item);
        twin.push_back(item);
      } else if (!twin.empty()) {
        BOOST_REQUIRE(queue.front() == twin.front());
        queue.pop_front();
        twin.pop_front();
      }
      BOOST_REQUIRE(queue.size() == twin.size());
      BOOST_REQUIRE(queue.empty() == twin.empty());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
