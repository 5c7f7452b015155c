// A folder that appears whole, with one rename, or not at all.
#pragma once

#include <filesystem>

namespace penstock::care {

class OutputFolder {
 public:
  /// Makes FOLDER.partial.
  ///
  /// Errors  AlreadyExists when FOLDER or FOLDER.partial is there; NotFound without their parent; Io
  explicit OutputFolder(const std::filesystem::path& folder);
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;
  ~OutputFolder();  // removes it with all that is in it, unless published

  const std::filesystem::path& path() const noexcept { return partial_; }

  /// Flushes all of it to the disk and renames it. Throws Io, also when FOLDER has appeared meanwhile.
  void publish();

 private:
  std::filesystem::path folder_;
  std::filesystem::path partial_;
  bool is_published_ = false;
};

}  // namespace penstock::care
