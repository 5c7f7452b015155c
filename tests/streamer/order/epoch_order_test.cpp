#include "streamer/order/epoch_order.h"

#include <boost/test/unit_test.hpp>
#include <numeric>

#include "streamer/core/draws.h"
#include "streamer/core/error.h"
#include "streamer/order/epoch_range.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(epoch_order)

constexpr SampleOrder kAllOrders[] = {SampleOrder::kShuffle, SampleOrder::kSequential,
                                      SampleOrder::kWindowed, SampleOrder::kWeighted,
                                      SampleOrder::kClassBalanced};

// Shards, weights and classes for `num_samples`, whatever the order.
OrderConfig config_of(SampleOrder order, std::uint64_t num_samples, std::uint64_t seed) {
  OrderConfig config{.order = order,
                     .seed = seed,
                     .num_samples = num_samples,
                     .window_bytes = 900,
                     .piece_bytes = 250};
  const std::uint64_t per_shard = 1 + seed % 9;
  for (std::uint64_t i = 0; i < num_samples; i += per_shard) {
    config.shards.push_back(
        {.num_samples = std::min(per_shard, num_samples - i), .size_bytes = 100 + 77 * (i % 5)});
  }
  std::vector<float> weights(num_samples);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(1 + i % 3);
  config.sample_weights = std::make_shared<const std::vector<float>>(weights);
  config.num_classes = 3;
  config.class_of = [](std::uint64_t id) { return static_cast<std::uint32_t>(id % 5); };
  return config;
}

// A stream over all ranks of a world: who delivers what, without a loader.
struct Stream {
  std::uint64_t num_positions = 0;
  std::uint32_t batch = 1;
  bool drop_remainder = false;
  std::uint64_t next_position = 0;
  std::vector<int> times_seen = {};  // by position

  // Delivers up to `num_steps` batches on each rank of `world`; false when the epoch is at its end.
  bool go_on(std::uint32_t world, std::uint64_t num_steps) {
    std::uint64_t after = next_position;
    std::uint64_t count = 0;
    for (std::uint32_t rank = 0; rank < world; ++rank) {
      const EpochShape shape{.num_positions = num_positions,
                             .first_position = next_position,
                             .batch = batch,
                             .rank = {.index = rank, .world = world},
                             .drop_remainder = drop_remainder};
      const std::uint64_t of_rank = num_batches(shape);
      if (rank > 0) BOOST_REQUIRE(of_rank == count);
      count = of_rank;
      for (std::uint64_t b = 0; b < std::min(count, num_steps); ++b) {
        const PositionRange range = batch_range(shape, b);
        BOOST_REQUIRE(range.size() <= batch);
        for (std::uint64_t p = range.begin; p < range.end; ++p) ++times_seen.at(p);
        after = position_after(shape, b);
      }
    }
    next_position = after;
    return count > num_steps;
  }
};

BOOST_AUTO_TEST_CASE(orders_without_replacement_take_every_sample_once_in_any_world) {
  for (const auto order :
       {SampleOrder::kShuffle, SampleOrder::kSequential, SampleOrder::kWindowed}) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      const std::uint64_t n = 1 + Draws({.seed = seed}).block(0)[0] % 150;
      const OrderPlan plan(config_of(order, n, seed));
      const EpochOrder epoch = plan.epoch(static_cast<std::uint32_t>(seed));
      for (std::uint32_t world = 1; world <= 7; ++world) {
        for (const std::uint32_t batch : {1u, 3u, 8u}) {
          for (const bool drop : {false, true}) {
            BOOST_TEST_INFO(sample_order_name(order)
                            << ", seed " << seed << ", " << n << " samples, world " << world
                            << ", batch " << batch << ", drop " << drop);
            Stream stream{.num_positions = plan.num_positions(),
                          .batch = batch,
                          .drop_remainder = drop,
                          .times_seen = std::vector<int>(n, 0)};
            stream.go_on(world, ~std::uint64_t{0});
            const std::uint64_t num_delivered = drop ? n - n % (batch * world) : n;
            std::vector<int> by_sample(n, 0);
            for (std::uint64_t p = 0; p < n; ++p) {
              BOOST_REQUIRE(stream.times_seen[p] == (p < num_delivered ? 1 : 0));
              ++by_sample.at(epoch.sample_at(p));
            }
            BOOST_REQUIRE(by_sample == std::vector<int>(n, 1));
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stream_that_changes_its_world_at_any_batch_sees_each_position_once) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const std::uint64_t n = 60 + Draws({.seed = seed}).block(0)[0] % 60;
    for (const std::uint32_t batch : {1u, 4u}) {
      for (std::uint64_t first_steps = 0; first_steps <= 6; ++first_steps) {
        for (std::uint64_t second_steps = 0; second_steps <= 6; ++second_steps) {
          BOOST_TEST_INFO("seed " << seed << ", " << n << " positions, batch " << batch
                                  << ", 3 ranks " << first_steps << " steps, 2 ranks "
                                  << second_steps << " steps, then 5");
          Stream stream{.num_positions = n, .batch = batch, .times_seen = std::vector<int>(n, 0)};
          stream.go_on(3, first_steps);
          stream.go_on(2, second_steps);
          stream.go_on(5, ~std::uint64_t{0});
          BOOST_REQUIRE(stream.next_position == n);
          BOOST_REQUIRE(stream.times_seen == std::vector<int>(n, 1));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_order_is_a_function_of_settings_seed_epoch_and_position_alone) {
  for (const SampleOrder order : kAllOrders) {
    BOOST_TEST_INFO(sample_order_name(order));
    const OrderPlan plan(config_of(order, 500, 4));
    const OrderPlan again(config_of(order, 500, 4));
    const OrderPlan other_seed(config_of(order, 500, 5));
    const EpochOrder a = plan.epoch(3);
    const EpochOrder same = again.epoch(3);
    const EpochOrder next = plan.epoch(4);
    const EpochOrder other = other_seed.epoch(3);
    int num_as_next = 0;
    int num_as_other = 0;
    for (std::uint64_t p = 500; p-- > 0;) {  // the other way round: nothing is remembered
      BOOST_REQUIRE(same.sample_at(p) == a.sample_at(p));
      num_as_next += next.sample_at(p) == a.sample_at(p);
      num_as_other += other.sample_at(p) == a.sample_at(p);
    }
    const bool is_fixed = order == SampleOrder::kSequential;
    // Two independent draws agree in a place with a chance of 1/300 at most (balanced: three
    // classes of 100): 1.7 on average, above 14 with less than 1e-8 (Poisson).
    BOOST_TEST((num_as_next == 500) == is_fixed);
    BOOST_TEST((num_as_next <= 14) == !is_fixed);
    BOOST_TEST((num_as_other <= 14) == !is_fixed);
  }
}

BOOST_AUTO_TEST_CASE(an_epoch_with_replacement_may_be_of_any_length) {
  for (const auto order : {SampleOrder::kWeighted, SampleOrder::kClassBalanced}) {
    OrderConfig config = config_of(order, 20, 1);
    const OrderPlan whole(config);
    BOOST_TEST(whole.num_positions() == 20u);
    config.num_positions = 1000;
    const OrderPlan longer(config);
    BOOST_TEST(longer.num_positions() == 1000u);
    const EpochOrder epoch = longer.epoch(0);
    for (std::uint64_t p = 0; p < 1000; ++p) BOOST_REQUIRE(epoch.sample_at(p) < 20);
    // The shorter epoch is the beginning of the longer.
    for (std::uint64_t p = 0; p < 20; ++p) {
      BOOST_TEST(epoch.sample_at(p) == whole.epoch(0).sample_at(p));
    }
  }
}

// By hand from the headers' words: seed 9 puts one sample into each shard.
BOOST_AUTO_TEST_CASE(prices_are_known_before_anything_is_allocated) {
  OrderConfig config = config_of(SampleOrder::kShuffle, 1000, 9);
  BOOST_TEST(OrderPlan::price_bytes(config) == 0u);
  config.order = SampleOrder::kSequential;
  BOOST_TEST(OrderPlan::price_bytes(config) == 0u);
  config.order = SampleOrder::kWeighted;
  BOOST_TEST(OrderPlan::price_bytes(config) == 4000u + 32 * 12 + 4);
  config.order = SampleOrder::kClassBalanced;
  BOOST_TEST(OrderPlan::price_bytes(config) == 4000u + 2 * 4 * 8);
  config.order = SampleOrder::kWindowed;
  config.window_bytes = std::uint64_t{1} << 50;
  // The shards as given; two numbers for each piece and for each shard and the end; two windows and
  // the end.
  BOOST_TEST(OrderPlan::price_bytes(config) == 1000u * 16 + (4000 + 1 + 3) * 8);
}

BOOST_AUTO_TEST_CASE(tables_of_32_bits_refuse_more_samples) {
  OrderConfig config{.order = SampleOrder::kClassBalanced,
                     .num_samples = std::uint64_t{1} << 32,
                     .num_classes = 1,
                     .class_of = [](std::uint64_t) { return 0u; }};
  BOOST_CHECK_EXCEPTION(OrderPlan{config}, Error,
                        [](const Error& error) { return error.code() == ErrorCode::kUnsupported; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
