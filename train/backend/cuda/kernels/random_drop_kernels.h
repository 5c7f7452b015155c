// Dropout of values and of whole samples, by the draws of train/graph/train_draws.h: the same values as on every
// other backend.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_status.h"
#include "train/backend/cuda/kernels/step_block.h"
#include "train/backend/cuda/kernels/value_type.h"

namespace penstock::train::cuda {

/// to = from / (1 - rate) where the value is kept, else 0: forward from x to y, going back from dy to dx. An
/// element's draw is that of its place in CHW order.
struct RandomDrop {
  ValueType type;
  std::size_t samples;
  std::size_t places;
  std::uint32_t channels;
  double rate;
  bool drops_samples;
  std::uint32_t node;
  const StepBlock* step;
  const void* from;
  void* to;  // may be from
};
DeviceStatus random_drop(const RandomDrop& args, Stream stream);

}  // namespace penstock::train::cuda
