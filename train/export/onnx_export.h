// A stored model as an ONNX file, which other programs run. This header knows nothing of protobuf.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "train/graph/model_graph.h"
#include "train/store/model_record.h"

namespace penstock::train {

/// What goes into the file.
struct OnnxSource {
  const ModelGraph& graph;
  /// Class names, mean, std and what else the weights mean.
  const ModelRecord& record;
  /// Every parameter of `graph`, in the order of graph.parameters().
  std::vector<NamedTensor> weights;
  std::string producer_version = {};
};

struct OnnxConfig {
  /// A batch norm that alone reads a convolution or a dense layer goes into its weights: the same values to
  /// rounding, fewer nodes. False keeps each as a node.
  bool folds_batch_norms = true;
  /// The file takes pictures of 0 to 255, uint8 [batch, height, width, channels], and normalises them itself.
  /// False: float32 [batch, channels, height, width], normalised by the caller.
  bool has_preprocessing = false;
};

struct OnnxReport {
  std::uint64_t num_nodes = 0;
  std::uint64_t num_folded_norms = 0;
  std::uint64_t num_bytes = 0;
};

/// Whether this build writes ONNX.
bool writes_onnx() noexcept;

/// Writes `path` whole: temporary name, flush, rename. IR 8, opset 17, float32; input "images", output
/// "logits" [batch, num_classes], any batch. The same source gives the same bytes.
///
/// Errors  Unsupported for a user's own operation, for weights of 2 GiB and more, and without libonnx;
///         Io
/// Cost    as much memory again as the weights take
/// Source  onnx.proto3 of ONNX 1.12, Operators.md of opset 17
OnnxReport write_onnx(const std::filesystem::path& path, OnnxSource source,
                      const OnnxConfig& config);

}  // namespace penstock::train
