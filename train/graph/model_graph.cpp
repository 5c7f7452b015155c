#include "train/graph/model_graph.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"
#include "train/graph/train_draws.h"

namespace penstock::train {
namespace {

[[noreturn]] void refuse(const std::string& layer, const std::string& expected,
                         const std::string& found, std::string hint = {}) {
  throw Error(ErrorCode::kInvalidArgument,
              "model: " + layer + ": expected " + expected + ", found " + found, std::move(hint));
}

struct Span1d {
  std::uint32_t output = 0;
  std::uint32_t pad_before = 0;
  std::uint32_t pad_after = 0;
};

/// Output size and padding along one axis.
/// Source  `same`: TensorFlow, tf.nn, "Notes on padding": total = max((out - 1) * stride + kernel -
///         in, 0), the odd one after. Explicit: PyTorch, Conv2d: floor((in + 2 pad - kernel) /
///         stride) + 1
Span1d window_along(std::uint32_t input, std::uint32_t kernel, std::uint32_t stride,
                    PaddingRule rule, std::uint32_t pad) {
  Span1d span;
  if (rule == PaddingRule::kSame) {
    span.output = (input + stride - 1) / stride;
    const std::uint64_t reach = std::uint64_t{span.output - 1} * stride + kernel;
    const auto total = static_cast<std::uint32_t>(reach > input ? reach - input : 0);
    span.pad_before = total / 2;
    span.pad_after = total - span.pad_before;
    return span;
  }
  span.pad_before = span.pad_after = rule == PaddingRule::kExplicit ? pad : 0;
  const std::uint64_t padded = std::uint64_t{input} + 2 * std::uint64_t{span.pad_before};
  span.output = padded < kernel ? 0 : static_cast<std::uint32_t>((padded - kernel) / stride + 1);
  return span;
}

/// Largest window side, step and padding.
constexpr std::uint32_t kMaxWindow = 1u << 12;
/// Largest side of an image that a window slides over: padding could make it grow without end.
constexpr std::uint32_t kMaxSide = 1u << 24;
/// Largest number of channels or outputs of a layer.
constexpr std::uint32_t kMaxChannels = 1u << 20;
/// Most elements of one tensor, weights or one sample's values: every later product with a batch
/// and an element size stays within 64 bits.
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 40;

/// `tensor` completes the layer's name: ".weight", or nothing for its output.
void check_elements(const std::string& layer, const char* tensor,
                    std::initializer_list<std::uint32_t> sides) {
  std::uint64_t product = 1;
  bool fits = true;
  std::string shape;
  for (const std::uint32_t side : sides) {
    fits = !__builtin_mul_overflow(product, std::uint64_t{side}, &product) && fits;
    shape += (shape.empty() ? "[" : ", ") + std::to_string(side);
  }
  if (fits && product <= kMaxElements) return;
  refuse(layer + tensor, "at most " + std::to_string(kMaxElements) + " elements", shape + "]",
         "fewer channels, a smaller window or a smaller image");
}

/// What a layer with a window asks for.
struct WindowWish {
  const char* key;  // of the window in a model file: "kernel"
  Extent sides;
  Extent stride;
  PaddingRule rule;
  Extent pad;
};

void check_wish(const std::string& layer, const WindowWish& wish) {
  const std::string owner = "model: " + layer;
  const std::string usual = std::string(wish.key) + " = 3";
  for (const std::uint32_t side : {wish.sides.rows, wish.sides.cols}) {
    check_range({owner, wish.key, side, 1, kMaxWindow, usual});
  }
  for (const std::uint32_t step : {wish.stride.rows, wish.stride.cols}) {
    check_range({owner, "stride", step, 1, kMaxWindow, "stride = 1"});
  }
  if (wish.rule != PaddingRule::kExplicit) return;
  check_range({owner, "padding", wish.pad.rows, 0, wish.sides.rows - 1, "padding = \"same\""});
  check_range({owner, "padding", wish.pad.cols, 0, wish.sides.cols - 1, "padding = \"same\""});
}

/// Least input side that a window fits into: padding on both sides may be all that it needs.
std::uint32_t least_input(std::uint32_t window, std::uint32_t pad) {
  return window > 2 * pad ? window - 2 * pad : 1;
}

Window resolve(const std::string& layer, const TensorShape& input, const WindowWish& wish,
               TensorShape& output) {
  check_range({"model: " + layer, "input side", std::max(input.height, input.width), 1, kMaxSide,
               "less padding in the layers before it"});
  check_wish(layer, wish);
  const Extent& sides = wish.sides;
  const Span1d rows =
      window_along(input.height, sides.rows, wish.stride.rows, wish.rule, wish.pad.rows);
  const Span1d cols =
      window_along(input.width, sides.cols, wish.stride.cols, wish.rule, wish.pad.cols);
  if (rows.output == 0 || cols.output == 0) {
    const TensorShape least{input.channels, least_input(sides.rows, rows.pad_before),
                            least_input(sides.cols, cols.pad_before)};
    refuse(layer, "an input of at least " + least.text(), input.text(),
           "a larger image, or fewer pooling layers before this one");
  }
  output.height = rows.output;
  output.width = cols.output;
  return {sides, wish.stride, rows.pad_before, cols.pad_before, rows.pad_after, cols.pad_after};
}

}  // namespace

std::size_t Parameter::num_elements() const noexcept {
  std::size_t n = 1;
  for (const std::uint32_t side : shape) n *= side;
  return n;
}

ModelGraph::ModelGraph(std::string name, TensorShape input) : name_(std::move(name)) {
  constexpr std::uint32_t kMaxInputSide = 1u << 16;
  check_range({"model: input", "channels", input.channels, 1, kMaxChannels, "channels = 3"});
  check_range({"model: input", "height", input.height, 1, kMaxInputSide, "--image-size 96"});
  check_range({"model: input", "width", input.width, 1, kMaxInputSide, "--image-size 96"});
  check_elements("input", "", {input.channels, input.height, input.width});
  nodes_.push_back({"input", InputOp{}, {}, input});
  params_of_.emplace_back();
}

NodeId ModelGraph::conv2d(std::string name, NodeId from, const Conv2dOptions& options) {
  name = unique_name(std::move(name), "conv2d");
  const TensorShape input = shape_of(name, from);
  check_range({"model: " + name, "filters", options.filters, 1, kMaxChannels, "filters = 32"});
  TensorShape output{options.filters, 0, 0};
  const Window window =
      resolve(name, input, {"kernel", options.kernel, options.stride, options.padding, options.pad},
              output);
  check_elements(name, ".weight",
                 {options.filters, input.channels, options.kernel.rows, options.kernel.cols});
  const NodeId id =
      add(std::move(name), Conv2dOp{window, options.filters, options.has_bias}, from, output);
  add_parameter(id, "weight", ParamKind::kConvWeight,
                {options.filters, input.channels, options.kernel.rows, options.kernel.cols});
  if (options.has_bias) add_parameter(id, "bias", ParamKind::kBias, {options.filters});
  return id;
}

NodeId ModelGraph::batch_norm(std::string name, NodeId from, const BatchNormOptions& options) {
  name = unique_name(std::move(name), "batch_norm");
  const TensorShape shape = shape_of(name, from);
  if (!(options.epsilon > 0 && options.epsilon <= 1)) {
    refuse(name, "epsilon above 0 and at most 1", number_text(options.epsilon), "epsilon = 1e-5");
  }
  if (!(options.momentum >= 0 && options.momentum <= 1)) {
    refuse(name, "momentum from 0 to 1", number_text(options.momentum), "momentum = 0.1");
  }
  const NodeId id =
      add(std::move(name), BatchNormOp{options.epsilon, options.momentum}, from, shape);
  add_parameter(id, "weight", ParamKind::kScale, {shape.channels});
  add_parameter(id, "bias", ParamKind::kShift, {shape.channels});
  add_parameter(id, "running_mean", ParamKind::kRunningMean, {shape.channels});
  add_parameter(id, "running_var", ParamKind::kRunningVar, {shape.channels});
  return id;
}

NodeId ModelGraph::relu(std::string name, NodeId from) {
  name = unique_name(std::move(name), "relu");
  const TensorShape shape = shape_of(name, from);
  return add(std::move(name), ReluOp{}, from, shape);
}

NodeId ModelGraph::max_pool(std::string name, NodeId from, const MaxPoolOptions& options) {
  name = unique_name(std::move(name), "max_pool");
  const TensorShape input = shape_of(name, from);
  const Extent stride = options.stride == Extent{0, 0} ? options.window : options.stride;
  TensorShape output{input.channels, 0, 0};
  const Window window = resolve(
      name, input, {"window", options.window, stride, options.padding, options.pad}, output);
  return add(std::move(name), MaxPoolOp{window}, from, output);
}

NodeId ModelGraph::global_avg_pool(std::string name, NodeId from) {
  name = unique_name(std::move(name), "global_avg_pool");
  const TensorShape shape = shape_of(name, from);
  return add(std::move(name), GlobalAvgPoolOp{}, from, {shape.channels, 1, 1});
}

NodeId ModelGraph::flatten(std::string name, NodeId from) {
  name = unique_name(std::move(name), "flatten");
  const TensorShape shape = shape_of(name, from);
  if (shape.num_elements() > UINT32_MAX) {
    refuse(name, "at most 4294967295 values", shape.text(), "put a pooling layer before it");
  }
  return add(std::move(name), FlattenOp{}, from,
             {static_cast<std::uint32_t>(shape.num_elements()), 1, 1});
}

NodeId ModelGraph::dense(std::string name, NodeId from, const DenseOptions& options) {
  name = unique_name(std::move(name), "dense");
  const TensorShape shape = shape_of(name, from);
  check_range({"model: " + name, "units", options.units, 1, kMaxChannels,
               "units = \"num_classes\" in the last layer"});
  if (!shape.is_flat()) {
    refuse(name, "a flat input such as [" + std::to_string(shape.num_elements()) + "]",
           shape.text(), "put a flatten or global_avg_pool layer before it");
  }
  check_elements(name, ".weight", {options.units, shape.channels});
  const NodeId id =
      add(std::move(name), DenseOp{options.units, options.has_bias}, from, {options.units, 1, 1});
  add_parameter(id, "weight", ParamKind::kDenseWeight, {options.units, shape.channels});
  if (options.has_bias) add_parameter(id, "bias", ParamKind::kBias, {options.units});
  return id;
}

NodeId ModelGraph::dropout(std::string name, NodeId from, double rate) {
  name = unique_name(std::move(name), "dropout");
  const TensorShape shape = shape_of(name, from);
  if (!(rate >= 0 && rate < 1)) {
    refuse(name, "a rate from 0 to below 1", number_text(rate), "rate = 0.2");
  }
  if (shape.num_elements() > kMaxDropoutElements) {
    refuse(name, "at most " + std::to_string(kMaxDropoutElements) + " values", shape.text(),
           "put a pooling layer before it");
  }
  return add(std::move(name), DropoutOp{rate}, from, shape);
}

void ModelGraph::set_output(NodeId logits) {
  const Node& last = nodes_.at(logits);
  if (!last.shape.is_flat()) {
    refuse(last.name, "a flat output, one value per class", last.shape.text(),
           "end the model with a dense layer");
  }
  std::vector<bool> is_used(nodes_.size(), false);
  is_used[logits] = true;
  for (NodeId id = logits; id > 0; --id) {
    if (!is_used[id]) continue;
    for (const NodeId from : nodes_[id].inputs) is_used[from] = true;
  }
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (!is_used[id]) {
      refuse(nodes_[id].name, "a layer that leads to the output " + last.name,
             "one that nothing uses", "leave it out, or let a later layer use it");
    }
  }
  output_ = logits;
}

NodeId ModelGraph::output() const {
  if (output_ == 0) {
    throw Error(ErrorCode::kInvalidArgument, "model: " + name_ + ": expected an output, found none",
                "call set_output() with the last layer");
  }
  return output_;
}

NodeId ModelGraph::add(std::string name, Operation op, NodeId from, TensorShape shape) {
  check_internal(nodes_.size() < kMaxNodes, "model graph: too many nodes");
  check_elements(name, "", {shape.channels, shape.height, shape.width});
  nodes_.push_back({std::move(name), std::move(op), {from}, shape});
  params_of_.emplace_back();
  return static_cast<NodeId>(nodes_.size() - 1);
}

void ModelGraph::add_parameter(NodeId node, std::string_view suffix, ParamKind kind,
                               std::vector<std::uint32_t> shape) {
  const bool is_statistic = kind == ParamKind::kRunningMean || kind == ParamKind::kRunningVar;
  const bool decays = kind == ParamKind::kConvWeight || kind == ParamKind::kDenseWeight;
  params_of_[node].push_back(static_cast<std::uint32_t>(parameters_.size()));
  parameters_.push_back({nodes_[node].name + "." + std::string(suffix), node, kind,
                         std::move(shape), !is_statistic, decays});
}

const TensorShape& ModelGraph::shape_of(const std::string& layer, NodeId from) const {
  if (from >= nodes_.size()) {
    refuse(layer, "an input among " + std::to_string(nodes_.size()) + " nodes",
           "node " + std::to_string(from), "take what an earlier layer returned");
  }
  return nodes_[from].shape;
}

std::string ModelGraph::unique_name(std::string name, std::string_view kind) const {
  const auto is_taken = [this](const std::string& candidate) {
    return std::ranges::any_of(nodes_, [&](const Node& node) { return node.name == candidate; });
  };
  if (name.empty()) {
    std::size_t number = 1;
    do {
      name = std::string(kind) + "_" + std::to_string(number++);
    } while (is_taken(name));
    return name;
  }
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
      std::string::npos) {
    refuse(name, "a name of letters, digits, _ and -", "'" + name + "'", "name = \"conv1\"");
  }
  if (is_taken(name)) {
    refuse(name, "a name not used yet", "a second layer of that name",
           "another name, or none: then one is found");
  }
  return name;
}

}  // namespace penstock::train
