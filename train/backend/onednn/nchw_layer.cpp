// Operations that have no kernels of their own here, a user's among them: the plain loops of the reference
// backend, on copies in NCHW and float32. Samples are shared out among the threads, but for a user's
// operation, of which nobody knows what it does with a batch.
#include <algorithm>
#include <numeric>
#include <type_traits>
#include <variant>

#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/nhwc_places.h"
#include "train/backend/onednn/parallel.h"
#include "train/backend/reference/activation_reference.h"
#include "train/backend/reference/custom_reference.h"
#include "train/backend/reference/norm_reference.h"
#include "train/backend/reference/pool_reference.h"

namespace penstock::train::onednn {
namespace {

using reference::NodeTensors;

struct Tensor {
  TensorShape shape;
  BufferId nhwc = kNoBuffer;
  BufferId nchw = kNoBuffer;  // float32; the same where that is what the values are

  bool is_copied() const { return nhwc != nchw; }
};

/// What the tasks need, by value: tasks outlive the layer. T is what the values are kept in.
template <class T>
struct NchwPlan {
  const BufferList* list = nullptr;
  unsigned num_threads = 1;
  Operation op;
  NodeTensors<float> tensors;             // of the batch, without places
  std::vector<NodeTensors<float>> parts;  // of its runs of samples, one a thread
  std::vector<Tensor> x;
  Tensor y;
  Tensor dy;
  std::vector<Tensor> dx;  // kNoBuffer where nobody needs it
  std::vector<ParamBuffers> params;
  std::vector<std::size_t> param_sizes;
  BufferId sums = kNoBuffer;  // gradients of the parameters, of every part but the first

  bool is_custom() const { return std::holds_alternative<CustomOp>(op); }
  unsigned num_parts() const { return is_custom() ? 1 : num_threads; }
  std::size_t num_sums() const {
    return std::accumulate(param_sizes.begin(), param_sizes.end(), std::size_t{0});
  }

  void unpack(const Tensor& t, const T* from, float* to) const {
    parallel(num_threads, [&](unsigned part) {
      for_each_place(t.shape, part_range(tensors.batch, num_threads, part),
                     [&](std::size_t nhwc, std::size_t nchw) { to[nchw] = to_float(from[nhwc]); });
    });
  }
  void pack(const Tensor& t) const {
    if (!t.is_copied()) return;
    const float* from = list->at<float>(t.nchw);
    T* to = list->at<T>(t.nhwc);
    parallel(num_threads, [&](unsigned part) {
      for_each_place(
          t.shape, part_range(tensors.batch, num_threads, part),
          [&](std::size_t nhwc, std::size_t nchw) { to[nhwc] = rounded_to<T>(from[nchw]); });
    });
  }

  /// Makes the room that bind() fills: a run allocates nothing.
  void make_room() {
    parts.assign(num_parts(), tensors);
    for (NodeTensors<float>& part : parts) {
      part.x.resize(x.size());
      part.dx.resize(dx.size());
      part.params.resize(params.size());
      part.dparams.resize(params.size());
    }
  }

  void bind(const RunContext& run, unsigned part_idx) {
    NodeTensors<float>& part = parts[part_idx];
    const Range samples = part_range(tensors.batch, num_parts(), part_idx);
    const auto at = [&](float* values, const TensorShape& shape) {
      return values == nullptr ? nullptr : values + samples.begin * shape.num_elements();
    };
    part.batch = samples.size();
    part.scalars = *run.scalars;
    for (std::size_t k = 0; k < x.size(); ++k) {
      const float* const values =
          x[k].is_copied() ? list->at<float>(x[k].nchw) : values_at<float>(*list, x[k].nhwc, run);
      part.x[k] = values + samples.begin * x[k].shape.num_elements();
    }
    float* sum = list->at<float>(sums);
    if (sum != nullptr && part_idx > 0) sum += (part_idx - 1) * num_sums();
    for (std::size_t k = 0; k < params.size(); ++k) {
      part.params[k] = list->at<float>(params[k].master);
      part.dparams[k] = list->at<float>(params[k].grad);
      if (part_idx == 0 || sum == nullptr || part.dparams[k] == nullptr) continue;
      part.dparams[k] = sum;
      sum += param_sizes[k];
    }
    part.y = at(list->at<float>(y.nchw), y.shape);
    part.dy = at(list->at<float>(dy.nchw), y.shape);
    for (std::size_t k = 0; k < dx.size(); ++k) {
      part.dx[k] = at(list->at<float>(dx[k].nchw), dx[k].shape);
    }
  }

  /// Adds what the other parts gave to the first one's, in the order of the parts.
  void add_sums() {
    for (std::size_t p = 1; p < parts.size(); ++p) {
      for (std::size_t k = 0; k < params.size(); ++k) {
        float* const grad = parts[0].dparams[k];
        if (grad == nullptr) continue;
        for (std::size_t i = 0; i < param_sizes[k]; ++i) grad[i] += parts[p].dparams[k][i];
      }
    }
  }

  void forward(const RunContext& run) {
    for (const Tensor& t : x) {
      if (t.is_copied()) unpack(t, values_at<T>(*list, t.nhwc, run), list->at<float>(t.nchw));
    }
    parallel(num_parts(), [&](unsigned part) {
      bind(run, part);
      std::visit([&](const auto& one) { run_forward(one, parts[part]); }, op);
    });
    pack(y);
  }

  void backward(const RunContext& run) {
    for (const Tensor& t : x) {
      if (t.is_copied()) unpack(t, values_at<T>(*list, t.nhwc, run), list->at<float>(t.nchw));
    }
    for (const Tensor* t : {&y, &dy}) {
      if (t->is_copied()) unpack(*t, list->at<T>(t->nhwc), list->at<float>(t->nchw));
    }
    parallel(num_parts(), [&](unsigned part_idx) {
      bind(run, part_idx);
      NodeTensors<float>& part = parts[part_idx];
      for (std::size_t k = 0; k < params.size(); ++k) {
        if (part.dparams[k] != nullptr) std::fill_n(part.dparams[k], param_sizes[k], 0.0f);
      }
      for (std::size_t k = 0; k < dx.size(); ++k) {
        if (part.dx[k] != nullptr) {
          std::fill_n(part.dx[k], part.batch * dx[k].shape.num_elements(), 0.0f);
        }
      }
      std::visit([&](const auto& one) { run_backward(one, part); }, op);
    });
    add_sums();
    for (const Tensor& t : dx) {
      if (t.nchw != kNoBuffer) pack(t);
    }
  }

  // Those that never come here need no loops here.
  template <class Op>
  static constexpr bool kHasOwnLayer =
      std::is_same_v<Op, InputOp> || std::is_same_v<Op, Conv2dOp> || std::is_same_v<Op, DenseOp> ||
      std::is_same_v<Op, BatchNormOp> || std::is_same_v<Op, DropoutOp> ||
      std::is_same_v<Op, PoolOp> || std::is_same_v<Op, FlattenOp> || std::is_same_v<Op, AddOp> ||
      std::is_same_v<Op, ActivationOp> || std::is_same_v<Op, MultiplyOp> ||
      std::is_same_v<Op, ConcatOp> || std::is_same_v<Op, ChannelScaleOp> ||
      std::is_same_v<Op, LayerNormOp>;

  template <class Op>
  static void run_forward(const Op& one, const NodeTensors<float>& t) {
    if constexpr (!kHasOwnLayer<Op>) reference::forward(one, t);
  }
  template <class Op>
  static void run_backward(const Op& one, const NodeTensors<float>& t) {
    if constexpr (!kHasOwnLayer<Op>) reference::backward(one, t);
  }
};

template <class T>
class NchwLayer final : public Layer {
 public:
  NchwLayer(const ModelGraph& graph, NodeId id) : id_(id), name_(graph.node(id).name) {
    plan_.op = graph.node(id).op;
  }

  void forward(LoweringContext& context) override {
    const Node& node = context.graph.node(id_);
    plan_.list = &context.buffers;
    plan_.num_threads = context.num_threads;
    plan_.tensors = {.batch = context.batch(),
                     .node = id_,
                     .is_training = context.is_training(),
                     .has_fixed_norm = context.has_fixed_norm(id_),
                     .shape = node.shape};
    for (const NodeId from : node.inputs) {
      plan_.tensors.input_shapes.push_back(context.graph.node(from).shape);
    }
    for (const std::uint32_t param_idx : context.graph.parameters_of(id_)) {
      plan_.params.push_back(context.add_param(param_idx));
      plan_.param_sizes.push_back(context.graph.parameters()[param_idx].num_elements());
    }
    emit_forward(context);
    if (!context.needs_gradient(id_)) return;
    for (const NodeId from : node.inputs) context.will_read_back(from);
    context.will_read_back(id_);
  }

  void forward_again(LoweringContext& context) override { emit_forward(context); }

  void backward(LoweringContext& context) override {
    const Node& node = context.graph.node(id_);
    const BufferId dy = context.gradient(id_);
    find_values(context, context.value(id_), ".back");
    plan_.dy = passing_copy(context, node.shape, dy, ".dy");
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      const NodeId from = node.inputs[k];
      const TensorShape& shape = context.graph.node(from).shape;
      if (!context.needs_gradient(from)) {
        plan_.dx.push_back({shape});
        continue;
      }
      const std::string suffix = ".dx" + std::to_string(k);
      const BufferId dx = context.add_transient(name_ + suffix, context.value_bytes(from));
      plan_.dx.push_back(passing_copy(context, shape, dx, suffix));
    }
    const bool learns = std::ranges::any_of(
        plan_.params, [](const ParamBuffers& param) { return param.grad != kNoBuffer; });
    if (learns && plan_.num_parts() > 1) {
      plan_.sums = context.add_transient(
          name_ + ".sums", (plan_.num_parts() - 1) * plan_.num_sums() * sizeof(float));
    }
    const std::vector<BufferId> uses = buffers_used();
    plan_.make_room();
    context.emit(uses, [plan = plan_](const RunContext& run) mutable { plan.backward(run); });
    for (const NodeId from : node.inputs) context.has_read_back(from);
    context.has_read_back(id_);
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (plan_.dx[k].nhwc != kNoBuffer) context.give_gradient(node.inputs[k], plan_.dx[k].nhwc);
    }
  }

  std::string explain() const override {
    return "plain loops in float32, NCHW: no kernel of its own for " +
           std::string(operation_name(plan_.op)) + (plan_.is_custom() ? "; on one thread" : "");
  }

 private:
  void emit_forward(LoweringContext& context) {
    const BufferId y = context.add_output(id_, name_);
    find_values(context, y, "");
    const std::vector<BufferId> uses = buffers_used();
    plan_.make_room();
    context.emit(uses, [plan = plan_](const RunContext& run) mutable { plan.forward(run); });
    context.set_value(id_, y);
  }
  /// Takes inputs and output where they lie now. Copies of them pass: going back they are made again.
  void find_values(LoweringContext& context, BufferId y, const std::string& suffix) {
    const Node& node = context.graph.node(id_);
    plan_.x.clear();
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      plan_.x.push_back(passing_copy(context, plan_.tensors.input_shapes[k],
                                     context.value(node.inputs[k]),
                                     ".input" + std::to_string(k) + suffix));
    }
    plan_.y = passing_copy(context, node.shape, y, ".output" + suffix);
  }
  static bool needs_copy(const TensorShape& shape) {
    return !std::is_same_v<T, float> || (shape.area() > 1 && shape.channels > 1);
  }
  Tensor passing_copy(LoweringContext& context, const TensorShape& shape, BufferId nhwc,
                      const std::string& suffix) const {
    if (!needs_copy(shape)) return {shape, nhwc, nhwc};
    return {shape, nhwc,
            context.add_transient(name_ + suffix + ".nchw", context.float_bytes(shape))};
  }
  std::vector<BufferId> buffers_used() const {
    std::vector<BufferId> used;
    const auto push = [&](const Tensor& t) {
      for (const BufferId buffer : {t.nhwc, t.nchw}) {
        if (buffer != kNoBuffer) used.push_back(buffer);
      }
    };
    for (const Tensor& t : plan_.x) push(t);
    push(plan_.y);
    push(plan_.dy);
    for (const Tensor& t : plan_.dx) push(t);
    if (plan_.dy.nhwc == kNoBuffer) return used;
    if (plan_.sums != kNoBuffer) used.push_back(plan_.sums);
    for (const ParamBuffers& param : plan_.params) {
      if (param.grad != kNoBuffer) used.push_back(param.grad);
    }
    return used;
  }

  NodeId id_;
  std::string name_;
  NchwPlan<T> plan_;
};

}  // namespace

std::unique_ptr<Layer> make_nchw_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<NchwLayer>(model.compute, model.graph, node);
}

}  // namespace penstock::train::onednn
