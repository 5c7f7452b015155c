// The order of an epoch: which sample stands at which position.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <variant>
#include <vector>

#include "streamer/order/class_draws.h"
#include "streamer/order/epoch_permutation.h"
#include "streamer/order/sample_order.h"
#include "streamer/order/weighted_draws.h"
#include "streamer/order/windowed_order.h"

namespace penstock {

/// A pure function from the positions of one epoch to sample indices.
///
/// Cost     20 to 70 ns a position: see streamer/order/README.md
/// Memory   kWindowed holds WindowedOrder::price_bytes(); what others hold belongs to OrderPlan
/// Threads  immutable
class EpochOrder {
 public:
  /// Returns the sample index at `position`, which must be below OrderPlan::num_positions().
  std::uint64_t sample_at(std::uint64_t position) const noexcept;

 private:
  friend class OrderPlan;
  struct Sequential {};
  struct Weighted {
    std::shared_ptr<const WeightedDraws> draws;  // shared with the plan
  };
  struct Balanced {
    std::shared_ptr<const ClassDraws> draws;  // shared with the plan
  };
  using Rule = std::variant<Sequential, EpochPermutation, WindowedOrder, Weighted, Balanced>;
  EpochOrder(Rule rule, std::uint64_t seed, std::uint32_t epoch)
      : rule_(std::move(rule)), seed_(seed), epoch_(epoch) {}

  Rule rule_;
  std::uint64_t seed_;
  std::uint32_t epoch_;
};

/// What an order is made from. Who fills it has checked it (LoaderConfig::validate()).
struct OrderConfig {
  SampleOrder order = SampleOrder::kShuffle;
  std::uint64_t seed = 0;
  std::uint64_t num_samples = 0;
  /// Positions of an epoch, with replacement only; empty: num_samples.
  std::optional<std::uint64_t> num_positions = {};
  /// kWindowed: at least 1.
  std::uint64_t window_bytes = 0;
  std::uint64_t piece_bytes = 0;
  /// kWindowed: those with samples, in the order of sample indices.
  std::vector<ShardExtent> shards = {};
  /// kWeighted: one for each sample.
  std::shared_ptr<const std::vector<float>> sample_weights = {};
  /// kClassBalanced.
  std::uint32_t num_classes = 0;
  std::function<std::uint32_t(std::uint64_t sample_id)> class_of = {};
};

/// What the orders of all epochs share; makes them.
///
/// Errors   the constructor throws InvalidArgument for weights or classes that nothing can be drawn
///          by, Unsupported for kWeighted and kClassBalanced over 2^32 samples
/// Memory   price_bytes(), of this and of one EpochOrder
/// Threads  immutable
class OrderPlan {
 public:
  explicit OrderPlan(OrderConfig config);

  /// Bytes that a plan and one order made by it hold; known before anything is allocated.
  static std::uint64_t price_bytes(const OrderConfig& config) noexcept;

  std::uint64_t num_positions() const noexcept;
  EpochOrder epoch(std::uint32_t epoch) const;
  /// The same; empty where a stop came before it was made. Only kWindowed takes long enough to look
  /// for one.
  std::optional<EpochOrder> epoch(std::uint32_t epoch, const std::stop_token& stop) const;

 private:
  OrderConfig config_;
  std::shared_ptr<const WeightedDraws> weighted_;  // shared with the orders; kWeighted
  std::shared_ptr<const ClassDraws> balanced_;     // shared with the orders; kClassBalanced
};

}  // namespace penstock
