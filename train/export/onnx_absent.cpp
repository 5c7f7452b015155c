// What stands in for ONNX files where libonnx was not there when this was built.
#include "streamer/core/error.h"
#include "train/export/onnx_export.h"

namespace penstock::train {

bool writes_onnx() noexcept {
  return false;
}

OnnxReport write_onnx(const std::filesystem::path&, OnnxSource, const OnnxConfig&) {
  throw Error(
      ErrorCode::kUnsupported,
      "onnx: this build: expected libonnx and libprotobuf, found neither when it was configured",
      "apt-get install libonnx-dev libprotobuf-dev, then configure with -DPENSTOCK_ONNX=ON");
}

}  // namespace penstock::train
