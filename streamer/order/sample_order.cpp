#include "streamer/order/sample_order.h"

namespace penstock {

std::string_view sample_order_name(SampleOrder order) noexcept {
  switch (order) {
    case SampleOrder::kShuffle:
      return "shuffle";
    case SampleOrder::kSequential:
      return "sequential";
    case SampleOrder::kWindowed:
      return "windowed";
    case SampleOrder::kWeighted:
      return "weighted";
    case SampleOrder::kClassBalanced:
      return "class-balanced";
  }
  return "unknown";
}

std::optional<SampleOrder> parse_sample_order(std::string_view name) noexcept {
  for (const SampleOrder order :
       {SampleOrder::kShuffle, SampleOrder::kSequential, SampleOrder::kWindowed,
        SampleOrder::kWeighted, SampleOrder::kClassBalanced}) {
    if (sample_order_name(order) == name) return order;
  }
  return std::nullopt;
}

bool draws_with_replacement(SampleOrder order) noexcept {
  return order == SampleOrder::kWeighted || order == SampleOrder::kClassBalanced;
}

}  // namespace penstock
