// Convolution and dense layers: oneDNN primitives around weights in the layouts they like best. The weight
// gradient of one filter for each channel is an own kernel, and so is the layout of the master.
#include <algorithm>

#include "train/backend/onednn/depthwise_kernels.h"
#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/parallel.h"
#include "train/backend/onednn/weighted_sizes.h"

namespace penstock::train::onednn {
namespace {

/// Copies the pixels that the windows of `rows` begin at: rows of the output, counted over all samples.
template <class T>
void pick_pixels(const WeightedSizes& sizes, Range rows, const T* from, T* to) {
  const std::size_t channels = sizes.input.channels;
  const std::size_t row_values = sizes.input.width * channels;
  const std::size_t step_values = sizes.window.stride.cols * channels;
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    const std::size_t sample = row / sizes.output.height;
    const std::size_t from_row = row % sizes.output.height * sizes.window.stride.rows;
    const T* pixel = from + (sample * sizes.input.height + from_row) * row_values;
    T* picked = to + row * sizes.output.width * channels;
    for (std::size_t col = 0; col < sizes.output.width; ++col) {
      picked = std::copy_n(pixel + col * step_values, channels, picked);
    }
  }
}

class WeightedLayer final : public Layer {
 public:
  WeightedLayer(const TypedGraph& model, NodeId id)
      : id_(id), from_(model.graph.node(id).inputs.front()), name_(model.graph.node(id).name) {
    const ModelGraph& graph = model.graph;
    const auto params = graph.parameters_of(id);
    weight_idx_ = params[0];
    has_bias_ = params.size() > 1;
    if (has_bias_) bias_idx_ = params[1];
  }

  void forward(LoweringContext& context) override {
    sizes_ = weighted_sizes(context.graph, id_, context.lowering);
    learns_ = context.flow.learns[weight_idx_] || (has_bias_ && context.flow.learns[bias_idx_]);
    if (learns_) context.will_read_back(from_);
    StoredParam& stored = context.store.param(weight_idx_);
    stored.canonical = context.library.canonical_layout(sizes_);
    // The first training program decides how the master lies: as the weight gradient comes.
    if (is_depthwise(sizes_)) {
      stored.layout = context.library.depthwise_layout(sizes_);
    } else if (context.is_training()) {
      backward_weights_ =
          context.library.backward_weights(weight_gradient_sizes(sizes_), stored.layout);
    }
    WeightLayout wanted;
    PreparedOp op = context.library.forward(sizes_, context.is_training(), wanted);
    // Masters are float32 whatever the pass computes with.
    if (!stored.layout) {
      stored.layout = sizes_.compute == ComputeType::kFloat32 ? wanted : stored.canonical;
    }
    weight_ = context.add_param(weight_idx_);
    if (has_bias_) bias_ = context.add_param(bias_idx_);
    explanation_ = "forward " + op.implementation();
    if (sizes_.has_float_output && sizes_.compute != ComputeType::kFloat32) {
      explanation_ += " to float32";
    }
    emit_forward(context, std::move(op), wanted);
  }

  void forward_again(LoweringContext& context) override {
    WeightLayout wanted;
    PreparedOp op = context.library.forward(sizes_, context.is_training(), wanted);
    emit_forward(context, std::move(op), wanted);
  }

  void backward(LoweringContext& context) override {
    const BufferId dy = context.gradient(id_);
    x_ = context.value(from_);
    if (learns_) {
      context.start_pass(id_, LayerPass::kWeightGradient);
      emit_weight_gradient(context, dy);
      context.start_pass(id_, LayerPass::kBackward);
      context.has_read_back(from_);
    } else {
      explanation_ += ", frozen";
    }
    if (!context.needs_gradient(from_)) {
      explanation_ += ", no input gradient";
      return;
    }
    WeightLayout wanted;
    PreparedOp op = context.library.backward_data(sizes_, wanted);
    explanation_ += ", input gradient " + op.implementation();
    const BufferId weight = context.weight_in(weight_idx_, weight_, wanted);
    const BufferId dx = context.place_for_gradient(from_, name_ + ".input");
    context.emit_primitive(name_ + ".data", std::move(op),
                           {{Arg::kDiffDst, dy}, {Arg::kWeights, weight}, {Arg::kDiffSrc, dx}});
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return explanation_; }

 private:
  void emit_forward(LoweringContext& context, PreparedOp op, const WeightLayout& wanted) {
    x_ = context.value(from_);
    const BufferId weight = context.weight_in(weight_idx_, weight_, wanted);
    const BufferId y = sizes_.has_float_output
                           ? context.add_value(name_, context.float_bytes(sizes_.output))
                           : context.add_output(id_, name_);
    if (has_bias_) {
      context.emit_primitive(
          name_, std::move(op),
          {{Arg::kSrc, x_}, {Arg::kWeights, weight}, {Arg::kBias, bias_.master}, {Arg::kDst, y}});
    } else {
      context.emit_primitive(name_, std::move(op),
                             {{Arg::kSrc, x_}, {Arg::kWeights, weight}, {Arg::kDst, y}});
    }
    context.set_value(id_, y);
  }

  // The library makes both at once: what is frozen of the two goes where nobody looks.
  void emit_weight_gradient(LoweringContext& context, BufferId dy) {
    const bool is_own = is_depthwise(sizes_);
    explanation_ +=
        ", weight gradient " + (is_own ? "own NHWC kernel" : backward_weights_.implementation());
    const auto place = [&](const ParamBuffers& param, std::size_t param_idx, const char* suffix) {
      if (param.grad != kNoBuffer) return param.grad;
      return context.buffers.add(name_ + suffix, Role::kWorkspace,
                                 context.store.param(param_idx).stored_bytes());
    };
    const BufferId dweight = place(weight_, weight_idx_, ".unused_weight_grad");
    const BufferId x = picks_pixels(sizes_) ? emit_picked_pixels(context) : x_;
    if (is_own) {
      const BufferId dbias = has_bias_ ? place(bias_, bias_idx_, ".unused_bias_grad") : kNoBuffer;
      if (sizes_.compute == ComputeType::kBfloat16) {
        emit_depthwise_gradient<Bfloat16>(context, dy, dweight, dbias);
      } else {
        emit_depthwise_gradient<float>(context, dy, dweight, dbias);
      }
    } else if (has_bias_) {
      context.emit_primitive(name_ + ".weights", std::move(backward_weights_),
                             {{Arg::kSrc, x},
                              {Arg::kDiffDst, dy},
                              {Arg::kDiffWeights, dweight},
                              {Arg::kDiffBias, place(bias_, bias_idx_, ".unused_bias_grad")}});
    } else {
      context.emit_primitive(name_ + ".weights", std::move(backward_weights_),
                             {{Arg::kSrc, x}, {Arg::kDiffDst, dy}, {Arg::kDiffWeights, dweight}});
    }
  }

  BufferId emit_picked_pixels(LoweringContext& context) {
    explanation_ += " of picked pixels";
    return sizes_.compute == ComputeType::kBfloat16 ? emit_picked_pixels<Bfloat16>(context)
                                                    : emit_picked_pixels<float>(context);
  }

  template <class T>
  BufferId emit_picked_pixels(LoweringContext& context) const {
    const WeightedSizes picked = weight_gradient_sizes(sizes_);
    const BufferId to = context.add_transient(name_ + ".picked", context.value_bytes(picked.input));
    context.emit({x_, to}, [=, from = x_, sizes = sizes_, &list = context.buffers,
                            threads = context.num_threads](const RunContext& run) {
      const std::size_t num_rows = std::size_t{sizes.batch} * sizes.output.height;
      parallel(threads, [&](unsigned part) {
        const Range rows = part_range(num_rows, threads, part);
        pick_pixels(sizes, rows, values_at<T>(list, from, run), list.at<T>(to));
      });
    });
    return to;
  }

  template <class T>
  void emit_depthwise_gradient(LoweringContext& context, BufferId dy, BufferId dweight,
                               BufferId dbias) const {
    const DepthwiseSizes sizes{sizes_.batch, sizes_.input, sizes_.output, sizes_.window};
    context.emit({x_, dy, dweight, dbias}, [=, x = x_, &list = context.buffers,
                                            threads = context.num_threads](const RunContext& run) {
      const std::size_t num_runs = num_channel_runs(sizes);
      parallel(threads, [&](unsigned part) {
        const Range range = part_range(num_runs, threads, part);
        for (std::size_t i = range.begin; i < range.end; ++i) {
          depthwise_weight_gradient(sizes, i, values_at<T>(list, x, run), list.at<T>(dy),
                                    list.at<float>(dweight), list.at<float>(dbias));
        }
      });
    });
  }

  NodeId id_;
  NodeId from_;
  std::string name_;
  WeightedSizes sizes_;
  std::size_t weight_idx_ = 0;
  std::size_t bias_idx_ = 0;
  bool has_bias_ = false;
  bool learns_ = false;
  ParamBuffers weight_;
  ParamBuffers bias_;
  PreparedOp backward_weights_;
  BufferId x_ = kNoBuffer;
  std::string explanation_;
};

}  // namespace

std::unique_ptr<Layer> make_weighted_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<WeightedLayer>(model, node);
}

}  // namespace penstock::train::onednn
