#include "tools/convert/write/listed_rows.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kBlockBytes = 64u << 10;
// A longer detail is cut: a row is read whole, and says no more to anybody by being longer.
constexpr std::size_t kMaxDetailBytes = 2000;
constexpr std::size_t kMaxRowBytes = kMaxDetailBytes + 128;

constexpr char letter_of(ListKind list) {
  return list == ListKind::kQuarantine ? 'q' : 'f';
}

// Rows end with a line feed, so a detail has none.
std::string one_line(std::string_view detail) {
  std::string text(detail.substr(0, kMaxDetailBytes));
  std::ranges::replace(text, '\n', ' ');
  return text;
}

struct ParsedRow {
  char letter = 0;
  std::uint32_t picture_idx = 0;
  ReasonCode reason = ReasonCode::kDamaged;
  std::string_view detail;
};

// "q 123 truncated its detail"
std::optional<ParsedRow> parse_row(std::string_view text) {
  ParsedRow row;
  if (text.size() < 2 || text[1] != ' ') return std::nullopt;
  row.letter = text.front();
  text.remove_prefix(2);
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), row.picture_idx);
  if (error != std::errc{} || end == text.data() + text.size() || *end != ' ') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  const std::size_t space = text.find(' ');
  const std::optional<ReasonCode> reason = find_reason(text.substr(0, space));
  if (space == std::string_view::npos || !reason) return std::nullopt;
  row.reason = *reason;
  row.detail = text.substr(space + 1);
  return row;
}

[[noreturn]] void refuse_rows(const std::filesystem::path& path, std::uint64_t offset_bytes) {
  throw Error(ErrorCode::kCorruptData,
              fmt::format("{}: row at byte {}: expected it as it was written, found it changed",
                          path.native(), offset_bytes),
              "remove the folder that it lies in, and convert again");
}

// Calls `visit(offset_bytes, row)` for each of a shard's rows, in their order.
void visit_rows(const ListedRowsFile& rows, const ListedRows& shard, std::uint64_t num_pictures,
                const std::function<void(std::uint64_t, const ParsedRow&)>& visit) {
  std::vector<std::byte> block(kBlockBytes);
  for (std::uint64_t at = shard.begin_bytes; at < shard.end_bytes;) {
    const auto wanted =
        std::span(block).first(std::min<std::uint64_t>(block.size(), shard.end_bytes - at));
    const std::size_t num_read = read_at(rows.file(), at, wanted, rows.path());
    const std::string_view text(reinterpret_cast<const char*>(block.data()), num_read);
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string_view::npos;
         end = text.find('\n', begin)) {
      const auto row = parse_row(text.substr(begin, end - begin));
      if (!row || row->picture_idx >= num_pictures) refuse_rows(rows.path(), at + begin);
      visit(at + begin, *row);
      begin = end + 1;
    }
    if (begin == 0) refuse_rows(rows.path(), at);
    at += begin;
  }
}

struct RowPlace {
  std::uint64_t offset_bytes = 0;
  std::uint32_t picture_idx = 0;
};

class ListWriter {
 public:
  explicit ListWriter(std::filesystem::path path)
      : path_(std::move(path)), file_(create_new_file(path_)), block_(kQuarantineHeader) {}

  void add(const QuarantineEntry& entry) {
    block_ += quarantine_row(entry);
    if (block_.size() >= kBlockBytes) write();
  }
  void finish() {
    write();
    sync_file(file_, path_);
  }

 private:
  void write() {
    write_at(file_, written_bytes_, std::as_bytes(std::span(block_)), path_);
    written_bytes_ += block_.size();
    block_.clear();
  }

  std::filesystem::path path_;
  UniqueFd file_;
  std::string block_;
  std::uint64_t written_bytes_ = 0;
};

QuarantineEntry read_row(const ListedRowsFile& rows, const RowPlace& place,
                         const PictureList& pictures) {
  std::vector<std::byte> bytes(kMaxRowBytes);
  bytes.resize(read_at(rows.file(), place.offset_bytes, bytes, rows.path()));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto row = parse_row(text.substr(0, text.find('\n')));
  if (!row || row->picture_idx != place.picture_idx) refuse_rows(rows.path(), place.offset_bytes);
  const ListedPicture picture = pictures[place.picture_idx];
  return {.path = std::string(picture.name),
          .reason = row->reason,
          .size_bytes = picture.size_bytes,
          .detail = std::string(row->detail)};
}

}  // namespace

ListedRowsFile::ListedRowsFile(const std::filesystem::path& folder, std::uint64_t kept_bytes)
    : path_(folder / kListedRowsName),
      kept_bytes_(kept_bytes),
      written_bytes_(kept_bytes),
      shard_begin_bytes_(kept_bytes) {
  file_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file_) throw_io_error(errno, "open", path_.native());
  if (::ftruncate(file_.get(), static_cast<off_t>(kept_bytes)) != 0) {
    throw_io_error(errno, "cut", path_.native());
  }
}

void ListedRowsFile::add(ListKind list, std::uint32_t picture_idx, ReasonCode reason,
                         std::string_view detail) {
  fmt::format_to(std::back_inserter(block_), "{} {} {} {}\n", letter_of(list), picture_idx,
                 reason_code_name(reason), one_line(detail));
  if (block_.size() >= kBlockBytes) write();
}

void ListedRowsFile::write() {
  hasher_.update(block_);
  write_at(file_, written_bytes_, std::as_bytes(std::span(block_)), path_);
  written_bytes_ += block_.size();
  block_.clear();
}

ListedRows ListedRowsFile::end_shard() {
  write();
  const ListedRows rows{.begin_bytes = std::exchange(shard_begin_bytes_, written_bytes_),
                        .end_bytes = written_bytes_,
                        .xxh3 = hasher_.digest_64()};
  hasher_.reset();
  return rows;
}

ListedRows ListedRowsFile::written_so_far() {
  write();
  return {.begin_bytes = kept_bytes_, .end_bytes = written_bytes_};
}

void ListedRowsFile::sync() const {
  sync_file(file_, path_);
}

bool ListedRowsFile::is_intact(const ListedRows& rows) const {
  StreamHasher hasher;
  std::vector<std::byte> block(kBlockBytes);
  for (std::uint64_t at = rows.begin_bytes; at < rows.end_bytes;) {
    const auto wanted =
        std::span(block).first(std::min<std::uint64_t>(block.size(), rows.end_bytes - at));
    const std::size_t num_read = read_at(file_, at, wanted, path_);
    if (num_read == 0) return false;
    hasher.update(std::span<const std::byte>(wanted).first(num_read));
    at += num_read;
  }
  return hasher.digest_64() == rows.xxh3;
}

void write_list(const std::filesystem::path& csv, ListKind list, const ListedRowsFile& rows,
                std::span<const ListedRows> shards, std::uint64_t num_rows,
                const PictureList& pictures, std::vector<QuarantineEntry> others,
                const std::function<void(const QuarantineEntry&)>& each) {
  std::vector<RowPlace> places;
  places.reserve(num_rows);
  for (const ListedRows& shard : shards) {
    visit_rows(rows, shard, pictures.size(), [&](std::uint64_t offset_bytes, const ParsedRow& row) {
      if (row.letter == letter_of(list)) places.push_back({offset_bytes, row.picture_idx});
    });
  }
  std::ranges::sort(places, [&](const RowPlace& a, const RowPlace& b) {
    if (a.picture_idx == b.picture_idx) return a.offset_bytes < b.offset_bytes;
    return pictures.name(a.picture_idx) < pictures.name(b.picture_idx);
  });
  std::ranges::stable_sort(others, {}, &QuarantineEntry::path);
  ListWriter writer(csv);
  const auto add = [&](const QuarantineEntry& entry) {
    writer.add(entry);
    if (each) each(entry);
  };
  auto other = others.begin();
  for (const RowPlace& place : places) {
    const std::string_view name = pictures.name(place.picture_idx);
    for (; other != others.end() && other->path < name; ++other) add(*other);
    add(read_row(rows, place, pictures));
  }
  for (; other != others.end(); ++other) add(*other);
  writer.finish();
}

}  // namespace penstock::convert
