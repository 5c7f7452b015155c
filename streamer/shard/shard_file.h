// One open shard, read with pread only: header, index pages, samples. Never through the HDF5
// library, never through mmap.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "streamer/shard/shard_format.h"

namespace penstock {

/// Threads  const members may be called from any thread
class ShardFile {
 public:
  /// Opens and checks header, section table and sizes; reads no sample.
  ///
  /// Errors  NotFound, Io; CorruptData (cut short, checksum, fields that contradict each other);
  ///         Unsupported (newer version; plain HDF5 without Penstock's header)
  static ShardFile open(const std::filesystem::path& path);

  std::uint64_t num_samples() const noexcept { return num_samples_; }
  std::uint32_t num_classes() const noexcept { return num_classes_; }
  std::uint64_t size_bytes() const noexcept { return opened_.size_bytes; }
  const std::string& uuid() const noexcept { return uuid_; }
  const std::string& header_xxh3() const noexcept { return header_xxh3_; }  // as ManifestShard's
  const std::filesystem::path& path() const noexcept { return path_; }

  /// Reads and verifies all index pages in order, in constant memory, and checks every record
  /// against the file's size.
  ///
  /// Errors  CorruptData naming the page or the sample, or that the file was written to since it was
  ///         opened (check_unchanged()); Io; what `visit` throws
  void scan_index(const IndexVisitor& visit) const;
  /// The same, into memory.
  std::vector<IndexRecord> read_index() const;
  /// Reads and verifies one page. Records beyond the last sample are left as they are.
  void read_index_page(std::uint64_t page_idx, IndexPage& records) const;

  /// Reads and verifies the names of the classes, by class index.
  std::vector<std::string> read_class_names() const;

  /// Reads the stored source names, in the order of the index; empty when left out.
  std::vector<std::string> read_names() const;
  /// Reads one of them, for messages: by itself it is under no checksum. Empty when left out or
  /// when it cannot be read.
  std::string read_name(std::uint64_t sample_idx) const noexcept;

  /// Reads the encoded bytes of `record` into `bytes` (exactly record.length_bytes).
  /// Throws Io, or CorruptData when the file ends before them. Does not verify the checksum:
  /// that is a property of one sample (result.h), checked by whoever reads it.
  void read_sample(const IndexRecord& record, std::span<std::byte> bytes) const;
  /// Reads a part of them: `bytes` from `begin_bytes` of the sample on, which lie within it.
  void read_sample_part(const IndexRecord& record, std::uint64_t begin_bytes,
                        std::span<std::byte> bytes) const;

  /// Throws CorruptData when the file was written to since it was opened. Asked where a checksum
  /// fails: then no damaged sample is to blame.
  void check_unchanged() const;

  /// Asks the system to fetch bytes that will be read soon. A wish: nothing comes of a failure.
  void will_read(std::uint64_t offset_bytes, std::uint64_t length_bytes) const noexcept;

 private:
  struct Section {
    std::uint64_t offset_bytes = 0;
    std::uint64_t length_bytes = 0;
    std::uint64_t xxh3 = 0;
  };

  // What a record of this shard is checked against, and pages against their checksums.
  void check_pages(std::uint64_t first_page_idx, std::span<const std::byte> pages,
                   std::span<const std::byte> checksums, std::span<IndexRecord> records) const;
  // Reads a section and verifies its checksum.
  std::vector<std::byte> read_section(const Section& section, const char* name) const;

  UniqueFd file_;
  std::filesystem::path path_;
  std::uint64_t num_samples_ = 0;
  std::uint32_t num_classes_ = 0;
  FileStamp opened_;
  std::string uuid_;
  std::string header_xxh3_;
  Section images_;
  Section index_;
  Section index_page_xxh3_;
  Section class_names_;
  Section names_;         // length 0 when left out
  Section name_offsets_;  // length 0 when left out
};

}  // namespace penstock
