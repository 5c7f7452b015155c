// The end of a residual block, batch norm, sum and ReLU, in own kernels: neither the normalized values nor
// the sum before the ReLU are ever written, and going back the sum's gradient is written once, for both
// sides.
#include "train/backend/onednn/channel_norm.h"
#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/residual_kernels.h"

namespace penstock::train::onednn {
namespace {

/// Everything the tasks need, by value: tasks outlive the layer.
template <class T>
struct ResidualPlan {
  ChannelNorm norm;
  BufferId x = kNoBuffer;
  BufferId residual = kNoBuffer;
  BufferId y = kNoBuffer;
  BufferId dy = kNoBuffer;
  BufferId g = kNoBuffer;   // dy where y let it through
  BufferId dx = kNoBuffer;  // kNoBuffer: not needed

  T* at(BufferId buffer) const { return norm.list->at<T>(buffer); }

  void apply_forward(const T* values, const T* residuals) const {
    parallel(norm.num_threads, [&](unsigned part) {
      const Range range = part_range(norm.num_rows, norm.num_threads, part);
      const std::size_t first = range.begin * norm.channels;
      residual_forward(norm.rows_of(range), norm.affine(), values + first, residuals + first,
                       at(y) + first);
    });
  }

  void sum_gradients(const T* values) const {
    norm.sum_in_parts(norm.num_rows, [&](Range range, double* sum_g, double* sum_gx) {
      const std::size_t first = range.begin * norm.channels;
      residual_gradient_sums(norm.rows_of(range), norm.at(norm.mean), values + first, at(y) + first,
                             at(dy) + first, at(g) + first, sum_g, sum_gx);
    });
    norm.take_gradient_sums();
  }

  void apply_backward(const T* values) const {
    const ChannelBackward constants = norm.backward();
    parallel(norm.num_threads, [&](unsigned part) {
      const Range range = part_range(norm.num_rows, norm.num_threads, part);
      const std::size_t first = range.begin * norm.channels;
      affine_backward(norm.rows_of(range), Activation(), constants, values + first, at(g) + first,
                      at(dx) + first);
    });
  }
};

template <class T>
class ResidualNormLayer final : public Layer {
 public:
  ResidualNormLayer(const ModelGraph& graph, const NodeChain& nodes)
      : id_(nodes.front()),
        last_(nodes.back()),
        from_(graph.node(id_).inputs.front()),
        name_(graph.node(id_).name) {
    const auto& terms = graph.node(nodes[1]).inputs;
    residual_ = terms[0] == id_ ? terms[1] : terms[0];
  }

  void forward(LoweringContext& context) override {
    plan_.x = context.value(from_);
    plan_.residual = context.value(residual_);
    plan_.norm.lower_forward(context, id_);
    plan_.y =
        context.can_replace(plan_.residual) ? plan_.residual : context.add_output(last_, name_);
    const ChannelNorm& norm = plan_.norm;
    context.emit({plan_.x, plan_.residual, plan_.y, norm.gain, norm.offset, norm.mean, norm.inv_std,
                  norm.sums},
                 [plan = plan_](const RunContext& run) {
                   const BufferList& list = *plan.norm.list;
                   const T* values = values_at<T>(list, plan.x, run);
                   plan.norm.take_statistics(values);
                   plan.apply_forward(values, values_at<T>(list, plan.residual, run));
                 });
    context.set_value(last_, plan_.y);
    if (!context.needs_gradient(last_)) return;
    context.will_read_back(from_);
    context.will_read_back(last_);
  }

  void forward_again(LoweringContext& context) override {
    plan_.x = context.value(from_);
    plan_.residual = context.value(residual_);
    plan_.y = context.add_output(last_, name_);
    const ChannelNorm& norm = plan_.norm;
    context.emit({plan_.x, plan_.residual, plan_.y, norm.gain, norm.offset},
                 [plan = plan_](const RunContext& run) {
                   const BufferList& list = *plan.norm.list;
                   plan.apply_forward(values_at<T>(list, plan.x, run),
                                      values_at<T>(list, plan.residual, run));
                 });
    context.set_value(last_, plan_.y);
  }

  void backward(LoweringContext& context) override {
    plan_.dy = context.gradient(last_);
    plan_.x = context.value(from_);
    plan_.y = context.value(last_);
    context.has_read_back(from_);
    context.has_read_back(last_);
    plan_.g = context.can_overwrite_gradient(last_)
                  ? plan_.dy
                  : context.add_transient(name_ + ".passed.grad", context.value_bytes(last_));
    const bool needs_dx = context.needs_gradient(from_);
    if (needs_dx) plan_.dx = context.place_for_gradient(from_, name_ + ".input");
    plan_.norm.lower_backward(context, id_);
    const ChannelNorm& norm = plan_.norm;
    context.emit(
        {plan_.x, plan_.y, plan_.dy, plan_.g, plan_.dx, norm.gain, norm.offset, norm.mean,
         norm.inv_std, norm.slope, norm.level, norm.sums, norm.scale.grad, norm.shift.grad},
        [plan = plan_](const RunContext& run) {
          const T* values = values_at<T>(*plan.norm.list, plan.x, run);
          plan.sum_gradients(values);
          if (plan.dx != kNoBuffer) plan.apply_backward(values);
        });
    if (context.needs_gradient(residual_)) context.give_gradient(residual_, plan_.g);
    if (needs_dx) context.give_gradient(from_, plan_.dx);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  NodeId id_;
  NodeId last_;
  NodeId from_;
  NodeId residual_ = 0;
  std::string name_;
  ResidualPlan<T> plan_;
};

}  // namespace

std::unique_ptr<Layer> make_residual_norm_layer(const TypedGraph& model, const NodeChain& nodes) {
  return make_layer_of<ResidualNormLayer>(model.compute, model.graph, nodes);
}

}  // namespace penstock::train::onednn
