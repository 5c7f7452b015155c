// Batch norm alone, with ReLU, or with ReLU and a 2 x 2 max-pool, in own kernels: one pass for the
// statistics and one for the values, forward and backward.
#include <algorithm>
#include <cmath>
#include <variant>

#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/nhwc_kernels.h"
#include "train/backend/onednn/nhwc_pool_kernels.h"
#include "train/backend/onednn/parallel.h"

namespace penstock::train::onednn {
namespace {

/// Everything the tasks need, by value: tasks outlive the layer.
struct BatchNormPlan {
  const BufferList* list = nullptr;
  unsigned num_threads = 1;
  BatchNormOp op;
  Activation activation = Activation::kNone;
  bool is_pooled = false;
  bool has_constant_statistics = false;  // going back: those were not the batch's
  PooledSizes sizes;
  std::size_t batch = 0;

  BufferId x = kNoBuffer;
  BufferId y = kNoBuffer;
  BufferId x_at_max = kNoBuffer;  // pooled, in training
  BufferId dy = kNoBuffer;
  BufferId dx = kNoBuffer;  // kNoBuffer: not needed
  ParamBuffers scale, shift, running_mean, running_var;
  BufferId mean = kNoBuffer;
  BufferId inv_std = kNoBuffer;
  BufferId gain = kNoBuffer;
  BufferId offset = kNoBuffer;
  BufferId slope = kNoBuffer;
  BufferId level = kNoBuffer;
  BufferId sums = kNoBuffer;  // double [threads][2][channels]

  float* at(BufferId buffer) const { return list->at<float>(buffer); }
  std::size_t channels() const { return sizes.channels; }
  std::size_t num_rows() const { return batch * sizes.height * sizes.width; }
  std::size_t num_pooled_rows() const { return batch * sizes.pooled_height(); }
  ChannelAffine affine() const { return {at(gain), at(offset)}; }
  double* part_sums(unsigned part) const {
    return list->at<double>(sums) + std::size_t{part} * 2 * channels();
  }

  Rows rows_of(Range range) const { return {range.size(), channels()}; }

  /// Clears each part's sums, lets `add` fill them in parallel, and adds them into part 0's.
  template <class Add>
  void sum_in_parts(std::size_t count, const Add& add) const {
    parallel(num_threads, [&](unsigned part) {
      double* mine = part_sums(part);
      std::fill_n(mine, 2 * channels(), 0.0);
      add(part_range(count, num_threads, part), mine, mine + channels());
    });
    double* total = part_sums(0);
    for (unsigned part = 1; part < num_threads; ++part) {
      for (std::size_t i = 0; i < 2 * channels(); ++i) total[i] += part_sums(part)[i];
    }
  }

  void set_affine(std::size_t c, double center, double factor) const {
    const double channel_gain = static_cast<double>(at(scale.master)[c]) * factor;
    at(gain)[c] = static_cast<float>(channel_gain);
    at(offset)[c] =
        static_cast<float>(static_cast<double>(at(shift.master)[c]) - center * channel_gain);
  }

  void take_batch_statistics(const float* values) const {
    // Sums are of x - x[0]: they stay exact when the mean is far from 0.
    sum_in_parts(num_rows(), [&](Range range, double* sum, double* squares) {
      add_moments(rows_of(range), values + range.begin * channels(), values, sum, squares);
    });
    const auto count = static_cast<double>(num_rows());
    const auto move = [&](float& running, double now) {
      running = static_cast<float>((1.0 - op.momentum) * static_cast<double>(running) +
                                   op.momentum * now);
    };
    for (std::size_t c = 0; c < channels(); ++c) {
      const double from_origin = part_sums(0)[c] / count;
      const double center = static_cast<double>(values[c]) + from_origin;
      const double spread = part_sums(0)[channels() + c] / count - from_origin * from_origin;
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

  void take_running_statistics() const {
    for (std::size_t c = 0; c < channels(); ++c) {
      const auto variance = static_cast<double>(at(running_var.master)[c]);
      const auto center = static_cast<double>(at(running_mean.master)[c]);
      const double factor = 1.0 / std::sqrt(variance + op.epsilon);
      set_affine(c, center, factor);
      if (mean == kNoBuffer) continue;  // in evaluation
      at(mean)[c] = static_cast<float>(center);
      at(inv_std)[c] = static_cast<float>(factor);
    }
  }

  void apply_forward(const float* values) const {
    parallel(num_threads, [&](unsigned part) {
      if (is_pooled) {
        const Range range = part_range(num_pooled_rows(), num_threads, part);
        pooled_forward(sizes, {range.begin, range.end}, affine(), values, at(y), at(x_at_max));
      } else {
        const Range range = part_range(num_rows(), num_threads, part);
        const std::size_t first = range.begin * channels();
        affine_forward(rows_of(range), activation, affine(), values + first, at(y) + first);
      }
    });
  }

  void sum_gradients(const float* values) const {
    const float* source = is_pooled ? at(x_at_max) : values;
    const std::size_t count = is_pooled ? num_pooled_rows() * sizes.pooled_width() : num_rows();
    sum_in_parts(count, [&](Range range, double* sum_g, double* sum_gx) {
      const std::size_t first = range.begin * channels();
      add_backward_sums(rows_of(range), activation, affine(), at(mean), source + first,
                        at(dy) + first, sum_g, sum_gx);
    });
    const auto total = static_cast<double>(num_rows());
    for (std::size_t c = 0; c < channels(); ++c) {
      const double factor = at(inv_std)[c];
      const double dshift = part_sums(0)[c];
      const double dscale = part_sums(0)[channels() + c] * factor;
      if (shift.grad != kNoBuffer) at(shift.grad)[c] = static_cast<float>(dshift);
      if (scale.grad != kNoBuffer) at(scale.grad)[c] = static_cast<float>(dscale);
      if (has_constant_statistics) {
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

  void apply_backward(const float* values) const {
    const ChannelBackward constants{affine(), at(slope), at(level)};
    parallel(num_threads, [&](unsigned part) {
      if (is_pooled) {
        const Range range = part_range(num_pooled_rows(), num_threads, part);
        pooled_backward(sizes, {range.begin, range.end}, constants, values, at(dy), at(dx));
      } else {
        const Range range = part_range(num_rows(), num_threads, part);
        const std::size_t first = range.begin * channels();
        affine_backward(rows_of(range), activation, constants, values + first, at(dy) + first,
                        at(dx) + first);
      }
    });
  }
};

class BatchNormLayer final : public Layer {
 public:
  BatchNormLayer(const ModelGraph& graph, const NodeChain& nodes)
      : id_(nodes.front()),
        last_(nodes.back()),
        from_(graph.node(id_).inputs.front()),
        name_(graph.node(id_).name),
        shape_(graph.node(id_).shape),
        params_(graph.parameters_of(id_).begin(), graph.parameters_of(id_).end()) {
    plan_.op = std::get<BatchNormOp>(graph.node(id_).op);
    plan_.activation = nodes.size() >= 2 ? Activation::kRelu : Activation::kNone;
    plan_.is_pooled = nodes.size() == 3;
    plan_.sizes = {shape_.height, shape_.width, shape_.channels};
  }

  void forward(LoweringContext& context) override {
    const BufferId x = context.value(from_);
    has_batch_statistics_ = context.is_training() && !context.has_fixed_norm(id_);
    if (context.needs_gradient(id_)) context.will_read_back(x);
    plan_.list = &context.buffers;
    plan_.num_threads = context.num_threads;
    plan_.batch = context.batch();
    plan_.x = x;
    plan_.y = context.add_value(name_, context.value_bytes(last_));
    plan_.scale = context.add_param(params_[0]);
    plan_.shift = context.add_param(params_[1]);
    plan_.running_mean = context.add_param(params_[2]);
    plan_.running_var = context.add_param(params_[3]);
    const std::size_t channel_bytes = shape_.channels * sizeof(float);
    plan_.gain = context.add_value(name_ + ".gain", channel_bytes);
    plan_.offset = context.add_value(name_ + ".offset", channel_bytes);
    if (context.is_training()) {
      plan_.mean = context.add_value(name_ + ".mean", channel_bytes);
      plan_.inv_std = context.add_value(name_ + ".inv_std", channel_bytes);
      plan_.sums = add_sums(context, ".sums");
      if (plan_.is_pooled) {
        plan_.x_at_max = context.add_value(name_ + ".x_at_max", context.value_bytes(last_));
      }
    }
    context.emit({x, plan_.y, plan_.gain, plan_.offset, plan_.mean, plan_.inv_std, plan_.sums,
                  plan_.x_at_max},
                 [plan = plan_, from_batch = has_batch_statistics_](const RunContext& run) {
                   const float* values = values_at(*plan.list, plan.x, run);
                   if (from_batch) {
                     plan.take_batch_statistics(values);
                   } else {
                     plan.take_running_statistics();
                   }
                   plan.apply_forward(values);
                 });
    context.set_value(last_, plan_.y);
  }

  void backward(LoweringContext& context) override {
    const BufferId dy = context.gradient(last_);
    plan_.dy = dy;
    plan_.has_constant_statistics = !has_batch_statistics_;
    context.has_read_back(plan_.x);  // value by value, so that dx may take its place
    const bool needs_dx = context.needs_gradient(from_);
    if (needs_dx) {
      const bool is_in_place = !plan_.is_pooled && context.can_overwrite_gradient(last_);
      plan_.dx = is_in_place ? dy : context.place_for_gradient(from_, name_ + ".input");
    }
    const std::size_t channel_bytes = shape_.channels * sizeof(float);
    plan_.slope = context.add_transient(name_ + ".slope", channel_bytes);
    plan_.level = context.add_transient(name_ + ".level", channel_bytes);
    plan_.sums = add_sums(context, ".backward_sums");
    context.emit(
        {plan_.x, plan_.x_at_max, dy, plan_.dx, plan_.gain, plan_.offset, plan_.mean, plan_.inv_std,
         plan_.slope, plan_.level, plan_.sums, plan_.scale.grad, plan_.shift.grad},
        [plan = plan_](const RunContext& run) {
          const float* values = values_at(*plan.list, plan.x, run);
          plan.sum_gradients(values);
          if (plan.dx != kNoBuffer) plan.apply_backward(values);
        });
    if (needs_dx) context.give_gradient(from_, plan_.dx);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  BufferId add_sums(LoweringContext& context, const char* suffix) {
    return context.buffers.add(name_ + suffix, Role::kWorkspace,
                               2 * sizeof(double) * shape_.channels * context.num_threads);
  }

  NodeId id_;
  NodeId last_;
  NodeId from_;
  std::string name_;
  TensorShape shape_;
  bool has_batch_statistics_ = false;
  std::vector<std::uint32_t> params_;
  BatchNormPlan plan_;
};

}  // namespace

std::unique_ptr<Layer> make_batch_norm_layer(const ModelGraph& graph, const NodeChain& nodes) {
  return std::make_unique<BatchNormLayer>(graph, nodes);
}

}  // namespace penstock::train::onednn
