// Compresses bytes for tests: gzip by zlib, the others by libarchive's writer.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <stdexcept>
#include <string>

namespace penstock::tests {

inline std::string gzipped(const std::string& bytes, int level = 6) {
  z_stream stream{};
  constexpr int kGzip = 16;
  if (deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) throw std::runtime_error("deflate");
  return out;
}

/// `filter` as libarchive names it: "bzip2", "xz", "zstd".
inline std::string compressed(const std::string& bytes, const char* filter) {
  archive* const writer = archive_write_new();
  std::string out(2 * bytes.size() + 65536, '\0');
  std::size_t used = 0;
  archive_entry* const entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  const bool is_good =
      archive_write_add_filter_by_name(writer, filter) == ARCHIVE_OK &&
      archive_write_set_format_raw(writer) == ARCHIVE_OK &&
      archive_write_set_bytes_per_block(writer, 0) == ARCHIVE_OK &&
      archive_write_open_memory(writer, out.data(), out.size(), &used) == ARCHIVE_OK &&
      archive_write_header(writer, entry) == ARCHIVE_OK &&
      archive_write_data(writer, bytes.data(), bytes.size()) ==
          static_cast<la_ssize_t>(bytes.size()) &&
      archive_write_close(writer) == ARCHIVE_OK;
  archive_entry_free(entry);
  archive_write_free(writer);
  if (!is_good) throw std::runtime_error(std::string("compress with ") + filter);
  out.resize(used);
  return out;
}

}  // namespace penstock::tests
