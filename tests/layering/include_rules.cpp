#include "tests/layering/include_rules.h"

#include <algorithm>
#include <fstream>
#include <optional>

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

// A file belongs to the rule with the longest folder that it lies in; what it includes of the tree
// must lie in one of `may_see`. Folders under tests/ see everything.
struct FolderRule {
  std::string folder;
  std::vector<std::string> may_see;
};

const std::vector<FolderRule> kFolders = {
    {"streamer/core/", {"streamer/core/"}},
    {"streamer/order/", {"streamer/core/", "streamer/order/"}},
    {"streamer/shard/", {"streamer/core/", "streamer/shard/"}},
    {"streamer/read/", {"streamer/core/", "streamer/shard/", "streamer/read/"}},
    {"streamer/pipeline/", {"streamer/"}},
    {"augment/", {"streamer/core/", "augment/"}},
    {"train/",
     {"streamer/core/", "train/backend/", "train/graph/", "train/loop/", "train/optim/",
      "train/plan/", "train/store/"}},
    {"train/run/", {"streamer/", "augment/", "train/"}},
    {"tools/", {"streamer/", "augment/", "train/", "tools/"}},
    {"fixtures/", {"streamer/core/", "fixtures/"}},
};

// Where a library's headers may be included. `in_headers` says whether also from a .h file there.
struct LibraryRule {
  std::string header_prefix;
  std::vector<std::string> folders;
  bool in_headers = false;
};

const std::vector<LibraryRule> kLibraries = {
    {"hdf5", {"streamer/shard/hdf5_layout.cpp"}},
    {"jpeglib.h", {"streamer/read/", "tools/", "fixtures/"}},
    {"tbb/", {"streamer/pipeline/", "tools/"}},
    {"opencv2/", {"tools/", "fixtures/"}},
    {"nlohmann/", {"streamer/", "train/", "tools/"}},
    {"toml++/", {"train/", "tools/"}},
    {"CLI/", {"tools/", "fixtures/"}, true},
    {"fmt/", {"train/", "tools/"}, true},
    {"spdlog/", {"train/run/", "tools/"}},
    {"hwy/", {"augment/", "train/", "tools/"}},
    {"dnnl", {"train/backend/onednn/", "tools/"}, true},
    {"oneapi/", {"train/backend/onednn/", "tools/"}, true},
    {"cuda", {"train/backend/cuda/"}},
    {"cudnn", {"train/backend/cuda/"}},
    {"archive", {"tools/"}},
    {"xxhash.h", {"streamer/core/", "tools/"}},
};

const std::vector<std::string> kTreeFolders = {"streamer/", "augment/",  "train/",
                                               "tools/",    "fixtures/", "tests/"};

bool lies_in(const std::string& path, const std::vector<std::string>& folders) {
  return std::ranges::any_of(folders, [&](const auto& folder) { return path.starts_with(folder); });
}

const FolderRule* rule_of(const std::string& file) {
  const FolderRule* best = nullptr;
  for (const FolderRule& rule : kFolders) {
    if (!file.starts_with(rule.folder)) continue;
    if (best == nullptr || rule.folder.size() > best->folder.size()) best = &rule;
  }
  return best;
}

bool is_allowed(const std::string& file, const std::string& included) {
  if (lies_in(included, kTreeFolders)) {
    const FolderRule* rule = rule_of(file);
    return rule != nullptr && lies_in(included, rule->may_see);
  }
  for (const LibraryRule& library : kLibraries) {
    if (!included.starts_with(library.header_prefix)) continue;
    return lies_in(file, library.folders) && (library.in_headers || !file.ends_with(".h"));
  }
  return true;
}

std::optional<std::string> included_by(const std::string& line) {
  const std::size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string::npos || line.compare(hash, 8, "#include") != 0) return std::nullopt;
  const std::size_t open = line.find_first_of("\"<", hash);
  const std::size_t close = line.find_first_of("\">", open + 1);
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  return line.substr(open + 1, close - open - 1);
}

bool is_source(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".h" || extension == ".cpp" || extension == ".cu" || extension == ".cuh";
}

void check_file(const fs::path& root, const fs::path& path, std::vector<std::string>& violations) {
  const std::string file = path.lexically_relative(root).generic_string();
  std::ifstream stream(path);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    const auto included = included_by(line);
    if (!included || is_allowed(file, *included)) continue;
    violations.push_back(file + ":" + std::to_string(number) + ": may not include " + *included);
  }
}

}  // namespace

std::vector<std::string> find_include_violations(const fs::path& root) {
  std::vector<std::string> violations;
  for (const std::string& folder : kTreeFolders) {
    if (folder == "tests/" || !fs::exists(root / folder)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.is_regular_file() && is_source(entry.path())) {
        check_file(root, entry.path(), violations);
      }
    }
  }
  std::ranges::sort(violations);
  return violations;
}

}  // namespace penstock::tests
