// The machine that runs kernels on the CPU: that it computes as a GPU would, and that it catches what a GPU
// would do wrong only now and then.
#include "tests/train/backend/cuda/host_gpu/host_gpu.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "train/backend/cuda/kernels/launch.h"

namespace penstock::train::cuda {
namespace {

constexpr unsigned kThreads = 128;

enum class Fault { kNone, kMissingBarrier, kOneTooMany };

/// One block sums kThreads values through shared memory.
template <Fault kFault>
void sum_through_shared_memory(const float* values, float* sum) {
  PENSTOCK_SHARED(float, parts, kThreads);
  parts[threadIdx.x] = values[threadIdx.x];
  for (unsigned stride = kThreads / 2; stride > 0; stride /= 2) {
    if (kFault != Fault::kMissingBarrier) __syncthreads();
    if (threadIdx.x < stride) parts[threadIdx.x] += parts[threadIdx.x + stride];
  }
  if (threadIdx.x == 0) *sum = parts[0];
}

/// Every warp sums its own 32 values.
void sum_in_warps(const float* values, float* sums) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = values[i];
  for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xFFFFFFFFu, sum, lanes);
  if (threadIdx.x % 32 == 0) sums[i / 32] = sum;
}

template <Fault kFault>
void double_each(const float* values, float* twice, std::size_t count) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const bool is_mine = kFault == Fault::kOneTooMany ? i <= count : i < count;
  if (is_mine) twice[i] = 2 * values[i];
}

/// Warps leave their sums to all others, twice in the same place.
template <Fault kFault>
void leave_sums_twice(const float* values, float* totals) {
  constexpr unsigned kWarps = kThreads / 32;
  PENSTOCK_SHARED(float, of_warp, kWarps);
  for (unsigned round = 0; round < 2; ++round) {
    float sum = values[threadIdx.x] * static_cast<float>(round + 1);
    for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xFFFFFFFFu, sum, lanes);
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = sum;
    __syncthreads();
    float total = 0;
    for (unsigned warp = 0; warp < kWarps; ++warp) total += of_warp[warp];
    totals[round * kThreads + threadIdx.x] = total;
    if (kFault != Fault::kMissingBarrier) __syncthreads();
  }
}

/// Half of a warp waits for lanes that take no part.
void wait_for_others() {
  if (threadIdx.x < 16) __shfl_sync(0xFFFFFFFFu, 1, 0);
}

struct Fixture {
  std::vector<float> values = std::vector<float>(kThreads);
  Fixture() { std::iota(values.begin(), values.end(), 1.0f); }

  float sum_with(void (*kernel)(const float*, float*)) {
    float sum = 0;
    launch("sum", kernel, {.block = {kThreads}}, nullptr, values.data(), &sum);
    return sum;
  }
};

BOOST_FIXTURE_TEST_SUITE(host_gpu, Fixture)

BOOST_AUTO_TEST_CASE(threads_of_a_block_share_memory_behind_barriers) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    tests::seed_host_gpu(seed);
    BOOST_TEST(sum_with(sum_through_shared_memory<Fault::kNone>) == 128 * 129 / 2);
  }
}

BOOST_AUTO_TEST_CASE(a_missing_barrier_gives_wrong_numbers) {
  int num_wrong = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    tests::seed_host_gpu(seed);
    num_wrong +=
        sum_with(sum_through_shared_memory<Fault::kMissingBarrier>) == 128 * 129 / 2 ? 0 : 1;
  }
  BOOST_TEST(num_wrong == 20);
}

// A warp that is through five exchanges before another one has read what it left.
BOOST_AUTO_TEST_CASE(a_warp_that_runs_ahead_writes_over_what_others_have_yet_to_read) {
  const auto num_wrong = [&](void (*kernel)(const float*, float*)) {
    int wrong = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      tests::seed_host_gpu(seed);
      std::vector<float> totals(2 * kThreads);
      launch("twice", kernel, {.block = {kThreads}}, nullptr, values.data(), totals.data());
      std::vector<float> expected(2 * kThreads, 128 * 129 / 2);
      std::fill(expected.begin() + kThreads, expected.end(), 128 * 129);
      wrong += totals == expected ? 0 : 1;
    }
    return wrong;
  };
  BOOST_TEST(num_wrong(leave_sums_twice<Fault::kNone>) == 0);
  BOOST_TEST(num_wrong(leave_sums_twice<Fault::kMissingBarrier>) > 5);
}

BOOST_AUTO_TEST_CASE(lanes_of_a_warp_shuffle) {
  std::vector<float> sums(kThreads / 32);
  launch("sums", sum_in_warps, {.grid = {2}, .block = {kThreads / 2}}, nullptr, values.data(),
         sums.data());
  BOOST_TEST(sums == (std::vector<float>{528, 1552, 2576, 3600}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(lanes_that_never_come_are_told_of) {
  BOOST_CHECK_EXCEPTION(launch("wait", wait_for_others, {.block = {32}}, nullptr), std::logic_error,
                        [](const std::logic_error& error) {
                          return std::string(error.what()) ==
                                 "kernel wait: lanes of a warp wait for others that never come";
                        });
}

BOOST_AUTO_TEST_CASE(a_value_behind_the_last_is_seen_by_what_stands_there) {
  const auto behind_the_last = [&](void (*kernel)(const float*, float*, std::size_t)) {
    std::vector<float> twice(101, -1.0f);
    launch("double", kernel, {.grid = {4}, .block = {32}}, nullptr, values.data(), twice.data(),
           std::size_t{100});
    BOOST_TEST(twice[99] == 200.0f);
    return twice[100];
  };
  BOOST_TEST(behind_the_last(double_each<Fault::kNone>) == -1.0f);
  BOOST_TEST(behind_the_last(double_each<Fault::kOneTooMany>) == 202.0f);
}

BOOST_AUTO_TEST_CASE(a_launch_that_no_device_takes_is_refused) {
  const DeviceStatus status = launch("wait", wait_for_others, {.block = {2048}}, nullptr);
  BOOST_TEST(!status.is_ok());
  BOOST_TEST(status.name == std::string("cudaErrorInvalidConfiguration"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
