// From a loader's settings and its split to the order of its epochs.
#pragma once

#include <cstdint>

#include "streamer/order/epoch_order.h"
#include "streamer/pipeline/loader.h"
#include "streamer/shard/dataset.h"

namespace penstock {

/// What OrderPlan is made from. `config` has been validated.
OrderConfig order_config(const DatasetSplit& split, const LoaderConfig& config);

/// Bytes that the order holds, and the split's table where it is a subset.
std::uint64_t loader_order_bytes(const DatasetSplit& split, const LoaderConfig& config);

}  // namespace penstock
