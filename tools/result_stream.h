// Where a command's results go piece by piece: standard output, or a file that is there whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "streamer/core/file.h"

namespace penstock::tools {

/// Errors  Io
class ResultStream {
 public:
  /// An empty path is standard output. A file is written under a temporary name (`.tmp` added).
  explicit ResultStream(std::filesystem::path path);
  ResultStream(const ResultStream&) = delete;
  ResultStream& operator=(const ResultStream&) = delete;
  ~ResultStream();  // removes a file that was not published

  void write(std::string_view text);
  /// Gives the file its name, in place of one that is there. Nothing for standard output, which main flushes.
  void publish();

 private:
  void flush();
  std::filesystem::path temporary() const;

  std::filesystem::path path_;
  UniqueFd file_;
  std::string pending_;
  std::uint64_t offset_ = 0;  // of the file: what was written
};

}  // namespace penstock::tools
