// Nodes and constants of an ONNX graph, in the few forms that models need.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::train {

/// Adds to a graph that outlives it. A name is given once; layers' names hold no '/', so `<layer>/<part>` is
/// nobody else's.
class OnnxNodes {
 public:
  explicit OnnxNodes(onnx::GraphProto& graph) : graph_(graph) {}

  /// Adds a node with one output, which names the node too.
  onnx::NodeProto& add(std::string_view op_type, std::span<const std::string> inputs,
                       const std::string& output);

  /// Adds a constant and returns its name. Shapes  values: as many as `dims` says, in C order
  std::string floats(const std::string& name, std::span<const std::int64_t> dims,
                     std::span<const float> values);
  /// A vector.
  std::string ints(const std::string& name, std::span<const std::int64_t> values);
  std::string scalar(const std::string& name, float value);

 private:
  onnx::GraphProto& graph_;
};

void set_int(onnx::NodeProto& node, std::string_view attribute, std::int64_t value);
void set_float(onnx::NodeProto& node, std::string_view attribute, double value);
void set_ints(onnx::NodeProto& node, std::string_view attribute,
              std::span<const std::int64_t> values);

}  // namespace penstock::train
