#include "streamer/core/memory_budget.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "streamer/core/host_memory.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(memory_budget)

BOOST_AUTO_TEST_CASE(a_share_is_given_back_when_it_dies) {
  MemoryBudget budget(1000);
  {
    const BudgetShare share = budget.draw(700, "ring");
    BOOST_TEST(budget.used_bytes() == 700u);
  }
  BOOST_TEST(budget.used_bytes() == 0u);
  BOOST_TEST(budget.high_water_bytes() == 700u);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_with_the_arithmetic) {
  MemoryBudget budget(2048);
  const BudgetShare share = budget.draw(1024, "ring");
  BOOST_CHECK_EXCEPTION(budget.draw(1536, "decode arena"), Error, [](const Error& error) {
    return error.code() == ErrorCode::kOutOfMemory &&
           std::string(error.what()) ==
               "memory limit: decode arena: expected at most 1.0 KiB (what is left of 2.0 KiB), "
               "found 1.5 KiB";
  });
  BOOST_TEST(budget.used_bytes() == 1024u);
}

BOOST_AUTO_TEST_CASE(sizes_that_differ_by_little_are_told_to_the_byte) {
  MemoryBudget budget(2048);
  const BudgetShare share = budget.draw(1024, "ring");
  BOOST_CHECK_EXCEPTION(budget.draw(1025, "decode arena"), Error, [](const Error& error) {
    return std::string(error.what()) ==
           "memory limit: decode arena: expected at most 1024 B (what is left of 2.0 KiB), "
           "found 1025 B";
  });
}

BOOST_AUTO_TEST_CASE(a_share_moved_over_another_gives_the_other_back) {
  MemoryBudget budget(100);
  BudgetShare share = budget.draw(10, "a");
  share = budget.draw(20, "b");
  BOOST_TEST(budget.used_bytes() == 20u);
}

BOOST_AUTO_TEST_CASE(a_share_may_outlive_its_budget) {
  BudgetShare share;
  {
    MemoryBudget budget(100);
    share = budget.draw(10, "a");
  }
  share.reset();
  BOOST_TEST(share.bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(host_buffers_are_zeroed_and_page_aligned) {
  const HostBuffer buffer(page_aligned_memory(), 10'000);
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(buffer.data()) % kPageBytes == 0u);
  for (const std::byte byte : buffer.bytes()) BOOST_REQUIRE(byte == std::byte{0});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
