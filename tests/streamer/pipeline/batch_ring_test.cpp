#include "streamer/pipeline/batch_ring.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "streamer/core/error.h"

namespace penstock {
namespace {

struct Fixture {
  std::uint32_t acquire() { return ring->acquire({}).value(); }

  MemoryBudget budget{1 << 20};
  std::shared_ptr<BatchRing> ring = std::make_shared<BatchRing>(
      BatchRing::Config{.spec = {.batch = 1, .height_px = 1, .width_px = 1}, .num_slots = 3},
      budget, page_aligned_memory());
};

BOOST_FIXTURE_TEST_SUITE(batch_ring, Fixture)

BOOST_AUTO_TEST_CASE(an_error_is_thrown_after_what_came_before_it_and_ever_after) {
  const std::uint32_t first = acquire();
  const std::uint32_t second = acquire();
  ring->publish(first);
  ring->fail(std::make_exception_ptr(std::runtime_error("the disk is gone")));
  ring->fail(std::make_exception_ptr(std::runtime_error("a later one")));
  BOOST_TEST(static_cast<bool>(ring->take()));
  for (int again = 0; again < 2; ++again) {
    BOOST_CHECK_EXCEPTION(ring->take(), std::runtime_error, [](const std::runtime_error& error) {
      return std::string(error.what()) == "the disk is gone";
    });
    ring->publish(second);  // a batch that was under way all the same
  }
}

BOOST_AUTO_TEST_CASE(to_wait_with_all_slots_lent_is_refused_and_a_release_mends_it) {
  std::vector<BatchLease> leases;
  for (int i = 0; i < 3; ++i) {
    ring->publish(acquire());
    leases.push_back(ring->take());
  }
  BOOST_CHECK_EXCEPTION(ring->take(), Error, [](const Error& error) {
    BOOST_TEST(!error.hint().empty());
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) ==
               "loader: next batch: expected at most 2 leases held (num_slots less one), found 3";
  });
  leases.pop_back();
  ring->publish(acquire());
  BOOST_TEST(static_cast<bool>(ring->take()));
}

BOOST_AUTO_TEST_CASE(a_free_slot_is_taken_after_a_stop_too_but_none_is_waited_for) {
  std::stop_source stop;
  stop.request_stop();
  for (int i = 0; i < 3; ++i) BOOST_TEST(ring->acquire(stop.get_token()).has_value());
  BOOST_TEST(!ring->acquire(stop.get_token()).has_value());
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_over_comes_back_empty_and_loses_nothing) {
  const std::uint32_t slot = acquire();
  for (const std::chrono::nanoseconds timeout :
       {std::chrono::nanoseconds::min(), std::chrono::nanoseconds(0),
        std::chrono::nanoseconds(std::chrono::milliseconds(5))}) {
    BOOST_TEST(!ring->take_within(timeout));
  }
  ring->publish(slot);
  BOOST_TEST(static_cast<bool>(ring->take_within(std::chrono::nanoseconds(0))));
}

BOOST_AUTO_TEST_CASE(the_longest_wait_ends_with_what_is_published_or_fails) {
  const std::uint32_t slot = acquire();
  {
    const std::jthread publisher([&] { ring->publish(slot); });
    BOOST_TEST(static_cast<bool>(ring->take_within(std::chrono::nanoseconds::max())));
  }
  const std::jthread failure(
      [&] { ring->fail(std::make_exception_ptr(std::runtime_error("the disk is gone"))); });
  BOOST_CHECK_THROW(ring->take_within(std::chrono::nanoseconds::max()), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
