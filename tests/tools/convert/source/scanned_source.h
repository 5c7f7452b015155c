// A source scanned in a folder of its own, and what it lists as plain values.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/source/any_source.h"

namespace penstock::tests {

class ScannedSource {
 public:
  /// Writes a file, or the folders above it too.
  void add(const std::string& path, const std::string& bytes) { write_file(root() / path, bytes); }
  std::filesystem::path root() const { return folder_.path() / "source"; }

  /// Scans `path` beneath the root, or the root itself.
  convert::SourceScan scan(const std::string& path = "",
                           convert::SourceRequest request = {}) const {
    request.path = path.empty() ? root() : root() / path;
    request.spool.folder = folder_.path();
    return convert::scan_source(request, {});
  }

 private:
  TemporaryFolder folder_;
};

/// "class" or "split:class" of each picture by name.
inline std::map<std::string, std::string> listed(const convert::SourceScan& scan) {
  std::map<std::string, std::string> found;
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    const convert::ListedPicture picture = scan.pictures[i];
    const std::string split =
        picture.split ? std::string(convert::split_name(*picture.split)) + ":" : "";
    found[std::string(picture.name)] = split + scan.class_names.at(picture.class_idx);
  }
  return found;
}

inline convert::SourcePicture read(const convert::SourceScan& scan, const std::string& name) {
  convert::SourcePicture picture;
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    if (scan.pictures.name(i) == name) scan.source->read(scan.pictures[i], picture);
  }
  return picture;
}

inline std::string as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// "reason path: detail" of each finding, sorted.
inline std::vector<std::string> findings(const convert::SourceScan& scan) {
  std::vector<std::string> found;
  for (const convert::QuarantineEntry& entry : scan.findings) {
    found.push_back(std::string(convert::reason_code_name(entry.reason)) + " " + entry.path + ": " +
                    entry.detail);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace penstock::tests
