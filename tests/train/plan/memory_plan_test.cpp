#include "train/plan/memory_plan.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

std::vector<Buffer> random_buffers(std::mt19937& random, const std::string& prefix) {
  std::vector<Buffer> buffers;
  const std::size_t count = 1 + random() % 25;
  for (std::size_t i = 0; i < count; ++i) {
    Buffer buffer{.name = prefix + std::to_string(i),
                  .bytes = random() % 5000,
                  .align = std::size_t{1} << random() % 9};
    buffer.role = random() % 4 == 0 ? Role::kMaster : Role::kTransient;
    buffer.first_step = static_cast<std::uint32_t>(random() % 20);
    buffer.last_step = buffer.first_step + static_cast<std::uint32_t>(random() % 10);
    if (is_persistent(buffer.role)) buffer.name = "shared" + std::to_string(random() % 6);
    const auto is_same = [&](const Buffer& other) { return other.name == buffer.name; };
    if (std::ranges::none_of(buffers, is_same)) buffers.push_back(buffer);
  }
  return buffers;
}

bool overlap(std::size_t a, std::size_t a_bytes, std::size_t b, std::size_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes && a_bytes > 0 && b_bytes > 0;
}

/// Bytes alive in the busiest step: no plan can need fewer.
std::size_t busiest_step(const std::vector<Buffer>& buffers) {
  std::size_t most = 0;
  for (std::uint32_t step = 0; step < 40; ++step) {
    std::size_t alive = 0;
    for (const Buffer& b : buffers) {
      if (!is_persistent(b.role) && b.first_step <= step && step <= b.last_step) alive += b.bytes;
    }
    most = std::max(most, alive);
  }
  return most;
}

BOOST_AUTO_TEST_SUITE(memory_plan)

BOOST_AUTO_TEST_CASE(buffers_alive_together_never_overlap) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      const std::vector<std::vector<Buffer>> programs = {random_buffers(random, "a"),
                                                         random_buffers(random, "b")};
      const std::span<const Buffer> spans[] = {programs[0], programs[1]};
      const MemoryPlan plan = plan_memory(spans);
      for (std::size_t p = 0; p < 2; ++p) {
        for (std::size_t i = 0; i < programs[p].size(); ++i) {
          const Buffer& a = programs[p][i];
          const std::size_t at = plan.offsets[p][i];
          BOOST_TEST_REQUIRE(at % a.align == 0u);
          BOOST_TEST_REQUIRE(at + a.bytes <= plan.arena_bytes);
          for (std::size_t q = 0; q < 2; ++q) {
            for (std::size_t j = 0; j < programs[q].size(); ++j) {
              const Buffer& b = programs[q][j];
              const bool both_stay = is_persistent(a.role) && is_persistent(b.role);
              if (both_stay && a.name == b.name) {
                BOOST_TEST_REQUIRE(at == plan.offsets[q][j]);
                continue;
              }
              const bool one_stays = is_persistent(a.role) || is_persistent(b.role);
              const bool meet =
                  p == q && i != j && a.first_step <= b.last_step && b.first_step <= a.last_step;
              if (!one_stays && !meet) continue;
              BOOST_TEST_REQUIRE(!overlap(at, a.bytes, plan.offsets[q][j], b.bytes));
            }
          }
        }
        BOOST_TEST_REQUIRE(plan.passing_bytes >= busiest_step(programs[p]));
      }
    }
  }
}

// Three equal buffers in a chain, each alive with its neighbour only: two places are enough.
BOOST_AUTO_TEST_CASE(chain_of_values_takes_two_places) {
  std::vector<Buffer> chain;
  for (std::uint32_t i = 0; i < 6; ++i) {
    chain.push_back(
        {.name = "v" + std::to_string(i), .bytes = 640, .first_step = i, .last_step = i + 1});
  }
  const std::span<const Buffer> spans[] = {chain};
  BOOST_TEST(plan_memory(spans).arena_bytes == 2u * 640);
}

BOOST_AUTO_TEST_CASE(roles_are_added_up_with_shared_places_once) {
  const std::vector<Buffer> a = {{.name = "w", .role = Role::kMaster, .bytes = 100},
                                 {.name = "x", .role = Role::kTransient, .bytes = 50}};
  const std::vector<Buffer> b = {{.name = "w", .role = Role::kMaster, .bytes = 100},
                                 {.name = "x", .role = Role::kTransient, .bytes = 70}};
  const std::span<const Buffer> spans[] = {a, b};
  const MemoryPlan plan = plan_memory(spans);
  BOOST_TEST(plan.roles.size() == 2u);
  BOOST_TEST(plan.roles[0].bytes == 100u);
  BOOST_TEST(plan.roles[1].bytes == 120u);
  BOOST_TEST(plan.persistent_bytes == 128u);
  BOOST_TEST(plan.passing_bytes == 70u);
}

BOOST_AUTO_TEST_CASE(impossible_buffers_are_refused) {
  const std::vector<Buffer> crooked = {{.name = "x", .bytes = 8, .align = 48}};
  const std::vector<Buffer> backwards = {
      {.name = "x", .bytes = 8, .first_step = 3, .last_step = 2}};
  const std::span<const Buffer> first[] = {crooked};
  const std::span<const Buffer> second[] = {backwards};
  BOOST_CHECK_THROW(plan_memory(first), Error);
  BOOST_CHECK_THROW(plan_memory(second), Error);
}

// One would be written over the other.
BOOST_AUTO_TEST_CASE(two_persistent_buffers_of_one_name_in_a_program_are_refused) {
  std::vector<Buffer> twice = {{.name = "w", .role = Role::kMaster, .bytes = 8},
                               {.name = "w", .role = Role::kState, .bytes = 8}};
  const std::span<const Buffer> spans[] = {twice};
  BOOST_CHECK_EXCEPTION(plan_memory(spans), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()).find("memory plan: w: expected one buffer of that name") !=
               std::string::npos;
  });
  for (Buffer& buffer : twice) buffer.role = Role::kTransient;  // these have places of their own
  BOOST_TEST(plan_memory(spans).passing_bytes == 72u);
}

// Each pair adds up to 2^64 or a little more: kept apart, together, rounded up, or by role.
BOOST_AUTO_TEST_CASE(sizes_that_wrap_around_are_out_of_memory) {
  constexpr std::size_t kHalf = std::size_t{1} << 63;
  const std::vector<std::vector<Buffer>> cases = {
      {{.name = "a", .role = Role::kMaster, .bytes = kHalf},
       {.name = "b", .role = Role::kMaster, .bytes = kHalf}},
      {{.name = "a", .bytes = kHalf}, {.name = "b", .bytes = kHalf}},
      {{.name = "a", .role = Role::kMaster, .bytes = kHalf}, {.name = "b", .bytes = kHalf}},
      {{.name = "a", .role = Role::kMaster, .bytes = SIZE_MAX - 62}},
      {{.name = "a", .bytes = kHalf},
       {.name = "b", .bytes = kHalf, .first_step = 1, .last_step = 1}}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::span<const Buffer> spans[] = {cases[i]};
    BOOST_TEST_CONTEXT("case " << i) {
      BOOST_CHECK_EXCEPTION(plan_memory(spans), Error, [](const Error& error) {
        return error.code() == ErrorCode::kOutOfMemory;
      });
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
