// Arrays that lie in .npy, .npz and HDF5 files, opened and read by rows. What their numbers mean, labels or
// pixels, nobody here knows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "streamer/shard/hdf5_array.h"
#include "tools/convert/source/archive_fault.h"
#include "tools/convert/source/array_form.h"
#include "tools/convert/source/spool_file.h"
#include "tools/convert/source/stored_files.h"

namespace penstock::convert {

enum class ArrayFileKind : std::uint8_t { kNpy, kNpz, kHdf5 };

/// What a file of arrays is by its first bytes; nothing for another one. Throws NotFound, Io.
std::optional<ArrayFileKind> array_file_kind(const std::filesystem::path& path);

/// Names of the arrays of a file, in the file's order: members without ".npy", datasets of the root; for
/// .npy one, the file's own name without it. Throws as ArrayStore::open().
std::vector<std::string> array_names(const std::filesystem::path& path);

/// Type and shape of the array called `name` of an .npz or HDF5 file, by its header alone; nothing for one
/// that open() would refuse. Throws Io, Stopped.
std::optional<ArrayForm> survey_array(const std::filesystem::path& path, const std::string& name,
                                      const std::stop_token& stop);

/// Rows that follow one another and are not to be had.
struct LostRows {
  std::uint64_t first_row = 0;
  std::uint64_t num_rows = 0;
  std::string why{};
};

struct OpenArray {
  std::string name;   // "x_train"; of a .npy file its own name without that
  std::string where;  // in messages: "data.npz:x_train"
  ArrayForm form;
  /// Rows that are there: fewer than the form says where the file ends early.
  std::uint64_t num_whole_rows = 0;
  std::optional<ArchiveFault> cut{};  // why they are fewer
  /// Among the whole ones, those of damaged chunks: in order, apart from each other. Read, they are zeros.
  std::vector<LostRows> lost_rows{};
  /// How the checksum of its bytes failed: any of them may be others. Empty: it did not, or there is none.
  std::string failed_checksum{};
};

/// A file of the store is an array, its bytes those of its elements in C order.
///
/// Threads  open() one at a time, before all else; reading from any, also at once
class ArrayStore final : public FileStore {
 public:
  explicit ArrayStore(SpoolConfig spool) : spool_config_(std::move(spool)) {}

  /// Opens an array: in .npz and HDF5 the one called `name`, in .npy the one there is. What is compressed
  /// or chunked is copied into the spool, because pictures are read in another order than they lie in;
  /// of a stored .npz member the checksum is compared. What fails of it, OpenArray says.
  ///
  /// Returns  its number, from 0
  /// Disk     compressed and chunked ones: as much as they are decompressed, in the spool
  /// Errors   NotFound (file, name); CorruptData, Unsupported: those of parse_npy_header(),
  ///          read_zip_directory() and survey_hdf5_array(); Io, Stopped
  std::uint32_t open(const std::filesystem::path& path, const std::string& name,
                     const std::stop_token& stop);

  const OpenArray& array(std::uint32_t array_idx) const { return arrays_[array_idx].open; }

  /// Fills `bytes`, whole rows, from `first_row` on. Throws Io, CorruptData.
  void read_rows(std::uint32_t array_idx, std::uint64_t first_row,
                 std::span<std::byte> bytes) const;

  std::vector<SourceFile> take_files() { return std::move(files_); }

  std::size_t read_at(std::uint32_t file_idx, std::uint64_t offset_bytes,
                      std::span<std::byte> bytes) const override;
  std::string_view archive_name(std::uint32_t /*file_idx*/) const override { return {}; }
  std::string where(std::uint32_t file_idx, std::string_view /*name*/) const override {
    return arrays_[file_idx].open.where;
  }
  std::string_view failed_checksum(std::uint32_t file_idx) const override {
    return arrays_[file_idx].open.failed_checksum;
  }

 private:
  struct Entry {
    OpenArray open;
    std::filesystem::path path;
    UniqueFd file;                   // when it is read from a file as it lies there
    std::uint64_t offset_bytes = 0;  // of the first element, in the file or in the spool
    bool is_spooled = false;
  };

  void note_file(const std::filesystem::path& path);
  Entry open_npy(const std::filesystem::path& path) const;
  Entry open_member(const std::filesystem::path& path, const std::string& name,
                    const std::stop_token& stop);
  Entry open_hdf5(const std::filesystem::path& path, const std::string& name,
                  const std::stop_token& stop);
  void spool_elements(Entry& entry, const std::stop_token& stop);
  SpoolFile& spool();

  SpoolConfig spool_config_;
  std::unique_ptr<SpoolFile> spool_;  // once something is kept there
  std::vector<Entry> arrays_;
  std::vector<SourceFile> files_;
};

}  // namespace penstock::convert
