// Rows of quarantine.csv and fixed.csv on the disk while a conversion runs, in the order in which
// pictures are checked: a million bad files take no memory. At the end they are sorted into the two
// lists. Rows name a picture by its place in the list; README.md describes the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/checksum.h"
#include "streamer/core/file.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/source/picture_list.h"

namespace penstock::convert {

inline constexpr const char* kListedRowsName = "journal.listed";

enum class ListKind : std::uint8_t { kQuarantine, kFixed };

/// The rows of one shard, as they lie in the file.
struct ListedRows {
  std::uint64_t begin_bytes = 0;
  std::uint64_t end_bytes = 0;
  std::uint64_t xxh3 = 0;

  friend bool operator==(const ListedRows&, const ListedRows&) = default;
};

/// Threads  sync() from any; all else from one
class ListedRowsFile {
 public:
  /// Goes on behind `kept_bytes` of the file in `folder`, or makes it. Throws Io.
  ListedRowsFile(const std::filesystem::path& folder, std::uint64_t kept_bytes);

  /// Adds a row to the shard that is open.
  void add(ListKind list, std::uint32_t picture_idx, ReasonCode reason, std::string_view detail);
  /// Closes the rows of one shard; the next row is another's. Throws Io.
  ListedRows end_shard();
  /// All rows that were added since it was opened, also of a shard that is not closed. Throws Io.
  ListedRows written_so_far();
  /// What was closed lasts when the call returns. Throws Io.
  void sync() const;

  /// Whether `rows` are what they were. Throws Io.
  bool is_intact(const ListedRows& rows) const;

  const std::filesystem::path& path() const noexcept { return path_; }
  const UniqueFd& file() const noexcept { return file_; }

 private:
  void write();

  std::filesystem::path path_;
  UniqueFd file_;
  std::string block_;  // behind what is written
  std::uint64_t kept_bytes_ = 0;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t shard_begin_bytes_ = 0;
  StreamHasher hasher_;  // of the shard that is open
};

/// Writes a list as CSV, sorted by the bytes of its paths: the rows of `shards`, `num_rows` of them, and
/// `others`, which no shard has. `each` hears of every row, in their order.
///
/// Memory  16 bytes a row
/// Errors  Io; CorruptData when the rows are not what they were
void write_list(const std::filesystem::path& csv, ListKind list, const ListedRowsFile& rows,
                std::span<const ListedRows> shards, std::uint64_t num_rows,
                const PictureList& pictures, std::vector<QuarantineEntry> others,
                const std::function<void(const QuarantineEntry&)>& each = {});

}  // namespace penstock::convert
