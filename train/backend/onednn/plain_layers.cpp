// Layers that only move values: ReLU alone, global average pool, flatten, dropout.
#include <algorithm>
#include <variant>

#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/nhwc_kernels.h"
#include "train/backend/onednn/parallel.h"
#include "train/graph/train_draws.h"

namespace penstock::train::onednn {
namespace {

class ReluLayer final : public Layer {
 public:
  ReluLayer(const ModelGraph& graph, NodeId id)
      : name_(graph.node(id).name), shape_(graph.node(id).shape) {}

  BufferId forward(LoweringContext& context, BufferId x) override {
    y_ = x == kPixels ? context.add_value(name_, context.value_bytes(shape_)) : x;
    context.protect(y_);  // the backward pass reads it
    const std::size_t count = context.batch() * shape_.num_elements();
    context.emit({x, y_}, [=, y = y_, &list = context.buffers,
                           threads = context.num_threads](const RunContext& run) {
      const float* from = values_at(list, x, run);
      parallel(threads, [&](unsigned part) {
        const Range range = part_range(count, threads, part);
        relu_forward(range.size(), from + range.begin, list.at<float>(y) + range.begin);
      });
    });
    return y_;
  }

  BufferId backward(LoweringContext& context, BufferId dy, bool needs_dx) override {
    if (!needs_dx) return kNoBuffer;
    const std::size_t count = context.batch() * shape_.num_elements();
    context.emit({y_, dy}, [=, y = y_, &list = context.buffers,
                            threads = context.num_threads](const RunContext&) {
      float* gradient = list.at<float>(dy);
      parallel(threads, [&](unsigned part) {
        const Range range = part_range(count, threads, part);
        relu_backward(range.size(), list.at<float>(y) + range.begin, gradient + range.begin,
                      gradient + range.begin);
      });
    });
    return dy;
  }

  std::string explain() const override { return "own kernel, in place"; }

 private:
  std::string name_;
  TensorShape shape_;
  BufferId y_ = kNoBuffer;
};

class GlobalAvgPoolLayer final : public Layer {
 public:
  GlobalAvgPoolLayer(const ModelGraph& graph, NodeId id)
      : name_(graph.node(id).name), input_(graph.node(graph.node(id).inputs.front()).shape) {}

  BufferId forward(LoweringContext& context, BufferId x) override {
    x_ = x;
    const TensorShape output{input_.channels, 1, 1};
    const BufferId y = context.add_value(name_, context.value_bytes(output));
    context.emit({x, y}, [=, input = input_, batch = context.batch(),
                          &list = context.buffers](const RunContext& run) {
      const std::size_t area = std::size_t{input.height} * input.width;
      const float* from = values_at(list, x, run);
      float* to = list.at<float>(y);
      std::fill_n(to, batch * input.channels, 0.0f);
      for (std::size_t row = 0; row < batch * area; ++row) {
        float* sums = to + row / area * input.channels;
        for (std::size_t c = 0; c < input.channels; ++c) sums[c] += from[row * input.channels + c];
      }
      const float scale = 1.0f / static_cast<float>(area);
      for (std::size_t i = 0; i < batch * input.channels; ++i) to[i] *= scale;
    });
    return y;
  }

  BufferId backward(LoweringContext& context, BufferId dy, bool needs_dx) override {
    if (!needs_dx) return kNoBuffer;
    const BufferId dx =
        context.place_for_gradient(name_ + ".input", x_, context.value_bytes(input_));
    context.emit({dy, dx}, [=, input = input_, batch = context.batch(),
                            &list = context.buffers](const RunContext&) {
      const std::size_t area = std::size_t{input.height} * input.width;
      const float scale = 1.0f / static_cast<float>(area);
      for (std::size_t row = 0; row < batch * area; ++row) {
        const float* from = list.at<float>(dy) + row / area * input.channels;
        float* to = list.at<float>(dx) + row * input.channels;
        for (std::size_t c = 0; c < input.channels; ++c) to[c] = from[c] * scale;
      }
    });
    return dx;
  }

  std::string explain() const override { return "own kernel"; }

 private:
  std::string name_;
  TensorShape input_;
  BufferId x_ = kNoBuffer;
};

/// Row, column, channel to channel, row, column; nothing at all when there is one place only.
class FlattenLayer final : public Layer {
 public:
  FlattenLayer(const ModelGraph& graph, NodeId id)
      : name_(graph.node(id).name), input_(graph.node(graph.node(id).inputs.front()).shape) {}

  BufferId forward(LoweringContext& context, BufferId x) override {
    x_ = x;
    if (input_.is_flat()) return x;
    const BufferId y = context.add_value(name_, context.value_bytes(input_));
    context.emit({x, y}, [=, input = input_, batch = context.batch(),
                          &list = context.buffers](const RunContext& run) {
      const float* from = values_at(list, x, run);
      float* to = list.at<float>(y);
      for_each_place(input, batch,
                     [&](std::size_t nhwc, std::size_t nchw) { to[nchw] = from[nhwc]; });
    });
    return y;
  }

  BufferId backward(LoweringContext& context, BufferId dy, bool needs_dx) override {
    if (!needs_dx) return kNoBuffer;
    if (input_.is_flat()) return dy;
    const BufferId dx =
        context.place_for_gradient(name_ + ".input", x_, context.value_bytes(input_));
    context.emit({dy, dx}, [=, input = input_, batch = context.batch(),
                            &list = context.buffers](const RunContext&) {
      const float* from = list.at<float>(dy);
      float* to = list.at<float>(dx);
      for_each_place(input, batch,
                     [&](std::size_t nhwc, std::size_t nchw) { to[nhwc] = from[nchw]; });
    });
    return dx;
  }

  std::string explain() const override {
    return input_.is_flat() ? "nothing to do" : "own kernel, NHWC to CHW order";
  }

 private:
  template <class Visit>
  static void for_each_place(const TensorShape& input, std::size_t batch, Visit&& visit) {
    const std::size_t area = std::size_t{input.height} * input.width;
    for (std::size_t n = 0; n < batch; ++n) {
      const std::size_t first = n * input.num_elements();
      for (std::size_t place = 0; place < area; ++place) {
        for (std::size_t c = 0; c < input.channels; ++c) {
          visit(first + place * input.channels + c, first + c * area + place);
        }
      }
    }
  }

  std::string name_;
  TensorShape input_;
  BufferId x_ = kNoBuffer;
};

/// Draws by canonical element, so that every layout drops the same ones.
class DropoutLayer final : public Layer {
 public:
  DropoutLayer(const ModelGraph& graph, NodeId id)
      : name_(graph.node(id).name),
        shape_(graph.node(id).shape),
        node_(id),
        rate_(std::get<DropoutOp>(graph.node(id).op).rate) {}

  BufferId forward(LoweringContext& context, BufferId x) override {
    if (!context.is_training()) return x;
    const BufferId y = context.add_value(name_, context.value_bytes(shape_));
    emit_mask(context, x, y);
    return y;
  }

  BufferId backward(LoweringContext& context, BufferId dy, bool needs_dx) override {
    if (!needs_dx) return kNoBuffer;
    emit_mask(context, dy, dy);
    return dy;
  }

  std::string explain() const override { return "own kernel, mask drawn again going back"; }

 private:
  void emit_mask(LoweringContext& context, BufferId from, BufferId to) const {
    context.emit({from, to}, [=, layer = *this, batch = context.batch(), &list = context.buffers,
                              threads = context.num_threads](const RunContext& run) {
      const float* source = values_at(list, from, run);
      float* target = list.at<float>(to);
      parallel(threads, [&](unsigned part) {
        const Range samples = part_range(batch, threads, part);
        for (std::size_t n = samples.begin; n < samples.end; ++n) {
          const std::size_t first = n * layer.shape_.num_elements();
          layer.mask_sample(*run.scalars, static_cast<std::uint32_t>(n), source + first,
                            target + first);
        }
      });
    });
  }

  void mask_sample(const StepScalars& scalars, std::uint32_t sample, const float* from,
                   float* to) const {
    const std::uint32_t threshold = dropout_threshold(rate_);
    const auto scale = static_cast<float>(1.0 / (1.0 - rate_));
    const std::size_t area = std::size_t{shape_.height} * shape_.width;
    const std::size_t count = shape_.num_elements();
    for (std::size_t quad = 0; quad * 4 < count; ++quad) {
      const PhiloxCounter words = dropout_words(scalars.seed, scalars.step, sample, node_, quad);
      for (std::size_t i = quad * 4; i < std::min(count, quad * 4 + 4); ++i) {
        const std::size_t at = i % area * shape_.channels + i / area;  // CHW to HWC
        to[at] = words[i % 4] >= threshold ? from[at] * scale : 0.0f;
      }
    }
  }

  std::string name_;
  TensorShape shape_;
  NodeId node_;
  double rate_;
};

}  // namespace

std::unique_ptr<Layer> make_relu_layer(const ModelGraph& graph, NodeId node) {
  return std::make_unique<ReluLayer>(graph, node);
}
std::unique_ptr<Layer> make_global_avg_pool_layer(const ModelGraph& graph, NodeId node) {
  return std::make_unique<GlobalAvgPoolLayer>(graph, node);
}
std::unique_ptr<Layer> make_flatten_layer(const ModelGraph& graph, NodeId node) {
  return std::make_unique<FlattenLayer>(graph, node);
}
std::unique_ptr<Layer> make_dropout_layer(const ModelGraph& graph, NodeId node) {
  return std::make_unique<DropoutLayer>(graph, node);
}

}  // namespace penstock::train::onednn
