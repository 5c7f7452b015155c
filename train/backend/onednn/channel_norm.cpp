#include "train/backend/onednn/channel_norm.h"

#include <algorithm>
#include <cmath>
#include <variant>

namespace penstock::train::onednn {

void ChannelNorm::lower_forward(LoweringContext& context, NodeId id) {
  const Node& node = context.graph.node(id);
  const auto params = context.graph.parameters_of(id);
  list = &context.buffers;
  num_threads = context.num_threads;
  op = std::get<BatchNormOp>(node.op);
  channels = node.shape.channels;
  num_rows = context.batch() * node.shape.area();
  has_batch_statistics = context.is_training() && !context.has_fixed_norm(id);
  scale = context.add_param(params[0]);
  shift = context.add_param(params[1]);
  running_mean = context.add_param(params[2]);
  running_var = context.add_param(params[3]);
  const std::size_t channel_bytes = channels * sizeof(float);
  gain = context.add_value(node.name + ".gain", channel_bytes);
  offset = context.add_value(node.name + ".offset", channel_bytes);
  if (!context.is_training()) return;
  mean = context.add_value(node.name + ".mean", channel_bytes);
  inv_std = context.add_value(node.name + ".inv_std", channel_bytes);
  sums = context.buffers.add(node.name + ".sums", Role::kWorkspace,
                             2 * sizeof(double) * channels * num_threads);
}

void ChannelNorm::lower_backward(LoweringContext& context, NodeId id) {
  const std::string& name = context.graph.node(id).name;
  slope = context.add_transient(name + ".slope", channels * sizeof(float));
  level = context.add_transient(name + ".level", channels * sizeof(float));
  sums = context.buffers.add(name + ".backward_sums", Role::kWorkspace,
                             2 * sizeof(double) * channels * num_threads);
}

void ChannelNorm::set_affine(std::size_t c, double center, double factor) const {
  const double channel_gain = static_cast<double>(at(scale.master)[c]) * factor;
  at(gain)[c] = static_cast<float>(channel_gain);
  at(offset)[c] =
      static_cast<float>(static_cast<double>(at(shift.master)[c]) - center * channel_gain);
}

template <class T>
void ChannelNorm::take_batch_statistics(const T* values) const {
  // Sums are of x - x[0], exact when the mean is far from 0; added up in double, they may be far from x[0],
  // too.
  sum_in_parts(num_rows, [&](Range range, double* sum, double* squares) {
    add_moments(rows_of(range), values + range.begin * channels, values, sum, squares);
  });
  const auto count = static_cast<double>(num_rows);
  const auto move = [&](float& running, double now) {
    running =
        static_cast<float>((1.0 - op.momentum) * static_cast<double>(running) + op.momentum * now);
  };
  for (std::size_t c = 0; c < channels; ++c) {
    const double from_origin = part_sums(0)[c] / count;
    const double center = static_cast<double>(to_float(values[c])) + from_origin;
    const double spread = part_sums(0)[channels + c] / count - from_origin * from_origin;
    // Rounding may leave a constant channel a little below 0; what is not a number stays.
    const double variance = spread < 0 ? 0 : spread;
    const double factor = 1.0 / std::sqrt(variance + op.epsilon);
    at(mean)[c] = static_cast<float>(center);
    at(inv_std)[c] = static_cast<float>(factor);
    set_affine(c, center, factor);
    move(at(running_mean.master)[c], center);
    move(at(running_var.master)[c], variance * count / (count - 1));
  }
}

template <class T>
void ChannelNorm::take_statistics(const T* values) const {
  if (has_batch_statistics) {
    take_batch_statistics(values);
  } else {
    take_running_statistics();
  }
}

template void ChannelNorm::take_statistics(const float*) const;
template void ChannelNorm::take_statistics(const Bfloat16*) const;

void ChannelNorm::take_running_statistics() const {
  for (std::size_t c = 0; c < channels; ++c) {
    const auto variance = static_cast<double>(at(running_var.master)[c]);
    const auto center = static_cast<double>(at(running_mean.master)[c]);
    const double factor = 1.0 / std::sqrt(variance + op.epsilon);
    set_affine(c, center, factor);
    if (mean == kNoBuffer) continue;  // in evaluation
    at(mean)[c] = static_cast<float>(center);
    at(inv_std)[c] = static_cast<float>(factor);
  }
}

void ChannelNorm::take_gradient_sums() const {
  const auto total = static_cast<double>(num_rows);
  for (std::size_t c = 0; c < channels; ++c) {
    const double factor = at(inv_std)[c];
    const double dshift = part_sums(0)[c];
    const double dscale = part_sums(0)[channels + c] * factor;
    if (shift.grad != kNoBuffer) at(shift.grad)[c] = static_cast<float>(dshift);
    if (scale.grad != kNoBuffer) at(scale.grad)[c] = static_cast<float>(dscale);
    if (!has_batch_statistics) {  // they are constants
      at(slope)[c] = 0;
      at(level)[c] = 0;
      continue;
    }
    const double channel_gain = at(gain)[c];
    const double channel_slope = -channel_gain * factor * dscale / total;
    at(slope)[c] = static_cast<float>(channel_slope);
    at(level)[c] = static_cast<float>(-channel_gain * dshift / total -
                                      channel_slope * static_cast<double>(at(mean)[c]));
  }
}

}  // namespace penstock::train::onednn
