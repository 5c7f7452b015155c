// A whole model as ONNX's message: input, preprocessing, layers, output, metadata.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>

#include "train/export/onnx_export.h"

namespace penstock::train {

/// Of onnx::Version (onnx.proto3): what ONNX 1.12 and all later ones read.
inline constexpr std::int64_t kOnnxIrVersion = 8;
inline constexpr std::int64_t kOnnxOpset = 17;

struct OnnxModel {
  onnx::ModelProto proto;
  std::uint64_t num_folded_norms = 0;
};

/// Errors  those of write_onnx() but Io
OnnxModel make_onnx_model(OnnxSource source, const OnnxConfig& config);

}  // namespace penstock::train
