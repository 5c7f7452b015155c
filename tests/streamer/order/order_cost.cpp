// Measures what a position of each order costs, beside one bare Philox block, and prints JSON:
//   cmake --build build/dev --target order_cost && build/dev/order_cost
// An argument takes the place of the number of positions in a round; the tests run it with a few.
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <functional>

#include "streamer/core/draws.h"
#include "streamer/order/epoch_order.h"

namespace penstock {
namespace {

constexpr int kNumRounds = 7;

// Time of this thread alone: machines are shared.
double thread_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

// 100 KiB a sample, 1,000 samples a shard, weights of 1 to 1,000, 1,000 classes.
OrderConfig config_of(SampleOrder order, std::uint64_t num_samples) {
  OrderConfig config{
      .order = order,
      .seed = 1,
      .num_samples = num_samples,
      .window_bytes = 256u << 20,
      .piece_bytes = 8u << 20,
      .num_classes = 1000,
      .class_of = [](std::uint64_t id) { return static_cast<std::uint32_t>(id * 7919 % 1000); }};
  if (order == SampleOrder::kWindowed) {
    for (std::uint64_t i = 0; i < num_samples; i += 1000) {
      const std::uint64_t count = std::min<std::uint64_t>(1000, num_samples - i);
      config.shards.push_back({.num_samples = count, .size_bytes = count * (100 << 10)});
    }
  }
  if (order == SampleOrder::kWeighted) {
    auto weights = std::make_shared<std::vector<float>>(num_samples);
    for (std::size_t i = 0; i < num_samples; ++i) {
      (*weights)[i] = static_cast<float>(1 + i * 2654435761u % 1000);
    }
    config.sample_weights = weights;
  }
  return config;
}

struct Side {
  std::string name;
  std::function<std::uint64_t(std::uint64_t begin, std::uint64_t end)> sum_of;
  std::vector<double> ns = {};  // a position, by round
};

// Sums up what comes, so that nothing is optimised away.
std::vector<Side> sides_for(std::uint64_t num_samples) {
  std::vector<Side> sides = {{"philox block", [](std::uint64_t begin, std::uint64_t end) {
                                std::uint64_t sum = 0;
                                for (std::uint64_t p = begin; p < end; ++p) {
                                  sum += Draws({.seed = 1, .position = p}).block(0)[0];
                                }
                                return sum;
                              }}};
  for (const auto order : {SampleOrder::kShuffle, SampleOrder::kSequential, SampleOrder::kWindowed,
                           SampleOrder::kWeighted, SampleOrder::kClassBalanced}) {
    const OrderPlan plan(config_of(order, num_samples));
    auto epoch = std::make_shared<const EpochOrder>(plan.epoch(1));
    sides.push_back(
        {std::string(sample_order_name(order)), [epoch](std::uint64_t begin, std::uint64_t end) {
           std::uint64_t sum = 0;
           for (std::uint64_t p = begin; p < end; ++p) sum += epoch->sample_at(p);
           return sum;
         }});
  }
  return sides;
}

void measure(std::uint64_t num_samples, std::uint64_t per_round) {
  std::vector<Side> sides = sides_for(num_samples);
  std::uint64_t sum = 0;
  for (int round = 0; round < kNumRounds; ++round) {
    const std::uint64_t begin = round * per_round % num_samples;
    const std::uint64_t end = std::min(begin + per_round, num_samples);
    for (Side& side : sides) {
      const double start_ns = thread_ns();
      sum += side.sum_of(begin, end);
      side.ns.push_back((thread_ns() - start_ns) / static_cast<double>(end - begin));
    }
  }
  for (Side& side : sides) {
    std::ranges::sort(side.ns);
    std::printf(
        "{\"num_samples\": %llu, \"order\": \"%s\", \"median_ns\": %.1f, \"least_ns\": %.1f, "
        "\"most_ns\": %.1f}\n",
        static_cast<unsigned long long>(num_samples), side.name.c_str(), side.ns[kNumRounds / 2],
        side.ns.front(), side.ns.back());
  }
  if (sum == 0) std::printf("{\"error\": \"all samples are 0\"}\n");
}

}  // namespace
}  // namespace penstock

int main(int argc, char** argv) {
  std::uint64_t per_round = 200'000;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), per_round);
  // CIFAR-10; where cycle walking is longest; ImageNet.
  for (const std::uint64_t num_samples : {50'000u, (1u << 20) + 1, 1'281'167u}) {
    penstock::measure(num_samples, std::max<std::uint64_t>(per_round, 1));
  }
  return 0;
}
