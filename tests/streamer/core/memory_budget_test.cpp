#include "streamer/core/memory_budget.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "streamer/core/draws.h"
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

// A cache without samples: gives back what it is asked for.
struct Yielding final : ReclaimableMemory {
  static std::shared_ptr<Yielding> make(MemoryBudget& budget, std::uint64_t bytes) {
    auto yielding = std::make_shared<Yielding>();
    const std::scoped_lock lock(yielding->mutex);
    auto share = budget.draw_reclaimable(bytes, yielding);
    if (!share) return nullptr;
    yielding->share = std::move(*share);
    return yielding;
  }
  std::uint64_t reclaim(std::uint64_t bytes) noexcept override {
    const std::scoped_lock lock(mutex);
    ++num_asked;
    const std::uint64_t given = std::min(share.bytes(), bytes);
    share.give_back(given);
    return given;
  }
  std::uint64_t bytes() {
    const std::scoped_lock lock(mutex);
    return share.bytes();
  }

  std::mutex mutex;
  BudgetShare share;  // guarded by mutex
  std::atomic<int> num_asked{0};
};

BOOST_AUTO_TEST_CASE(what_is_missing_is_taken_from_caches_and_no_more) {
  MemoryBudget budget(1000);
  const auto first = Yielding::make(budget, 300);
  const auto second = Yielding::make(budget, 600);
  BOOST_TEST(budget.room().left_bytes == 1000u);
  BOOST_TEST(budget.room().reclaimable_bytes == 900u);
  const BudgetShare fits = budget.draw(100, "ring");
  BOOST_TEST(first->num_asked + second->num_asked == 0);
  const BudgetShare share = budget.draw(400, "ring");
  BOOST_TEST(first->bytes() + second->bytes() == 500u);
  BOOST_TEST(budget.used_bytes() == 1000u);
  BOOST_TEST(budget.high_water_bytes() == 1000u);
  BOOST_TEST(budget.room().left_bytes == 500u);
}

BOOST_AUTO_TEST_CASE(caches_keep_what_would_not_be_enough_anyway) {
  MemoryBudget budget(1000);
  const BudgetShare share = budget.draw(500, "ring");
  const auto cache = Yielding::make(budget, 400);
  BOOST_CHECK_EXCEPTION(budget.draw(501, "decode arena"), Error, [](const Error& error) {
    return std::string(error.what()) ==
           "memory limit: decode arena: expected at most 100 B (what is left of 1000 B), found 501 "
           "B";
  });
  BOOST_TEST(cache->num_asked == 0);
  BOOST_TEST(cache->bytes() == 400u);
}

BOOST_AUTO_TEST_CASE(what_is_drawn_only_if_free_takes_nothing_from_caches) {
  MemoryBudget budget(1000);
  const auto cache = Yielding::make(budget, 900);
  BOOST_TEST(!budget.draw_free(101).has_value());
  BOOST_TEST(Yielding::make(budget, 101) == nullptr);
  BOOST_TEST(budget.draw_free(100).has_value());
  BOOST_TEST(cache->num_asked == 0);
}

// Asked, but empty-handed: the draw ends in a refusal, not in a loop.
BOOST_AUTO_TEST_CASE(a_cache_that_cannot_give_back_does_not_hold_up_a_draw) {
  struct Stubborn final : ReclaimableMemory {
    std::uint64_t reclaim(std::uint64_t) noexcept override { return 0; }
  };
  MemoryBudget budget(1000);
  const auto stubborn = std::make_shared<Stubborn>();
  const auto share = budget.draw_reclaimable(1000, stubborn);
  BOOST_CHECK_THROW(budget.draw(1, "ring"), Error);
}

BOOST_AUTO_TEST_CASE(a_cache_that_is_gone_is_not_asked_and_its_bytes_are_free) {
  MemoryBudget budget(1000);
  Yielding::make(budget, 1000).reset();
  BOOST_TEST(budget.room().reclaimable_bytes == 0u);
  BOOST_TEST(budget.draw(1000, "ring").bytes() == 1000u);
}

// Four threads draw and let go, caches come and go: every draw that fits beside the other threads'
// succeeds, and the books balance.
BOOST_AUTO_TEST_CASE(threads_that_draw_at_once_find_their_bytes) {
  constexpr std::uint64_t kLimit = 4096;
  constexpr std::uint64_t kNumThreads = 4;
  MemoryBudget budget(kLimit);
  std::atomic<int> num_refused{0};
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t thread = 0; thread < kNumThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::uint64_t i = 0; i < 2000; ++i) {
          const auto words = Draws({.seed = thread, .position = i}).block(0);
          const auto cache = Yielding::make(budget, words[0] % kLimit);
          try {
            const auto share = budget.draw(words[1] % (kLimit / kNumThreads), "ring");
          } catch (const Error&) {
            ++num_refused;
          }
        }
      });
    }
  }
  BOOST_TEST(num_refused == 0);
  BOOST_TEST(budget.used_bytes() == 0u);
  BOOST_TEST(budget.room().reclaimable_bytes == 0u);
  BOOST_TEST(budget.high_water_bytes() <= kLimit);
}

BOOST_AUTO_TEST_CASE(pages_that_are_discarded_read_as_zero_and_the_others_stay) {
  const HostBuffer buffer(page_aligned_memory(), 4 * kPageBytes);
  std::memset(buffer.data(), 7, buffer.size_bytes());
  discard_pages(buffer.bytes().subspan(kPageBytes, 2 * kPageBytes));
  for (std::size_t i = 0; i < buffer.size_bytes(); ++i) {
    const bool is_discarded = i / kPageBytes == 1 || i / kPageBytes == 2;
    BOOST_REQUIRE(buffer.bytes()[i] == std::byte{is_discarded ? std::uint8_t{0} : std::uint8_t{7}});
  }
  discard_pages({});
}

BOOST_AUTO_TEST_CASE(host_buffers_are_zeroed_and_page_aligned) {
  const HostBuffer buffer(page_aligned_memory(), 10'000);
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(buffer.data()) % kPageBytes == 0u);
  for (const std::byte byte : buffer.bytes()) BOOST_REQUIRE(byte == std::byte{0});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
