#include "train/export/onnx_nodes.h"

#include <bit>

namespace penstock::train {
namespace {

// TensorProto::raw_data is little-endian (onnx.proto3).
static_assert(std::endian::native == std::endian::little);

template <class T>
onnx::TensorProto& fill(onnx::TensorProto& tensor, const std::string& name,
                        std::span<const std::int64_t> dims, std::span<const T> values) {
  tensor.set_name(name);
  for (const std::int64_t dim : dims) tensor.add_dims(dim);
  tensor.set_raw_data(values.data(), values.size_bytes());
  return tensor;
}

onnx::AttributeProto& add_attribute(onnx::NodeProto& node, std::string_view name,
                                    onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(std::string(name));
  attribute.set_type(type);
  return attribute;
}

}  // namespace

onnx::NodeProto& OnnxNodes::add(std::string_view op_type, std::span<const std::string> inputs,
                                const std::string& output) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_name(output);
  node.set_op_type(std::string(op_type));
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

std::string OnnxNodes::floats(const std::string& name, std::span<const std::int64_t> dims,
                              std::span<const float> values) {
  fill(*graph_.add_initializer(), name, dims, values).set_data_type(onnx::TensorProto::FLOAT);
  return name;
}

std::string OnnxNodes::ints(const std::string& name, std::span<const std::int64_t> values) {
  const std::int64_t dims[] = {static_cast<std::int64_t>(values.size())};
  fill(*graph_.add_initializer(), name, dims, values).set_data_type(onnx::TensorProto::INT64);
  return name;
}

std::string OnnxNodes::scalar(const std::string& name, float value) {
  return floats(name, {}, {&value, 1});
}

void set_int(onnx::NodeProto& node, std::string_view attribute, std::int64_t value) {
  add_attribute(node, attribute, onnx::AttributeProto::INT).set_i(value);
}

void set_float(onnx::NodeProto& node, std::string_view attribute, double value) {
  add_attribute(node, attribute, onnx::AttributeProto::FLOAT).set_f(static_cast<float>(value));
}

void set_ints(onnx::NodeProto& node, std::string_view attribute,
              std::span<const std::int64_t> values) {
  onnx::AttributeProto& list = add_attribute(node, attribute, onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) list.add_ints(value);
}

}  // namespace penstock::train
