#include "train/backend/cuda/lowering/extras.h"

#include <algorithm>
#include <variant>

namespace penstock::train::cuda {
namespace {

std::size_t aligned(std::size_t bytes) {
  return (bytes + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment;
}

}  // namespace

ConvolutionProblem convolution_problem(const DeviceLowering& context, NodeId id) {
  const auto& op = std::get<Conv2dOp>(context.graph.node(id).op);
  const NodeId from = context.graph.node(id).inputs.front();
  const TensorShape& in = context.graph.node(from).shape;
  return {.type = context.type,
          .may_use_tf32 = context.compute() == ComputeType::kTf32,
          .has_bias = op.has_bias,
          .batch = static_cast<std::uint32_t>(context.batch()),
          .in_channels = from == context.graph.input() ? context.input_channels : in.channels,
          .height = in.height,
          .width = in.width,
          .filters = op.filters,
          .groups = op.groups,
          .window = op.window};
}

bool takes_statistics(const DeviceLowering& context, NodeId id) {
  return context.takes_extras &&
         std::ranges::any_of(context.graph.readers_of(id), [&](NodeId reader) {
           return std::holds_alternative<BatchNormOp>(context.graph.node(reader).op) &&
                  context.has_batch_statistics(reader);
         });
}

ReplacedWork replaced_statistics(const DeviceLowering& context, NodeId id) {
  const ValueRows rows = context.rows_of(id);
  const std::size_t num_parts = context.kernels.num_row_parts(rows.num_rows, rows.channels);
  return {.scratch_bytes = num_parts * 2 * rows.channels * sizeof(float),
          .run = [rows, &kernels = context.kernels](const ProductOperands& operands, void* scratch,
                                                    Stream stream) {
            return kernels.channel_moments(
                {.rows = rows, .x = operands.result, .partials = static_cast<float*>(scratch)},
                stream);
          }};
}

ReplacedWork replaced_norm_relu(const DeviceLowering& context, NodeId relu,
                                const ConvolutionProblem& problem) {
  const ValueRows rows = context.rows_of(relu);
  const NodeId conv = context.graph.readers_of(relu).front();
  const ReplacedWork behind =
      problem.has_statistics ? replaced_statistics(context, conv) : ReplacedWork{};
  const std::size_t factor_bytes = rows.channels * sizeof(float);
  const std::size_t value_bytes = aligned(context.value_bytes(relu));
  return {.scratch_bytes = value_bytes + std::max(2 * factor_bytes, behind.scratch_bytes),
          .run = [=, &kernels = context.kernels](const ProductOperands& operands, void* scratch,
                                                 Stream stream) {
            auto* const floats =
                reinterpret_cast<float*>(static_cast<std::byte*>(scratch) + value_bytes);
            const DeviceStatus status =
                kernels.affine_forward({.rows = rows,
                                        .activation = {.kind = KernelActivation::kRelu},
                                        .x = operands.x,
                                        .gain = floats,
                                        .offset = floats + rows.channels,
                                        .other = nullptr,
                                        .y = scratch},
                                       stream);
            if (!status.is_ok() || behind.run == nullptr) return status;
            return behind.run(operands, floats, stream);
          }};
}

BufferId add_channel_sums(DeviceLowering& context, NodeId id) {
  const Node& node = context.graph.node(id);
  const BufferId sums =
      context.add_floats(node.name + ".sums", 2 * std::size_t{node.shape.channels});
  context.set_channel_sums(id, sums);
  return sums;
}

}  // namespace penstock::train::cuda
