#include "streamer/pipeline/loader_order.h"

namespace penstock {
namespace {

std::vector<ShardExtent> shard_extents(const DatasetSplit& split) {
  std::vector<ShardExtent> extents;
  for (const DatasetSplit::ShardPart& part : split.shard_parts()) {
    // A shard of which a subset keeps nothing is not read at all.
    if (part.num_samples == 0) continue;
    extents.push_back({.num_samples = part.num_samples, .size_bytes = part.file_bytes});
  }
  return extents;
}

}  // namespace

OrderConfig order_config(const DatasetSplit& split, const LoaderConfig& config) {
  OrderConfig order{.order = config.order,
                    .seed = config.seed,
                    .num_samples = split.num_samples(),
                    .num_positions = config.num_samples_per_epoch,
                    .window_bytes = config.window_bytes,
                    .piece_bytes = config.piece_bytes,
                    .sample_weights = config.sample_weights};
  if (config.order == SampleOrder::kWindowed) order.shards = shard_extents(split);
  if (config.order == SampleOrder::kClassBalanced) {
    order.num_classes = static_cast<std::uint32_t>(split.class_names().size());
    order.class_of = [split](std::uint64_t id) { return split.record(id).class_idx; };
  }
  return order;
}

std::uint64_t loader_order_bytes(const DatasetSplit& split, const LoaderConfig& config) {
  return OrderPlan::price_bytes(order_config(split, config)) + split.subset_bytes();
}

}  // namespace penstock
