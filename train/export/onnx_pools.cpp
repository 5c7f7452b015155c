// Pools. ONNX has no adaptive one but the global: the others are a plain pool where all windows are alike, else
// two matrices (an average is linear, and a window's share is that of its rows times that of its columns) or
// slices (the largest of a window is the largest of its rows' largest).
#include <cstdint>
#include <vector>

#include "train/export/onnx_layers.h"

namespace penstock::train {
namespace {

using Names = std::vector<std::string>;
using Dims = std::vector<std::int64_t>;

/// Input and output places along one axis.
struct PooledAxis {
  std::uint32_t input = 1;
  std::uint32_t output = 1;

  bool is_regular() const { return input % output == 0; }
  std::uint32_t window() const { return input / output; }
  // PyTorch's, as in operations.h.
  std::int64_t begin(std::uint32_t i) const {
    return static_cast<std::int64_t>(std::uint64_t{i} * input / output);
  }
  std::int64_t end(std::uint32_t i) const {
    return static_cast<std::int64_t>((std::uint64_t{i + 1} * input + output - 1) / output);
  }
};

/// shares[i * input + k]: the share of place k in the mean of window i.
std::vector<float> shares_of(const PooledAxis& axis) {
  std::vector<float> shares(std::size_t{axis.output} * axis.input, 0.0f);
  for (std::uint32_t i = 0; i < axis.output; ++i) {
    for (std::int64_t k = axis.begin(i); k < axis.end(i); ++k) {
      shares[std::size_t{i} * axis.input + static_cast<std::size_t>(k)] =
          1.0f / static_cast<float>(axis.end(i) - axis.begin(i));
    }
  }
  return shares;
}

std::vector<float> transposed(const std::vector<float>& matrix, std::size_t num_rows) {
  const std::size_t num_cols = matrix.size() / num_rows;
  std::vector<float> result(matrix.size());
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    result[i % num_cols * num_rows + i / num_cols] = matrix[i];
  }
  return result;
}

class AdaptiveNodes {
 public:
  AdaptiveNodes(const OnnxLayer& layer, const Extent& output, OnnxNodes& nodes)
      : layer_(layer),
        nodes_(nodes),
        rows_{layer.input_shapes[0].height, output.rows},
        cols_{layer.input_shapes[0].width, output.cols} {}

  bool is_regular() const { return rows_.is_regular() && cols_.is_regular(); }
  Window window() const {
    const Extent extent{rows_.window(), cols_.window()};
    return {.kernel = extent, .stride = extent};
  }

  void add_means(const std::string& from) const {
    const std::string by_rows =
        nodes_.floats(part("rows"), Dims{rows_.output, rows_.input}, shares_of(rows_));
    const std::string by_cols = nodes_.floats(part("cols"), Dims{cols_.input, cols_.output},
                                              transposed(shares_of(cols_), cols_.output));
    nodes_.add("MatMul", Names{by_rows, from}, part("means_of_rows"));
    nodes_.add("MatMul", Names{part("means_of_rows"), by_cols}, output_name(layer_));
  }

  void add_largest(const std::string& from) const {
    add_largest_along(2, rows_, from, part("rows"));
    add_largest_along(3, cols_, part("rows"), output_name(layer_));
  }

 private:
  std::string part(std::string_view name) const { return part_name(layer_, name); }

  void add_largest_along(std::int64_t axis, const PooledAxis& places, const std::string& from,
                         const std::string& to) const {
    Names windows;
    const std::string axes = nodes_.ints(to + "_axis", Dims{axis});
    for (std::uint32_t i = 0; i < places.output; ++i) {
      const std::string window = to + "_" + std::to_string(i);
      nodes_.add("Slice",
                 Names{from, nodes_.ints(window + "_begin", Dims{places.begin(i)}),
                       nodes_.ints(window + "_end", Dims{places.end(i)}), axes},
                 window + "_places");
      onnx::NodeProto& largest = nodes_.add("ReduceMax", Names{window + "_places"}, window);
      set_ints(largest, "axes", Dims{axis});
      set_int(largest, "keepdims", 1);
      windows.push_back(window);
    }
    set_int(nodes_.add("Concat", windows, to), "axis", axis);
  }

  const OnnxLayer& layer_;
  OnnxNodes& nodes_;
  PooledAxis rows_;
  PooledAxis cols_;
};

}  // namespace

OnnxValue add_pool(const PoolOp& op, const OnnxLayer& layer, OnnxNodes& nodes) {
  const bool is_max = op.kind == PoolKind::kMax;
  onnx::NodeProto& node = nodes.add(is_max ? "MaxPool" : "AveragePool",
                                    Names{map_input(layer, 0, nodes)}, output_name(layer));
  set_window(node, op.window);
  if (!is_max) set_int(node, "count_include_pad", op.counts_padding ? 1 : 0);
  return {output_name(layer), false};
}

OnnxValue add_pool(const AdaptivePoolOp& op, const OnnxLayer& layer, OnnxNodes& nodes) {
  const bool is_max = op.kind == PoolKind::kMax;
  const std::string from = map_input(layer, 0, nodes);
  const AdaptiveNodes adaptive(layer, op.output, nodes);
  if (op.output == Extent{1, 1}) {
    nodes.add(is_max ? "GlobalMaxPool" : "GlobalAveragePool", Names{from}, output_name(layer));
  } else if (adaptive.is_regular()) {
    onnx::NodeProto& node =
        nodes.add(is_max ? "MaxPool" : "AveragePool", Names{from}, output_name(layer));
    set_window(node, adaptive.window());
  } else if (is_max) {
    adaptive.add_largest(from);
  } else {
    adaptive.add_means(from);
  }
  return {output_name(layer), false};
}

}  // namespace penstock::train
