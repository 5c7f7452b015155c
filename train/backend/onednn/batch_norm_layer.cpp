// Batch norm alone, with an activation, or with ReLU and a max-pool, in own kernels: one pass for the statistics
// and one for the values, forward and backward.
#include <variant>

#include "train/backend/onednn/channel_norm.h"
#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/nhwc_overlapping_pool_kernels.h"

namespace penstock::train::onednn {
namespace {

enum class FusedPool : std::uint8_t { kNone, kApart, kOverlapping };  // windows of 2 x 2, of 3 x 3

/// Everything the tasks need, by value: tasks outlive the layer.
template <class T>
struct BatchNormPlan {
  ChannelNorm norm;
  Activation activation;
  FusedPool pool = FusedPool::kNone;
  TensorShape shape;   // of x
  TensorShape pooled;  // of y
  BufferId x = kNoBuffer;
  BufferId y = kNoBuffer;
  BufferId x_at_max = kNoBuffer;  // in training, where windows lie apart
  BufferId places = kNoBuffer;    // of the maxima, in training, where they overlap
  BufferId dy = kNoBuffer;
  BufferId dx = kNoBuffer;  // kNoBuffer: not needed

  bool is_pooled() const { return pool != FusedPool::kNone; }
  std::size_t num_pooled_rows() const {
    return norm.num_rows / shape.height / shape.width * pooled.height;
  }
  T* at(BufferId buffer) const { return norm.list->at<T>(buffer); }

  void apply_forward(const T* values) const {
    parallel(norm.num_threads, [&](unsigned part) {
      if (is_pooled()) {
        pool_forward(part_range(num_pooled_rows(), norm.num_threads, part), values);
        return;
      }
      const Range range = part_range(norm.num_rows, norm.num_threads, part);
      const std::size_t first = range.begin * norm.channels;
      affine_forward(norm.rows_of(range), activation, norm.affine(), values + first, at(y) + first);
    });
  }

  void pool_forward(Range range, const T* values) const {
    const PooledRows rows{range.begin, range.end};
    if (pool == FusedPool::kOverlapping) {
      overlapping_forward(sizes<OverlappingSizes>(), rows, norm.affine(), values, at(y),
                          places_at());
    } else {
      pooled_forward(sizes<PooledSizes>(), rows, norm.affine(), values, at(y), at(x_at_max));
    }
  }

  void sum_gradients(const T* values) const {
    if (pool == FusedPool::kOverlapping) {
      norm.sum_in_parts(num_pooled_rows(), [&](Range range, double* sum_g, double* sum_gx) {
        add_overlapping_sums(sizes<OverlappingSizes>(), {range.begin, range.end},
                             norm.at(norm.mean), values, places_at(), at(dy), sum_g, sum_gx);
      });
      norm.take_gradient_sums();
      return;
    }
    const T* source = is_pooled() ? at(x_at_max) : values;
    const std::size_t count = is_pooled() ? num_pooled_rows() * pooled.width : norm.num_rows;
    norm.sum_in_parts(count, [&](Range range, double* sum_g, double* sum_gx) {
      const std::size_t first = range.begin * norm.channels;
      add_backward_sums(norm.rows_of(range), activation, norm.affine(), norm.at(norm.mean),
                        source + first, at(dy) + first, sum_g, sum_gx);
    });
    norm.take_gradient_sums();
  }

  void apply_backward(const T* values) const {
    const ChannelBackward constants = norm.backward();
    parallel(norm.num_threads, [&](unsigned part) {
      if (is_pooled()) {
        pool_backward(part_range(num_pooled_rows(), norm.num_threads, part), constants, values);
        return;
      }
      const Range range = part_range(norm.num_rows, norm.num_threads, part);
      const std::size_t first = range.begin * norm.channels;
      affine_backward(norm.rows_of(range), activation, constants, values + first, at(dy) + first,
                      at(dx) + first);
    });
  }

  void pool_backward(Range range, const ChannelBackward& constants, const T* values) const {
    const PooledRows rows{range.begin, range.end};
    if (pool == FusedPool::kOverlapping) {
      overlapping_backward(sizes<OverlappingSizes>(), rows, constants, values, places_at(), at(dy),
                           at(dx));
    } else {
      pooled_backward(sizes<PooledSizes>(), rows, constants, values, at(dy), at(dx));
    }
  }

 private:
  template <class Sizes>
  Sizes sizes() const {
    return {shape.height, shape.width, shape.channels};
  }
  std::uint8_t* places_at() const { return norm.list->at<std::uint8_t>(places); }
};

template <class T>
class BatchNormLayer final : public Layer {
 public:
  BatchNormLayer(const ModelGraph& graph, const NodeChain& nodes)
      : id_(nodes.front()),
        last_(nodes.back()),
        from_(graph.node(id_).inputs.front()),
        name_(graph.node(id_).name) {
    if (nodes.size() >= 2) plan_.activation = std::get<ActivationOp>(graph.node(nodes[1]).op);
    if (nodes.size() == 3) {
      const bool is_padded = std::get<PoolOp>(graph.node(last_).op).window.has_padding();
      plan_.pool = is_padded ? FusedPool::kOverlapping : FusedPool::kApart;
    }
    plan_.shape = graph.node(id_).shape;
    plan_.pooled = graph.node(last_).shape;
  }

  void forward(LoweringContext& context) override {
    plan_.x = context.value(from_);
    plan_.norm.lower_forward(context, id_);
    plan_.y = context.add_output(last_, name_);
    const bool is_recomputed = context.lowering.is_recomputed(last_);
    if (context.is_training() && plan_.is_pooled() && !is_recomputed) add_maxima(context);
    const ChannelNorm& norm = plan_.norm;
    context.emit({plan_.x, plan_.y, norm.gain, norm.offset, norm.mean, norm.inv_std, norm.sums,
                  plan_.x_at_max, plan_.places},
                 [plan = plan_](const RunContext& run) {
                   const T* values = values_at<T>(*plan.norm.list, plan.x, run);
                   plan.norm.take_statistics(values);
                   plan.apply_forward(values);
                 });
    context.set_value(last_, plan_.y);
    if (!context.needs_gradient(id_)) return;
    context.will_read_back(from_);
    // The input at each maximum is computed again with them.
    if (plan_.is_pooled() && is_recomputed) context.will_read_back(last_);
  }

  void forward_again(LoweringContext& context) override {
    plan_.x = context.value(from_);
    plan_.y = context.add_output(last_, name_);
    if (plan_.is_pooled()) add_maxima(context);
    const ChannelNorm& norm = plan_.norm;
    context.emit({plan_.x, plan_.y, norm.gain, norm.offset, plan_.x_at_max, plan_.places},
                 [plan = plan_](const RunContext& run) {
                   plan.apply_forward(values_at<T>(*plan.norm.list, plan.x, run));
                 });
    context.set_value(last_, plan_.y);
  }

  void backward(LoweringContext& context) override {
    plan_.dy = context.gradient(last_);
    plan_.x = context.value(from_);
    context.has_read_back(from_);  // value by value, so that dx may take its place
    if (plan_.is_pooled() && context.lowering.is_recomputed(last_)) context.has_read_back(last_);
    const bool needs_dx = context.needs_gradient(from_);
    if (needs_dx) {
      const bool is_in_place = !plan_.is_pooled() && context.can_overwrite_gradient(last_);
      plan_.dx = is_in_place ? plan_.dy : context.place_for_gradient(from_, name_ + ".input");
    }
    plan_.norm.lower_backward(context, id_);
    const ChannelNorm& norm = plan_.norm;
    context.emit({plan_.x, plan_.x_at_max, plan_.places, plan_.dy, plan_.dx, norm.gain, norm.offset,
                  norm.mean, norm.inv_std, norm.slope, norm.level, norm.sums, norm.scale.grad,
                  norm.shift.grad},
                 [plan = plan_](const RunContext& run) {
                   const T* values = values_at<T>(*plan.norm.list, plan.x, run);
                   plan.sum_gradients(values);
                   if (plan.dx != kNoBuffer) plan.apply_backward(values);
                 });
    if (needs_dx) context.give_gradient(from_, plan_.dx);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  void add_maxima(LoweringContext& context) {
    if (plan_.pool == FusedPool::kOverlapping) {
      plan_.places = context.add_value(name_ + ".places", context.num_values(last_));
    } else {
      plan_.x_at_max = context.add_value(name_ + ".x_at_max", context.value_bytes(last_));
    }
  }

  NodeId id_;
  NodeId last_;
  NodeId from_;
  std::string name_;
  BatchNormPlan<T> plan_;
};

}  // namespace

std::unique_ptr<Layer> make_batch_norm_layer(const TypedGraph& model, const NodeChain& nodes) {
  return make_layer_of<BatchNormLayer>(model.compute, model.graph, nodes);
}

}  // namespace penstock::train::onednn
