// libarchive's reader as an owned handle, fed from a ByteStream. For the two files that speak to
// libarchive.
#pragma once

#include <exception>
#include <memory>
#include <string>

#include "tools/convert/source/byte_stream.h"

struct archive;

namespace penstock::convert {

struct FreeArchive {
  void operator()(archive* handle) const noexcept;
};
using UniqueArchive = std::unique_ptr<archive, FreeArchive>;

/// Lends a stream to libarchive. What the stream throws is kept, since no exception may pass
/// through C, and thrown again by rethrow().
class LibarchiveInput {
 public:
  explicit LibarchiveInput(ByteStream& stream) : stream_(&stream) {}
  LibarchiveInput(const LibarchiveInput&) = delete;
  LibarchiveInput& operator=(const LibarchiveInput&) = delete;

  /// Opens `handle` on the stream; returns libarchive's code. The handle reads until it is freed.
  int open(archive* handle);
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  static long read_block(archive* handle, void* self, const void** block);
  static long skip_bytes(archive* handle, void* self, long num_bytes);

  ByteStream* stream_;
  std::exception_ptr error_;
};

/// Makes a reader of nothing yet.
UniqueArchive new_archive_reader();

/// The fault that libarchive's last call reports.
ArchiveFault fault_of(archive* handle);

}  // namespace penstock::convert
