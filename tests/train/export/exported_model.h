// A graph with drawn weights as an ONNX message, and what a test looks for in it.
#pragma once

#include <onnx/onnx_pb.h>

#include <random>
#include <string>
#include <vector>

#include "train/export/onnx_model.h"

namespace penstock::train {

inline std::vector<NamedTensor> drawn_weights(const ModelGraph& graph) {
  std::mt19937 random(11);
  std::uniform_real_distribution<float> drawn(0.5f, 1.5f);  // above 0: variances are among them
  std::vector<NamedTensor> weights;
  for (const Parameter& parameter : graph.parameters()) {
    std::vector<float> values(parameter.num_elements());
    for (float& value : values) value = drawn(random);
    weights.push_back(
        {parameter.name, {parameter.shape.begin(), parameter.shape.end()}, std::move(values)});
  }
  return weights;
}

inline ModelRecord record_of(const ModelGraph& graph) {
  const TensorShape& input = graph.input_shape();
  ModelRecord record;
  record.model_name = graph.name();
  record.height_px = input.height;
  record.width_px = input.width;
  record.channels = input.channels;
  record.mean.assign(input.channels, 0.5);
  record.std.assign(input.channels, 0.25);
  for (std::uint32_t i = 0; i < graph.num_classes(); ++i) {
    record.class_names.push_back("class " + std::to_string(i));
  }
  return record;
}

inline OnnxModel exported(const ModelGraph& graph, const OnnxConfig& config = {}) {
  const ModelRecord record = record_of(graph);
  return make_onnx_model({.graph = graph, .record = record, .weights = drawn_weights(graph)},
                         config);
}

inline std::size_t num_nodes_of(const onnx::ModelProto& model, const std::string& op_type) {
  std::size_t num = 0;
  for (const onnx::NodeProto& node : model.graph().node()) num += node.op_type() == op_type;
  return num;
}

/// The node whose output is `output`; an empty one when there is none.
inline onnx::NodeProto node_of(const onnx::ModelProto& model, const std::string& output) {
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (node.output(0) == output) return node;
  }
  return {};
}

inline std::vector<std::int64_t> ints_of(const onnx::NodeProto& node, const std::string& name) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return {attribute.ints().begin(), attribute.ints().end()};
  }
  return {};
}

/// Values of a constant; empty when there is none of that name.
inline std::vector<float> constant_of(const onnx::ModelProto& model, const std::string& name) {
  for (const onnx::TensorProto& tensor : model.graph().initializer()) {
    if (tensor.name() != name) continue;
    std::vector<float> values(tensor.raw_data().size() / sizeof(float));
    tensor.raw_data().copy(reinterpret_cast<char*>(values.data()), values.size() * sizeof(float));
    return values;
  }
  return {};
}

}  // namespace penstock::train
