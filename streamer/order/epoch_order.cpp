#include "streamer/order/epoch_order.h"

#include <string>
#include <utility>

#include "streamer/core/error.h"

namespace penstock {
namespace {

// Tables of these orders hold sample indices, or counts of their blocks, in 32 bits.
void check_fits_tables(const OrderConfig& config) {
  if (config.num_samples <= 0xFFFFFFFFu) return;
  throw Error(ErrorCode::kUnsupported,
              "loader: order " + std::string(sample_order_name(config.order)) +
                  ": expected at most 4294967295 samples, found " +
                  std::to_string(config.num_samples),
              "take a subset of the split");
}

}  // namespace

std::uint64_t EpochOrder::sample_at(std::uint64_t position) const noexcept {
  // Not std::visit: with five kinds that is a call through a table.
  if (const auto* shuffled = std::get_if<EpochPermutation>(&rule_)) {
    return shuffled->sample_at(position);
  }
  if (const auto* windowed = std::get_if<WindowedOrder>(&rule_)) {
    return windowed->sample_at(position);
  }
  const DrawPlace place{.seed = seed_, .epoch = epoch_, .position = position};
  if (const auto* weighted = std::get_if<Weighted>(&rule_)) {
    return weighted->draws->sample_for(place);
  }
  if (const auto* balanced = std::get_if<Balanced>(&rule_)) {
    return balanced->draws->sample_for(place);
  }
  return position;
}

OrderPlan::OrderPlan(OrderConfig config) : config_(std::move(config)) {
  if (draws_with_replacement(config_.order)) check_fits_tables(config_);
  if (config_.order == SampleOrder::kWeighted) {
    check_sample_weights(*config_.sample_weights, config_.num_samples);
    weighted_ = std::make_shared<const WeightedDraws>(config_.sample_weights);
  }
  if (config_.order == SampleOrder::kClassBalanced) {
    balanced_ =
        std::make_shared<const ClassDraws>(ClassDraws::Config{.num_samples = config_.num_samples,
                                                              .num_classes = config_.num_classes,
                                                              .class_of = config_.class_of});
    config_.class_of = {};  // it may hold on to a whole dataset
  }
}

std::uint64_t OrderPlan::price_bytes(const OrderConfig& config) noexcept {
  switch (config.order) {
    case SampleOrder::kShuffle:
    case SampleOrder::kSequential:
      return 0;
    case SampleOrder::kWindowed:
      return config.shards.size() * sizeof(ShardExtent) +
             WindowedOrder::price_bytes(config.shards, {.window_bytes = config.window_bytes,
                                                        .piece_bytes = config.piece_bytes});
    case SampleOrder::kWeighted:
      return WeightedDraws::price_bytes(config.num_samples);
    case SampleOrder::kClassBalanced:
      return ClassDraws::price_bytes(config.num_samples, config.num_classes);
  }
  return 0;
}

std::uint64_t OrderPlan::num_positions() const noexcept {
  return config_.num_positions.value_or(config_.num_samples);
}

EpochOrder OrderPlan::epoch(std::uint32_t epoch) const {
  return *this->epoch(epoch, {});  // no stop: never empty
}

std::optional<EpochOrder> OrderPlan::epoch(std::uint32_t epoch, const std::stop_token& stop) const {
  const auto make = [&]() -> std::optional<EpochOrder::Rule> {
    switch (config_.order) {
      case SampleOrder::kSequential:
        return EpochOrder::Sequential{};
      case SampleOrder::kWindowed:
        return WindowedOrder::make(config_.shards,
                                   {.seed = config_.seed,
                                    .epoch = epoch,
                                    .window_bytes = config_.window_bytes,
                                    .piece_bytes = config_.piece_bytes},
                                   stop);
      case SampleOrder::kWeighted:
        return EpochOrder::Weighted{weighted_};
      case SampleOrder::kClassBalanced:
        return EpochOrder::Balanced{balanced_};
      case SampleOrder::kShuffle:
        break;
    }
    return EpochPermutation(config_.num_samples, {.seed = config_.seed, .epoch = epoch});
  };
  std::optional<EpochOrder::Rule> rule = make();
  if (!rule) return std::nullopt;
  return EpochOrder(std::move(*rule), config_.seed, epoch);
}

}  // namespace penstock
