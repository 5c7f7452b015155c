// A shard as those who look after it read it: by its header or, where that is gone or wrong, by its
// HDF5 metadata. What is wrong is noted, and what can still be read is read. The loader never reads so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/file.h"
#include "streamer/shard/hdf5_survey.h"
#include "streamer/shard/shard_format.h"
#include "streamer/shard/shard_header.h"

namespace penstock::care {

/// A section of the shard. Its checksum is known from the header only.
struct ShardPart {
  std::string name;
  std::uint64_t offset_bytes = 0;
  std::uint64_t length_bytes = 0;
  std::optional<std::uint64_t> xxh3 = std::nullopt;
};

/// What told where the parts lie.
enum class ShardGuide : std::uint8_t { kHeader, kHdf5 };

/// Threads  const members may be called from any thread
class CareShard {
 public:
  /// Opens a shard as far as it can be; `damage` gets a line for each thing that is wrong.
  ///
  /// Errors  CorruptData when neither header nor HDF5 metadata lead to images, index and class names;
  ///         Unsupported when a newer version or another tool wrote them in a form that is not read here
  ///         (filters, chunks), what() says what writes them back and hint() how to type it; NotFound, Io
  static CareShard open(const std::filesystem::path& path, std::vector<std::string>& damage);
  /// The same with the survey that the HDF5 metadata give, from where it is at hand; asked for once.
  using SurveySource = std::function<Hdf5Survey()>;
  static CareShard open(const std::filesystem::path& path, const SurveySource& survey,
                        std::vector<std::string>& damage);

  const std::filesystem::path& path() const noexcept { return path_; }
  ShardGuide guide() const noexcept { return guide_; }
  std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  std::uint64_t num_samples() const noexcept { return num_samples_; }
  std::uint32_t num_classes() const noexcept { return num_classes_; }
  const std::string& split() const noexcept { return split_; }
  /// Empty where there is none.
  const std::string& uuid() const noexcept { return uuid_; }
  const std::string& header_xxh3() const noexcept { return header_xxh3_; }

  /// Null when it is left out, or lies outside the file.
  const ShardPart* find(std::string_view name) const noexcept;
  const std::vector<ShardPart>& parts() const noexcept { return parts_; }

  /// By class index. Throws CorruptData when the checksum that is known fails, Io.
  std::vector<std::string> read_class_names() const;
  /// One sample's name; empty when there is none that can be read.
  std::string read_name(std::uint64_t sample_idx) const noexcept;

  /// Reads the records of one page as they stand, checked by nobody. Throws Io, CorruptData at the
  /// file's end.
  std::vector<IndexRecord> read_index_page(std::uint64_t page_idx, std::uint64_t& xxh3) const;
  std::uint64_t num_index_pages() const noexcept;
  /// The checksum that the shard states for a page; nothing where it has none. Throws as read() does.
  std::optional<std::uint64_t> read_page_sum(std::uint64_t page_idx) const;

  /// Records count from where /images began when they were written; in a file that was rewritten it
  /// lies elsewhere. Adds the difference, modulo 2^64: what comes out is checked as any offset.
  void move_records(std::uint64_t difference_bytes) noexcept { moved_bytes_ = difference_bytes; }
  std::uint64_t moved_bytes() const noexcept { return moved_bytes_; }
  std::uint64_t offset_of(const IndexRecord& record) const noexcept {
    return record.offset_bytes + moved_bytes_;
  }

  /// Reads a sample's bytes; throws CorruptData when they are not what the record says, Io.
  void read_sample(const IndexRecord& record, std::vector<std::byte>& bytes) const;

  /// Reads exactly these bytes; throws CorruptData at the file's end, Io.
  void read(std::uint64_t offset_bytes, std::span<std::byte> bytes) const;

 private:
  bool open_by_header(std::vector<std::string>& damage);
  void open_by_hdf5(const SurveySource& source);
  void compare_with_hdf5(const SurveySource& source, std::vector<std::string>& damage);
  bool follow_moved_parts(const Hdf5Survey& survey);
  bool holds(std::uint64_t offset_bytes, const ShardSection& section) const;
  void keep_part(const ShardSection& section, std::vector<std::string>& damage);
  void demand_parts() const;

  std::filesystem::path path_;
  UniqueFd file_;
  ShardGuide guide_ = ShardGuide::kHeader;
  ShardHeader header_;  // as it stands in the file, with kHeader
  std::uint64_t size_bytes_ = 0;
  std::uint64_t num_samples_ = 0;
  std::uint32_t num_classes_ = 0;
  std::uint64_t moved_bytes_ = 0;
  std::string split_;
  std::string uuid_;
  std::string header_xxh3_;
  std::vector<ShardPart> parts_;
};

}  // namespace penstock::care
