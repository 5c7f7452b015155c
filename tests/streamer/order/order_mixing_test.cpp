// Measures how well each order mixes, and holds the table in streamer/order/README.md to it:
//   build/dev/test_streamer --run_test=order_mixing --log_level=message
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include "streamer/order/epoch_order.h"

namespace penstock {
namespace {

// 100,000 samples of 100 KiB stored class by class: the worst case, as a folder is converted.
constexpr std::uint64_t kNumShards = 100;
constexpr std::uint64_t kPerShard = 1000;  // one class a shard
constexpr std::uint64_t kNum = kNumShards * kPerShard;
constexpr std::uint64_t kSampleBytes = 100u << 10;
constexpr std::uint64_t kBatch = 128;
constexpr std::uint64_t kSeed = 1;

// Pieces and windows in bytes, for SampleOrder::kWindowed.
struct Cut {
  std::uint64_t piece_bytes = 0;
  std::uint64_t window_bytes = 0;
};

OrderPlan plan_of(SampleOrder order, Cut cut = {}) {
  return OrderPlan(
      {.order = order,
       .seed = kSeed,
       .num_samples = kNum,
       .window_bytes = cut.window_bytes,
       .piece_bytes = cut.piece_bytes,
       .shards = std::vector<ShardExtent>(
           kNumShards, {.num_samples = kPerShard, .size_bytes = kPerShard * kSampleBytes})});
}

std::vector<std::uint64_t> ids_of(const EpochOrder& order) {
  std::vector<std::uint64_t> ids(kNum);
  for (std::uint64_t p = 0; p < kNum; ++p) ids[p] = order.sample_at(p);
  return ids;
}

double classes_per_batch(const std::vector<std::uint64_t>& ids) {
  double sum = 0;
  for (std::uint64_t begin = 0; begin + kBatch <= kNum; begin += kBatch) {
    std::vector<bool> seen(kNumShards, false);
    for (std::uint64_t p = begin; p < begin + kBatch; ++p) seen[ids[p] / kPerShard] = true;
    sum += static_cast<double>(std::ranges::count(seen, true));
  }
  return sum / static_cast<double>(kNum / kBatch);
}

std::uint64_t longest_run(const std::vector<std::uint64_t>& ids) {
  std::uint64_t longest = 0;
  std::uint64_t run = 0;
  for (std::uint64_t p = 0; p < kNum; ++p) {
    run = p > 0 && ids[p] / kPerShard == ids[p - 1] / kPerShard ? run + 1 : 1;
    longest = std::max(longest, run);
  }
  return longest;
}

// Of two samples in one batch of this epoch, how often they share one in the next.
double together_again(const std::vector<std::uint64_t>& ids,
                      const std::vector<std::uint64_t>& next) {
  std::vector<std::uint64_t> next_batch(kNum);
  for (std::uint64_t p = 0; p < kNum; ++p) next_batch[next[p]] = p / kBatch;
  double num_pairs = 0;
  double num_again = 0;
  for (std::uint64_t begin = 0; begin + kBatch <= kNum; begin += kBatch) {
    std::map<std::uint64_t, double> sizes;
    for (std::uint64_t p = begin; p < begin + kBatch; ++p) ++sizes[next_batch[ids[p]]];
    for (const auto& [batch, size] : sizes) num_again += size * (size - 1) / 2;
    num_pairs += kBatch * (kBatch - 1) / 2.0;
  }
  return num_again / num_pairs;
}

struct Mixing {
  double classes = 0;
  std::uint64_t longest_run = 0;
  double together_again = 0;
};

Mixing mixing_of(const OrderPlan& plan) {
  const auto ids = ids_of(plan.epoch(0));
  return {.classes = classes_per_batch(ids),
          .longest_run = longest_run(ids),
          .together_again = together_again(ids, ids_of(plan.epoch(1)))};
}

std::string row_of(const std::string& name, const Mixing& mixing) {
  char text[120];
  std::snprintf(text, sizeof text, "| %s | %.1f | %llu | %.2f %% |", name.c_str(), mixing.classes,
                static_cast<unsigned long long>(mixing.longest_run), 100 * mixing.together_again);
  BOOST_TEST_MESSAGE(text);
  return text;
}

BOOST_AUTO_TEST_SUITE(order_mixing)

BOOST_AUTO_TEST_CASE(orders_mix_as_well_as_the_readme_says) {
  std::ifstream in(PENSTOCK_ORDER_README);
  BOOST_REQUIRE(in.good());
  std::stringstream readme;
  readme << in.rdbuf();
  const auto expect_published = [&](const std::string& name, const Mixing& mixing) {
    const std::string row = row_of(name, mixing);
    BOOST_TEST((readme.str().find(row + "\n") != std::string::npos), "not in the README: " << row);
  };
  BOOST_TEST_MESSAGE("seed " << kSeed);
  const Mixing shuffled = mixing_of(plan_of(SampleOrder::kShuffle));
  Mixing before;
  for (const std::uint64_t piece_mib : {128u, 8u}) {
    before = {};
    for (const std::uint64_t window_mib : {64u, 256u, 1024u, 4096u, 16'384u}) {
      const Mixing mixing =
          mixing_of(plan_of(SampleOrder::kWindowed,
                            {.piece_bytes = piece_mib << 20, .window_bytes = window_mib << 20}));
      const std::string pieces = piece_mib == 128 ? "whole shards" : "pieces of 8 MiB";
      expect_published(pieces + ", windows of " + std::to_string(window_mib) + " MiB", mixing);
      BOOST_TEST(mixing.classes > before.classes);  // the larger the window, the better
      before = mixing;
    }
  }
  expect_published("shuffle", shuffled);
  // A window over all is a true shuffle. 100 * (1 - 0.99^128) classes are in a batch of 128.
  BOOST_TEST(before.classes == 72.4, boost::test_tools::tolerance(0.01));
  BOOST_TEST(shuffled.classes == 72.4, boost::test_tools::tolerance(0.01));
  BOOST_TEST(shuffled.together_again == 127.0 / (kNum - 1), boost::test_tools::tolerance(0.05));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
