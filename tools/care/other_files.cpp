#include "tools/care/other_files.h"

#include <algorithm>
#include <set>

#include "streamer/core/error.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/dataset_change.h"
#include "tools/named_folder.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

using IsAsked = std::function<bool(const std::string& name)>;

// "train-00000.h5", and with whatever behind it: .tmp, .damaged, .repaired.
bool is_called_shard(const std::string& name) {
  return name.find(".h5") != std::string::npos;
}

bool may_hold(const fs::path& file, const IsAsked& is_asked) {
  try {
    const std::vector<std::string> names = ShardFile::open(file).read_names();
    return names.empty() || std::ranges::any_of(names, is_asked);
  } catch (const Error&) {
    return true;
  }
}

}  // namespace

std::vector<std::string> find_other_files(const fs::path& dataset, const Manifest& manifest,
                                          const IsAsked& is_asked) {
  std::set<std::string> named;
  for (const ManifestSplit& split : manifest.splits) {
    for (const ManifestShard& shard : split.shards) named.insert(shard.file);
  }
  std::vector<std::string> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(dataset)) {
    const std::string name = entry.path().filename().string();
    if (is_called_shard(name) && !named.contains(name) && may_hold(entry.path(), is_asked)) {
      found.push_back(name);
    }
  }
  const auto look_for = [&](fs::path path, const char* tail) {
    path += tail;
    if (fs::exists(fs::symlink_status(path))) found.push_back(path.filename().string());
  };
  for (const char* tail : {"", ".partial", ".replaced"}) look_for(adding_folder(dataset), tail);
  for (const char* tail : {".partial", ".replaced"}) look_for(tools::named_folder(dataset), tail);
  std::ranges::sort(found);
  return found;
}

}  // namespace penstock::care
