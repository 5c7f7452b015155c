// The passes of batch norm as tasks: what the layers have in common that normalise.
#pragma once

#include <string>
#include <variant>

#include "train/backend/cuda/device_lowering.h"

namespace penstock::train::cuda {

/// Everything the tasks need, by value: tasks outlive the layer.
struct NormPlan {
  const BufferList* list = nullptr;
  const KernelTable* kernels = nullptr;
  ValueRows rows{};
  Activation activation{};
  BatchNormOp op{};
  bool is_batch = false;
  ParamBuffers scale{};
  ParamBuffers shift{};
  ParamBuffers running_mean{};
  ParamBuffers running_var{};
  BufferId x = kNoBuffer;
  BufferId other = kNoBuffer;
  BufferId y = kNoBuffer;
  BufferId factors = kNoBuffer;   // mean, inv_std, gain, offset
  BufferId partials = kNoBuffer;  // of the sums of either pass
  BufferId sums = kNoBuffer;      // of x and its squares, where a product has given them
  BufferId dy = kNoBuffer;
  BufferId dx = kNoBuffer;
  BufferId dother = kNoBuffer;
  BufferId constants = kNoBuffer;  // slope, level

  /// Adds the buffers of a norm, and the task that takes its factors from `x_now`.
  void emit_statistics(DeviceLowering& context, NodeId id, BufferId x_now) {
    const std::string& name = context.graph.node(id).name;
    list = &context.buffers;
    kernels = &context.kernels;
    op = std::get<BatchNormOp>(context.graph.node(id).op);
    rows = context.rows_of(id);
    is_batch = context.has_batch_statistics(id);
    const auto params = context.graph.parameters_of(id);
    scale = context.add_param(params[0]).buffers;
    shift = context.add_param(params[1]).buffers;
    running_mean = context.add_param(params[2]).buffers;
    running_var = context.add_param(params[3]).buffers;
    factors = context.add_kept_floats(name + ".factors", 4 * std::size_t{rows.channels});
    x = x_now;
    sums = context.channel_sums(context.graph.node(id).inputs.front());
    if (is_batch && sums == kNoBuffer) {
      partials = context.add_floats(name + ".moments", partial_count());
    }
    context.emit({x, factors, partials, sums},
                 [plan = *this](Stream stream) { return plan.take_statistics(stream); });
  }

  /// The tasks that take dy back through the norm, to the places that are set: dx, dother or neither.
  void emit_backward(DeviceLowering& context, const std::string& name) {
    partials = context.add_floats(name + ".gradient_sums", partial_count());
    constants = context.add_floats(name + ".backward", 2 * std::size_t{rows.channels});
    const BufferId y_read = other == kNoBuffer ? kNoBuffer : y;
    context.emit({x, dy, y_read, factors, partials, constants, scale.grad, shift.grad},
                 [plan = *this](Stream stream) { return plan.sum_gradients(stream); });
    if (dx == kNoBuffer && dother == kNoBuffer) return;
    context.emit({x, dy, y_read, factors, constants, dx, dother},
                 [plan = *this](Stream stream) { return plan.apply_backward(stream); });
  }

  std::size_t partial_count() const {
    return std::size_t{kernels->num_row_parts(rows.num_rows, rows.channels)} * 2 * rows.channels;
  }
  float* floats(BufferId buffer) const { return list->at<float>(buffer); }
  void* at(BufferId buffer) const { return list->at<void>(buffer); }
  ChannelFactors channel_factors() const {
    float* const first = floats(factors);
    return {first, first + rows.channels, first + 2 * rows.channels, first + 3 * rows.channels};
  }
  /// A residual's slope is read off what it gave.
  const void* y_for_slope() const { return other == kNoBuffer ? nullptr : at(y); }

  DeviceStatus take_statistics(Stream stream) const {
    if (!is_batch) {
      return kernels->running_statistics({.channels = rows.channels,
                                          .scale = floats(scale.master),
                                          .shift = floats(shift.master),
                                          .epsilon = op.epsilon,
                                          .running_mean = floats(running_mean.master),
                                          .running_var = floats(running_var.master),
                                          .factors = channel_factors()},
                                         stream);
    }
    const bool has_sums = sums != kNoBuffer;
    if (!has_sums) {
      const DeviceStatus status = kernels->channel_moments(
          {.rows = rows, .x = at(x), .partials = floats(partials)}, stream);
      if (!status.is_ok()) return status;
    }
    return kernels->batch_statistics({.rows = rows,
                                      .x = has_sums ? nullptr : at(x),
                                      .partials = floats(has_sums ? sums : partials),
                                      .scale = floats(scale.master),
                                      .shift = floats(shift.master),
                                      .epsilon = op.epsilon,
                                      .momentum = op.momentum,
                                      .running_mean = floats(running_mean.master),
                                      .running_var = floats(running_var.master),
                                      .factors = channel_factors()},
                                     stream);
  }

  DeviceStatus apply(Stream stream) const {
    const ChannelFactors factor = channel_factors();
    return kernels->affine_forward({.rows = rows,
                                    .activation = activation,
                                    .x = at(x),
                                    .gain = factor.gain,
                                    .offset = factor.offset,
                                    .other = at(other),
                                    .y = at(y)},
                                   stream);
  }

  DeviceStatus sum_gradients(Stream stream) const {
    const DeviceStatus status = kernels->affine_backward_sums({.rows = rows,
                                                               .activation = activation,
                                                               .x = at(x),
                                                               .dy = at(dy),
                                                               .y = y_for_slope(),
                                                               .factors = channel_factors(),
                                                               .partials = floats(partials)},
                                                              stream);
    if (!status.is_ok()) return status;
    return kernels->norm_gradients({.rows = rows,
                                    .is_batch = is_batch,
                                    .partials = floats(partials),
                                    .factors = channel_factors(),
                                    .dscale = floats(scale.grad),
                                    .dshift = floats(shift.grad),
                                    .slope = floats(constants),
                                    .level = floats(constants) + rows.channels},
                                   stream);
  }

  DeviceStatus apply_backward(Stream stream) const {
    return kernels->affine_backward({.rows = rows,
                                     .activation = activation,
                                     .x = at(x),
                                     .dy = at(dy),
                                     .y = y_for_slope(),
                                     .factors = channel_factors(),
                                     .slope = floats(constants),
                                     .level = floats(constants) + rows.channels,
                                     .dx = at(dx),
                                     .dother = at(dother)},
                                    stream);
  }
};

}  // namespace penstock::train::cuda
