// Rows of an integer dataset in anybody's HDF5 file, for conversions: read piece by piece, never
// whole. Knows nothing of shards; the loader never comes here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace penstock {

/// What a dataset's elements are. Integers are read as they are stored, in this machine's byte order.
enum class Hdf5ElementKind : std::uint8_t { kUnsigned, kSigned, kFloat, kOther };

/// Hardened: hard links only, no external files, no virtual datasets, no plugins; filters that the
/// library has built in (gzip, shuffle, Fletcher32, n-bit, scale-offset) are read.
///
/// Threads  any; calls wait for each other, for the library may be built without locks
class Hdf5Array {
 public:
  /// Opens `path`'s dataset called `name` ("images", "group/images", with or without a leading '/').
  ///
  /// Memory  one chunk of at most 64 MiB beside what the library keeps for metadata
  /// Errors  NotFound (no such file or dataset), Io; CorruptData when the library cannot open it;
  ///         Unsupported for links, external files, virtual datasets, a filter that is not built in,
  ///         a larger chunk, more than 8 dimensions or none
  static Hdf5Array open(const std::filesystem::path& path, const std::string& name);

  Hdf5Array(Hdf5Array&&) noexcept;
  Hdf5Array& operator=(Hdf5Array&&) = delete;
  ~Hdf5Array();

  const std::vector<std::uint64_t>& shape() const noexcept;
  Hdf5ElementKind element_kind() const noexcept;
  std::uint32_t element_bytes() const noexcept;
  /// The type in words: "float32", "a string".
  const std::string& type_text() const noexcept;
  /// Rows of one chunk, which the library reads and decompresses together; 0 for a dataset in one piece.
  std::uint64_t chunk_rows() const noexcept;

  /// Fills `bytes` with rows from `first_row` on, in C order; as many as `bytes` has room for, which is a
  /// multiple of one row's bytes. Numbers only.
  ///
  /// Errors  CorruptData naming the rows: a chunk that fails its checksum or does not decompress
  void read_rows(std::uint64_t first_row, std::span<std::byte> bytes) const;

 private:
  struct Impl;
  explicit Hdf5Array(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Whether a file is HDF5 by its signature, at 0 or behind a user block.
bool is_hdf5_file(const std::filesystem::path& path);

/// Names of the datasets in the root of an HDF5 file, by rising bytes; links elsewhere are passed over.
/// At most 1,000 entries are looked at. Throws as Hdf5Array::open().
std::vector<std::string> hdf5_dataset_names(const std::filesystem::path& path);

}  // namespace penstock
