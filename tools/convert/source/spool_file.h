// One bounded file without a name, for bytes that must be read again in any order: the members of a
// compressed archive. It is gone when the process is, however that ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "streamer/core/file.h"

namespace penstock::convert {

struct SpoolConfig {
  /// Where the bytes are kept: a folder on the file system of DATASET.
  std::filesystem::path folder{};
  /// Most bytes it may take; 0: half of what is free there at first, for the shards take about as
  /// much again.
  std::uint64_t limit_bytes = 0;
};

/// Threads  append() and cut() one at a time; read_at() from any, also at once
class SpoolFile {
 public:
  /// Errors  Io
  explicit SpoolFile(const SpoolConfig& config);

  /// Adds bytes at the end, in space that was allocated before.
  ///
  /// Errors  Io with ENOSPC: more than the limit or the disk allows
  void append(std::span<const std::byte> bytes);
  /// Forgets what lies behind the first `size_bytes`.
  void cut(std::uint64_t size_bytes) { size_bytes_ = size_bytes; }

  std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  /// Returns the number of bytes read, fewer only at the end. Throws Io.
  std::size_t read_at(std::uint64_t offset_bytes, std::span<std::byte> bytes) const;

 private:
  void allocate(std::uint64_t size_bytes);

  std::filesystem::path where_;  // in messages
  UniqueFd file_;
  std::uint64_t limit_bytes_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t allocated_bytes_ = 0;
};

}  // namespace penstock::convert
