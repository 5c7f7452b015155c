#include "streamer/core/usable_cores.h"

#include <sched.h>

#include <boost/test/unit_test.hpp>
#include <thread>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(usable_cores)

// A thread's mask is its own and goes with it. It is narrowed to a core that it holds already.
BOOST_AUTO_TEST_CASE(cores_outside_the_affinity_mask_do_not_count) {
  std::uint32_t num_narrowed = 0;
  int failed = 0;
  std::thread([&] {
    cpu_set_t mask;
    failed |= ::sched_getaffinity(0, sizeof mask, &mask);
    std::size_t core = 0;
    while (core + 1 < CPU_SETSIZE && !CPU_ISSET(core, &mask)) ++core;
    CPU_ZERO(&mask);
    CPU_SET(core, &mask);
    failed |= ::sched_setaffinity(0, sizeof mask, &mask);
    num_narrowed = num_usable_cores();
  }).join();
  BOOST_REQUIRE(failed == 0);
  BOOST_TEST(num_narrowed == 1u);
  BOOST_TEST(num_usable_cores() >= num_narrowed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
