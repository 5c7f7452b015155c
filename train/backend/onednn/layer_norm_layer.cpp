// Layer norm over the channels of each place, in own kernels. Nothing is kept but the input: a row's mean and
// deviation are computed again while it is in the cache.
#include <algorithm>
#include <variant>

#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/layer_norm_kernels.h"
#include "train/backend/onednn/parallel.h"

namespace penstock::train::onednn {
namespace {

/// Everything the tasks need, by value: tasks outlive the layer.
template <class T>
struct LayerNormPlan {
  const BufferList* list = nullptr;
  unsigned num_threads = 1;
  Rows rows;  // of the batch
  float epsilon = 0;
  ParamBuffers scale;
  ParamBuffers shift;
  BufferId x = kNoBuffer;
  BufferId y = kNoBuffer;
  BufferId dy = kNoBuffer;
  BufferId dx = kNoBuffer;    // kNoBuffer: not needed
  BufferId sums = kNoBuffer;  // by thread: double [2][channels], then float [2][channels]

  static constexpr std::size_t kSumBytesPerChannel = 2 * sizeof(double) + 2 * sizeof(float);

  T* at(BufferId buffer) const { return list->at<T>(buffer); }
  RowNorm norm() const {
    return {list->at<float>(scale.master), list->at<float>(shift.master), epsilon};
  }
  double* sums_of(unsigned part) const {
    return reinterpret_cast<double*>(list->at<std::byte>(sums) +
                                     part * rows.channels * kSumBytesPerChannel);
  }

  void forward(const T* values) const {
    parallel(num_threads, [&](unsigned part) {
      const Range range = part_range(rows.num_rows, num_threads, part);
      const std::size_t first = range.begin * rows.channels;
      layer_norm_forward({range.size(), rows.channels}, norm(), values + first, at(y) + first);
    });
  }

  void backward(const T* values) const {
    const std::size_t channels = rows.channels;
    parallel(num_threads, [&](unsigned part) {
      const Range range = part_range(rows.num_rows, num_threads, part);
      const std::size_t first = range.begin * channels;
      double* const mine = sums_of(part);
      std::fill_n(mine, 2 * channels, 0.0);
      layer_norm_backward({range.size(), channels}, norm(), values + first, at(dy) + first,
                          dx == kNoBuffer ? nullptr : at(dx) + first,
                          {.of_run = reinterpret_cast<float*>(mine + 2 * channels),
                           .dscale = mine,
                           .dshift = mine + channels});
    });
    take_total(scale.grad, 0);
    take_total(shift.grad, channels);
  }

 private:
  void take_total(BufferId grad, std::size_t first) const {
    if (grad == kNoBuffer) return;
    for (std::size_t c = 0; c < rows.channels; ++c) {
      double total = 0;
      for (unsigned part = 0; part < num_threads; ++part) total += sums_of(part)[first + c];
      list->at<float>(grad)[c] = static_cast<float>(total);
    }
  }
};

template <class T>
class LayerNormLayer final : public Layer {
 public:
  LayerNormLayer(const ModelGraph& graph, NodeId id)
      : id_(id), from_(graph.node(id).inputs.front()), name_(graph.node(id).name) {
    plan_.epsilon = static_cast<float>(std::get<LayerNormOp>(graph.node(id).op).epsilon);
  }

  void forward(LoweringContext& context) override {
    const TensorShape& shape = context.graph.node(id_).shape;
    const auto params = context.graph.parameters_of(id_);
    plan_.list = &context.buffers;
    plan_.num_threads = context.num_threads;
    plan_.rows = {context.batch() * shape.area(), shape.channels};
    plan_.scale = context.add_param(params[0]);
    plan_.shift = context.add_param(params[1]);
    emit_forward(context);
    if (context.needs_gradient(id_)) context.will_read_back(from_);
  }

  void forward_again(LoweringContext& context) override { emit_forward(context); }

  void backward(LoweringContext& context) override {
    plan_.dy = context.gradient(id_);
    plan_.x = context.value(from_);
    context.has_read_back(from_);  // row by row: dx may take its place
    const bool needs_dx = context.needs_gradient(from_);
    if (needs_dx) {
      plan_.dx = context.can_overwrite_gradient(id_)
                     ? plan_.dy
                     : context.place_for_gradient(from_, name_ + ".input");
    }
    plan_.sums =
        context.add_transient(name_ + ".backward_sums", plan_.num_threads * plan_.rows.channels *
                                                            LayerNormPlan<T>::kSumBytesPerChannel);
    context.emit({plan_.x, plan_.dy, plan_.dx, plan_.sums, plan_.scale.grad, plan_.shift.grad},
                 [plan = plan_](const RunContext& run) {
                   plan.backward(values_at<T>(*plan.list, plan.x, run));
                 });
    if (needs_dx) context.give_gradient(from_, plan_.dx);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  void emit_forward(LoweringContext& context) {
    plan_.x = context.value(from_);
    plan_.y = context.add_output(id_, name_);
    context.emit({plan_.x, plan_.y}, [plan = plan_](const RunContext& run) {
      plan.forward(values_at<T>(*plan.list, plan.x, run));
    });
    context.set_value(id_, plan_.y);
  }

  NodeId id_;
  NodeId from_;
  std::string name_;
  LayerNormPlan<T> plan_;
};

}  // namespace

std::unique_ptr<Layer> make_layer_norm_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<LayerNormLayer>(model.compute, model.graph, node);
}

}  // namespace penstock::train::onednn
