#include "tools/convert/source/any_source.h"

#include <fmt/core.h>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/manifest.h"
#include "tools/convert/source/folder_source.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

}  // namespace

void check_source(const SourceRequest& request) {
  const fs::path& source = request.path;
  const fs::file_status status = fs::status(source);
  if (!fs::exists(status)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("source: {}: expected a folder of pictures, found nothing",
                            printable_path(source)),
                "check the path: penstock convert SOURCE DATASET");
  }
  if (!fs::is_directory(status)) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("source: {}: expected a folder of pictures, found a file",
                            printable_path(source)),
                "name the folder that holds the class folders");
  }
  if (fs::exists(source / kManifestName)) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("source: {}: expected a folder of pictures, found a dataset",
                            printable_path(source)),
                "penstock inspect " + shell_quoted(source.native()));
  }
}

SourceScan scan_source(const SourceRequest& request, const std::stop_token& stop) {
  check_source(request);
  return scan_folder_source(request.path, request.layout, stop);
}

}  // namespace penstock::convert
