#include "train/export/onnx_export.h"

#include <google/protobuf/io/zero_copy_stream_impl.h>

#include <system_error>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "train/export/onnx_model.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

void write_message(const onnx::ModelProto& proto, const fs::path& path) {
  const UniqueFd file = create_new_file(path);
  google::protobuf::io::FileOutputStream stream(file.get());
  if (!proto.SerializeToZeroCopyStream(&stream) || !stream.Flush()) {
    throw_io_error(stream.GetErrno(), "write", path.native());
  }
  sync_file(file, path);
}

}  // namespace

bool writes_onnx() noexcept {
  return true;
}

OnnxReport write_onnx(const fs::path& path, OnnxSource source, const OnnxConfig& config) {
  const OnnxModel model = make_onnx_model(std::move(source), config);
  fs::path temporary = path;
  temporary += ".tmp";
  std::error_code ignored;  // a file left behind by a process that died, mostly absent
  fs::remove(temporary, ignored);
  try {
    write_message(model.proto, temporary);
    publish_by_rename(temporary, path);
  } catch (...) {
    fs::remove(temporary, ignored);
    throw;
  }
  return {.num_nodes = static_cast<std::uint64_t>(model.proto.graph().node_size()),
          .num_folded_norms = model.num_folded_norms,
          .num_bytes = model.proto.ByteSizeLong()};
}

}  // namespace penstock::train
