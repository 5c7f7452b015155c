// A graph lowered to work of a device's stream: own kernels, and products of the libraries.
#pragma once

#include <memory>

#include "train/backend/cuda/device_parts.h"
#include "train/backend/cuda/product_plans.h"
#include "train/backend/program.h"

namespace penstock::train::cuda {

struct DeviceProgramOptions {
  /// False enqueues every call each time: the slow twin of captured graphs.
  bool captures = true;
  /// Of each product.
  PlanLimits plan_limits{};
  /// Whether libraries are asked, in training, to compute norms, ReLUs and statistics within convolutions. With
  /// Lowering::fuse alone.
  bool extras = true;
  /// Element type of the batches as input_spec() has it; runs take any that fits into as many bytes.
  ElementType batch_element = ElementType::kFloat32;
  /// BatchSpec::crop_bytes as input_spec() has it: runs take crops, and finished pixels that fit as well. 0: no crops.
  std::uint32_t crop_bytes = 0;
};

std::unique_ptr<Program> make_device_program(const ModelGraph& graph, const Lowering& lowering,
                                             const BatchSpec& input_spec, DeviceParts& parts,
                                             const DeviceProgramOptions& options);

}  // namespace penstock::train::cuda
