#include "tests/layering/include_rules.h"

#include <algorithm>
#include <fstream>

#include "tests/layering/include_line.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

// A file belongs to the rule with the longest folder that it lies in; what it includes of the tree
// must lie in one of `may_see`. Folders under tests/ see everything.
struct FolderRule {
  std::string folder;
  std::vector<std::string> may_see;
};

const std::string kExamples = "tools/examples/";

const std::vector<FolderRule> kFolders = {
    {"streamer/streamer.h", {"streamer/"}},
    {"streamer/core/", {"streamer/core/"}},
    {"streamer/order/", {"streamer/core/", "streamer/order/"}},
    {"streamer/shard/", {"streamer/core/", "streamer/shard/"}},
    {"streamer/read/", {"streamer/core/", "streamer/shard/", "streamer/read/"}},
    {"streamer/pipeline/", {"streamer/"}},
    {"augment/", {"streamer/core/", "augment/"}},
    {"train/",
     {"streamer/core/", "train/backend/", "train/graph/", "train/loop/", "train/loss/",
      "train/metrics/", "train/optim/", "train/plan/", "train/store/"}},
    {"train/export/", {"streamer/core/", "train/export/", "train/graph/", "train/store/"}},
    {"train/loss/", {"streamer/core/", "train/loss/", "train/optim/host_device.h"}},
    {"train/metrics/", {"streamer/core/", "train/loss/", "train/metrics/"}},
    {"train/run/", {"streamer/", "augment/", "train/"}},
    {"tools/", {"streamer/", "augment/", "train/", "tools/"}},
    {kExamples, {"streamer/", "augment/", "train/"}},
    {"fixtures/", {"streamer/core/", "streamer/shard/", "fixtures/"}},
};

// Where a library's headers may be included: where any of its rules says so. `in_headers` says whether also from a
// .h file there.
struct LibraryRule {
  std::string header_prefix;
  std::vector<std::string> folders;
  bool in_headers = false;
};

const std::vector<LibraryRule> kLibraries = {
    // hdf5_layout writes metadata, hdf5_survey reads those of files without our header, hdf5_array reads
    // the rows of anybody's dataset; all through the handles of hdf5_handle, which nobody else includes.
    {"hdf5",
     {"streamer/shard/hdf5_array.cpp", "streamer/shard/hdf5_handle.h",
      "streamer/shard/hdf5_handle.cpp", "streamer/shard/hdf5_layout.cpp",
      "streamer/shard/hdf5_survey.cpp"},
     true},
    {"jpeglib.h", {"streamer/read/", "tools/", "fixtures/"}},
    {"jerror.h", {"streamer/read/", "tools/", "fixtures/"}},
    {"png.h", {"streamer/read/", "tools/png_writer.cpp", "tools/convert/image/png_picture.cpp"}},
    {"tiffio.h", {"tools/convert/image/tiff_file.h"}, true},
    {"webp/", {"tools/convert/image/webp_picture.cpp"}},
    {"gif_lib.h", {"tools/convert/image/gif_file.h"}, true},
    {"tbb/", {"streamer/pipeline/", "tools/"}},
    // Imgcodecs is for tests: it loads 120 libraries.
    {"opencv2/core.hpp", {"tools/contact_sheet.cpp"}},
    {"opencv2/imgproc.hpp", {"tools/contact_sheet.cpp", "tools/bench/"}},
    {"nlohmann/", {"streamer/", "train/", "tools/"}},
    {"nlohmann/",
     {"tools/bench/bench_json.h", "tools/network_report.h", "train/store/bounded_json.h",
      "train/store/part_reader.h"},
     true},  // pieces of JSON for other reports, and readers of such
    {"toml++/", {"train/graph/toml_table.cpp"}},
    {"CLI/", {"tools/command.cpp", "tools/command_line.cpp", "fixtures/"}},
    {"fmt/", {"train/", "tools/"}, true},
    {"hwy/", {"augment/", "train/", "tools/"}},
    {"dnnl", {"train/backend/onednn/", "tools/"}, true},
    // The program's side of the module includes none of them.
    {"cuda",
     {"train/backend/cuda/cuda_module_entry.cpp", "train/backend/cuda/kernels/",
      "train/backend/cuda/module/"},
     true},
    {"vector_types.h", {"train/backend/cuda/kernels/host_launch.h"}, true},
    {"cudnn", {"train/backend/cuda/cuda_module_entry.cpp", "train/backend/cuda/module/"}, true},
    {"cublas", {"train/backend/cuda/module/"}, true},
    {"xxhash.h", {"streamer/core/", "tools/"}},
    {"xxh_x86dispatch.h", {"streamer/core/checksum.cpp"}},
    // One file gives it bytes, one decompresses with it, one reads tar.
    {"archive",
     {"tools/convert/source/byte_stream.cpp", "tools/convert/source/libarchive_input.cpp",
      "tools/convert/source/tar_reader.cpp"}},
    {"zlib.h", {"tools/convert/source/gzip_stream.cpp", "tools/convert/source/zip_member.cpp"}},
    {"malloc.h", {"tools/process_limits.cpp"}},  // mallopt
    {"omp.h", {"train/backend/onednn/"}},
    // Who embeds train or includes onnx_export.h needs neither.
    {"onnx/", {"train/export/"}, true},
    {"google/protobuf/", {"train/export/onnx_export.cpp"}},
};

// C and POSIX headers that any file may include; those of C++ have no suffix.
const std::vector<std::string> kSystemHeaders = {"dirent.h", "dlfcn.h",   "elf.h",   "fcntl.h",
                                                 "poll.h",   "pthread.h", "sched.h", "signal.h",
                                                 "spawn.h",  "sys/",      "unistd.h"};

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

bool is_system_header(const std::string& name) {
  return lies_in(name, kSystemHeaders) || name.find_first_of("./") == std::string::npos;
}

bool is_path(const std::string& name) {
  return name.find('/') != std::string::npos;
}

// What no rule knows is refused: a path that is not written from the root, a library not listed.
bool is_allowed(const std::string& file, const Include& included) {
  const std::string& name = included.name;
  if (lies_in(name, kTreeFolders)) {
    const FolderRule* rule = rule_of(file);
    const bool leaves_again = name.find("..") != std::string::npos;
    return rule != nullptr && !leaves_again && lies_in(name, rule->may_see);
  }
  // Examples are built outside the tree too, where they know their own folder only.
  if (included.is_quoted) return file.starts_with(kExamples) && !is_path(name);
  bool is_of_library = false;
  for (const LibraryRule& library : kLibraries) {
    if (!name.starts_with(library.header_prefix)) continue;
    is_of_library = true;
    if (lies_in(file, library.folders) && (library.in_headers || !file.ends_with(".h")))
      return true;
  }
  return !is_of_library && is_system_header(name);
}

bool is_source(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".h" || extension == ".cpp" || extension == ".cu" || extension == ".cuh";
}

void check_file(const fs::path& root, const fs::path& path, IncludeReport& report) {
  ++report.num_files;
  const std::string file = path.lexically_relative(root).generic_string();
  std::ifstream stream(path);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    const auto included = included_by(line);
    if (!included || is_allowed(file, *included)) continue;
    report.violations.push_back(file + ":" + std::to_string(number) + ": may not include " +
                                included->name);
  }
}

}  // namespace

IncludeReport check_includes(const fs::path& root) {
  IncludeReport report;
  for (const std::string& folder : kTreeFolders) {
    if (folder == "tests/" || !fs::exists(root / folder)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.is_regular_file() && is_source(entry.path())) {
        check_file(root, entry.path(), report);
      }
    }
  }
  std::ranges::sort(report.violations);
  return report;
}

}  // namespace penstock::tests
