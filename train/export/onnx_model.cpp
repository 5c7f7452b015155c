#include "train/export/onnx_model.h"

#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "train/export/folded_norms.h"
#include "train/export/onnx_layers.h"
#include "train/export/onnx_nodes.h"

namespace penstock::train {
namespace {

using Names = std::vector<std::string>;
using Dims = std::vector<std::int64_t>;
using Json = nlohmann::ordered_json;

constexpr const char* kInputName = "images";
constexpr const char* kOutputName = "logits";
/// What one protobuf message may take, less room for everything but weights.
constexpr std::uint64_t kMaxWeightBytes = (std::uint64_t{1} << 31) - (std::uint64_t{1} << 24);

void check_size(const ModelGraph& graph) {
  std::uint64_t bytes = 0;
  for (const Parameter& parameter : graph.parameters()) {
    bytes += parameter.num_elements() * sizeof(float);
  }
  if (bytes <= kMaxWeightBytes) return;
  throw Error(ErrorCode::kUnsupported,
              "onnx: " + graph.name() +
                  ": expected weights below 2 GiB, which one ONNX file holds, "
                  "found " +
                  std::to_string(bytes) + " bytes",
              "export a smaller model; weights.safetensors holds any");
}

/// A dimension below 0 stands for the batch.
void set_value(onnx::ValueInfoProto& value, const char* name, std::int32_t element,
               const Dims& dims) {
  value.set_name(name);
  onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(element);
  for (const std::int64_t dim : dims) {
    onnx::TensorShapeProto::Dimension& one = *type.mutable_shape()->add_dim();
    if (dim < 0) {
      one.set_dim_param("batch");
    } else {
      one.set_dim_value(dim);
    }
  }
}

/// Pixels of 0 to 255 become (pixel / 255 - mean) / std, channels first. Returns the tensor.
std::string add_preprocessing(const ModelRecord& record, OnnxNodes& nodes) {
  std::vector<float> factors, shifts;
  for (std::size_t c = 0; c < record.channels; ++c) {
    factors.push_back(static_cast<float>(1 / (255 * record.std[c])));
    shifts.push_back(static_cast<float>(-record.mean[c] / record.std[c]));
  }
  const Dims by_channel = {static_cast<std::int64_t>(record.channels), 1, 1};
  const auto part = [](const char* name) { return std::string("/") + name; };
  set_int(nodes.add("Cast", Names{kInputName}, part("float")), "to", onnx::TensorProto::FLOAT);
  set_ints(nodes.add("Transpose", Names{part("float")}, part("channels_first")), "perm",
           Dims{0, 3, 1, 2});
  nodes.add("Mul",
            Names{part("channels_first"), nodes.floats(part("factors"), by_channel, factors)},
            part("scaled"));
  nodes.add("Add", Names{part("scaled"), nodes.floats(part("shifts"), by_channel, shifts)},
            part("normalized"));
  return part("normalized");
}

void set_input(const ModelRecord& record, const OnnxConfig& config, onnx::GraphProto& graph) {
  const std::int64_t height = record.height_px, width = record.width_px, channels = record.channels;
  if (config.has_preprocessing) {
    set_value(*graph.add_input(), kInputName, onnx::TensorProto::UINT8,
              {-1, height, width, channels});
  } else {
    set_value(*graph.add_input(), kInputName, onnx::TensorProto::FLOAT,
              {-1, channels, height, width});
  }
}

/// Goes through the layers of a model in their order.
class ModelNodes {
 public:
  ModelNodes(OnnxSource& source, bool folds_batch_norms, OnnxNodes& nodes)
      : graph_(source.graph), weights_(source.weights), nodes_(nodes) {
    if (folds_batch_norms) norm_of_ = find_foldable_norms(graph_);
  }

  std::uint64_t num_folded_norms() const { return norm_of_.size(); }

  /// Returns the output, given the input.
  OnnxValue add_all(const std::string& input) {
    std::vector<OnnxValue> values(graph_.nodes().size());
    values[graph_.input()] = {input, false};
    for (NodeId id = 1; id < values.size(); ++id) {
      const Node& node = graph_.node(id);
      const NodeId from = node.inputs.front();
      const auto folded = norm_of_.find(from);
      const bool is_folded = folded != norm_of_.end() && folded->second == id;
      values[id] = is_folded ? values[from] : add(id, values);
    }
    return values[graph_.output()];
  }

 private:
  OnnxValue add(NodeId id, const std::vector<OnnxValue>& values) {
    OnnxLayer layer{.node = graph_.node(id), .inputs = {}, .input_shapes = {}, .weights = {}};
    for (const NodeId from : layer.node.inputs) {
      layer.inputs.push_back(values[from]);
      layer.input_shapes.push_back(graph_.node(from).shape);
    }
    const auto norm = norm_of_.find(id);
    if (norm != norm_of_.end()) {
      const FoldedLayer folded = fold_norm(graph_, weights_, id, norm->second);
      layer.weights = {&folded.weight, &folded.bias};
      return add_layer(layer, nodes_);
    }
    for (const std::uint32_t idx : graph_.parameters_of(id)) {
      layer.weights.push_back(&weights_[idx]);
    }
    return add_layer(layer, nodes_);
  }

  const ModelGraph& graph_;
  const std::vector<NamedTensor>& weights_;
  OnnxNodes& nodes_;
  std::unordered_map<NodeId, NodeId> norm_of_;
};

void add_metadata(onnx::ModelProto& model, const char* key, const std::string& value) {
  onnx::StringStringEntryProto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

/// Names come from others' folders: what is no UTF-8 would make the message unreadable.
std::string as_json(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void add_all_metadata(onnx::ModelProto& model, const ModelRecord& record) {
  add_metadata(model, "class_names", as_json(record.class_names));
  add_metadata(model, "color_mode", record.channels == 1 ? "grayscale" : "rgb");
  add_metadata(model, "mean", as_json(record.mean));
  add_metadata(model, "std", as_json(record.std));
  add_metadata(model, "interpolation", record.interpolation);
  add_metadata(model, "center_crop", as_json(record.center_crop));
  add_metadata(model, "dataset_id", record.dataset_id);
}

void add_output(const OnnxValue& logits, const ModelGraph& graph, OnnxNodes& nodes,
                onnx::GraphProto& proto) {
  if (logits.is_flat) {
    nodes.add("Identity", Names{logits.name}, kOutputName);
  } else {
    set_int(nodes.add("Flatten", Names{logits.name}, kOutputName), "axis", 1);
  }
  set_value(*proto.add_output(), kOutputName, onnx::TensorProto::FLOAT, {-1, graph.num_classes()});
}

}  // namespace

OnnxModel make_onnx_model(OnnxSource source, const OnnxConfig& config) {
  check_size(source.graph);
  OnnxModel model;
  onnx::ModelProto& proto = model.proto;
  proto.set_ir_version(kOnnxIrVersion);
  proto.add_opset_import()->set_version(kOnnxOpset);
  proto.set_producer_name("penstock");
  proto.set_producer_version(source.producer_version);
  onnx::GraphProto& graph = *proto.mutable_graph();
  graph.set_name(source.graph.name());
  set_input(source.record, config, graph);

  OnnxNodes nodes(graph);
  ModelNodes layers(source, config.folds_batch_norms, nodes);
  const std::string input =
      config.has_preprocessing ? add_preprocessing(source.record, nodes) : kInputName;
  add_output(layers.add_all(input), source.graph, nodes, graph);
  add_all_metadata(proto, source.record);
  model.num_folded_norms = layers.num_folded_norms();
  return model;
}

}  // namespace penstock::train
