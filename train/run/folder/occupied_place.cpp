#include "train/run/folder/occupied_place.h"

#include <string>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/manifest.h"
#include "train/run/folder/run_folder.h"
#include "train/run/folder/run_hints.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kElsewhere = "choose another folder with -o";

struct Obstacle {
  std::string name;
  std::string hint = kElsewhere;
};

Obstacle obstacle_in_folder(const fs::path& folder) {
  if (is_dataset(folder)) return {"a dataset"};
  if (has_whole_weights(folder)) {
    return {"the weights of a run that has no checkpoint to go on from",
            std::string(kElsewhere) + "; with --init-from " + shell_quoted(folder.native()) +
                " it begins with these weights"};
  }
  std::error_code ignored;
  if (has_run(folder) || fs::exists(folder / kModelRecordName, ignored)) return {"a damaged run"};
  if (fs::is_empty(folder, ignored)) {
    return {"an empty folder", std::string(kElsewhere) + ", or remove this one: rmdir " +
                                   shell_quoted(folder.native())};
  }
  return {"a folder of other files"};
}

Obstacle obstacle_at(const fs::path& place) {
  std::error_code ignored;
  switch (fs::status(place, ignored).type()) {
    case fs::file_type::directory:
      return obstacle_in_folder(place);
    case fs::file_type::regular:
      return {"a file"};
    case fs::file_type::not_found:
      return {"a link to nothing"};
    case fs::file_type::block:
    case fs::file_type::character:
      return {"a device"};
    default:
      return {"something that is no folder"};
  }
}

}  // namespace

bool is_dataset(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder / kManifestName, ignored)) return false;
  try {
    read_manifest(folder);
    return true;
  } catch (const Error& error) {
    return error.code() == ErrorCode::kUnsupported;  // of a newer version
  }
}

void refuse_occupied_place(const fs::path& place) {
  const Obstacle found = obstacle_at(place);
  throw Error(ErrorCode::kAlreadyExists,
              "run: " + place.native() + ": expected no such folder, found " + found.name,
              found.hint);
}

}  // namespace penstock::train
