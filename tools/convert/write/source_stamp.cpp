#include "tools/convert/write/source_stamp.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kMaxListed = 10;
// Rows that are put together before they are hashed or written.
constexpr std::size_t kBlockBytes = 1u << 20;

// In place of a picture's split: the row of a file that holds many pictures.
constexpr int kManyInOne = -2;

// "size mtime class split name": names hold any byte but zero, so a row ends with one.
void append_row(std::string& text, const ListedPicture& picture) {
  fmt::format_to(std::back_inserter(text), "{} {} {} {} ", picture.size_bytes, picture.modified_ns,
                 picture.class_idx, picture.split ? static_cast<int>(*picture.split) : -1);
  text += picture.name;
  text += '\0';
}

// The same file however its path was typed.
std::string name_of(const SourceFile& file) {
  return std::filesystem::absolute(file.path).lexically_normal().native();
}

void append_row(std::string& text, const SourceFile& file) {
  fmt::format_to(std::back_inserter(text), "{} {} 0 {} {}", file.size_bytes, file.modified_ns,
                 kManyInOne, name_of(file));
  text += '\0';
}

void visit_rows(const SourceScan& scan, const std::function<void(std::string_view)>& visit) {
  std::string block;
  for (const std::string& name : scan.class_names) block.append(name).push_back('\0');
  for (const QuarantineEntry& finding : scan.findings) {
    // Of what is left out, a policy says whether it is a finding.
    if (reason_info(finding.reason).allows(Policy::kSkip)) continue;
    block.append("! ").append(finding.path).push_back('\0');
  }
  for (const SourceFile& file : scan.files) append_row(block, file);
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    append_row(block, scan.pictures[i]);
    if (block.size() < kBlockBytes) continue;
    visit(block);
    block.clear();
  }
  visit(block);
}

struct Row {
  std::string_view head;  // size, time, class, split
  std::string_view name;
};

// Class names and findings have no four numbers in front.
bool split_row(std::string_view text, Row& row) {
  std::size_t at = 0;
  for (int field = 0; field < 4; ++field) {
    std::int64_t ignored = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), ignored);
    if (error != std::errc{} || end == text.data() + text.size() || *end != ' ') return false;
    at = static_cast<std::size_t>(end - text.data()) + 1;
  }
  row = {.head = text.substr(0, at), .name = text.substr(at)};
  return true;
}

std::string_view field_of(std::string_view head, int field) {
  for (; field > 0; --field) head.remove_prefix(head.find(' ') + 1);
  return head.substr(0, head.find(' '));
}

std::string change_of(std::string_view before, std::string_view now) {
  if (field_of(before, 0) != field_of(now, 0)) {
    return fmt::format("{} bytes before, now {}", field_of(before, 0), field_of(now, 0));
  }
  if (field_of(before, 1) != field_of(now, 1)) return "written to since";
  if (field_of(before, 2) != field_of(now, 2)) return "another class";
  return "another split";
}

// Pictures, then files that hold many; both by their place and by the hash of their name.
class Rows {
 public:
  explicit Rows(const SourceScan& scan) : scan_(scan) {
    for (std::uint32_t i = 0; i < size(); ++i) idx_by_hash_.emplace(hash(name(i), is_file(i)), i);
  }

  std::uint32_t size() const {
    return static_cast<std::uint32_t>(scan_.pictures.size() + scan_.files.size());
  }
  std::string name(std::uint32_t i) const {
    return is_file(i) ? name_of(file(i)) : std::string(scan_.pictures.name(i));
  }
  std::optional<std::uint32_t> find(std::string_view name, bool is_file) const {
    const auto found = idx_by_hash_.find(hash(name, is_file));
    if (found == idx_by_hash_.end()) return std::nullopt;
    return found->second;
  }
  std::string text(std::uint32_t i) const {
    std::string text;
    if (is_file(i)) {
      append_row(text, file(i));
    } else {
      append_row(text, scan_.pictures[i]);
    }
    text.pop_back();
    return text;
  }

 private:
  bool is_file(std::uint32_t i) const { return i >= scan_.pictures.size(); }
  const SourceFile& file(std::uint32_t i) const { return scan_.files[i - scan_.pictures.size()]; }
  static std::uint64_t hash(std::string_view name, bool is_file) {
    return xxh3_64(name) ^ (is_file ? 1 : 0);
  }

  const SourceScan& scan_;
  std::unordered_map<std::uint64_t, std::uint32_t> idx_by_hash_;
};

class Differences {
 public:
  void add(std::string_view name, const std::string& what) {
    if (++num_ <= kMaxListed) lines_.push_back(tools::printable(std::string(name)) + ": " + what);
  }
  std::vector<std::string> take() {
    if (num_ > kMaxListed) lines_.push_back(fmt::format("and {} more", num_ - kMaxListed));
    if (lines_.empty()) lines_.push_back("folders or their order");
    return std::move(lines_);
  }

 private:
  std::size_t num_ = 0;
  std::vector<std::string> lines_;
};

}  // namespace

std::string source_digest(const SourceScan& scan) {
  StreamHasher hasher;
  visit_rows(scan, [&](std::string_view block) { hasher.update(block); });
  return hex(hasher.digest_128());
}

void write_source_rows(const std::filesystem::path& folder, const SourceScan& scan) {
  const std::filesystem::path path = folder / kSourceRowsName;
  std::filesystem::remove(path);
  const UniqueFd file = create_new_file(path);
  std::uint64_t offset_bytes = 0;
  visit_rows(scan, [&](std::string_view block) {
    write_at(file, offset_bytes, std::as_bytes(std::span(block)), path);
    offset_bytes += block.size();
  });
  sync_file(file, path);
}

std::vector<std::string> source_differences(const std::filesystem::path& folder,
                                            const SourceScan& scan) {
  std::ifstream file(folder / kSourceRowsName, std::ios::binary);
  if (!file) return {"which files is not known, " + std::string(kSourceRowsName) + " is gone"};
  const Rows now(scan);
  std::vector<bool> is_seen(now.size());
  Differences differences;
  for (std::string text; std::getline(file, text, '\0');) {
    Row row;
    if (!split_row(text, row)) continue;
    const auto found = now.find(row.name, field_of(row.head, 3) == std::to_string(kManyInOne));
    if (!found) {
      differences.add(row.name, "gone");
      continue;
    }
    is_seen[*found] = true;
    const std::string current = now.text(*found);
    if (current != text) differences.add(row.name, change_of(row.head, current));
  }
  for (std::uint32_t i = 0; i < is_seen.size(); ++i) {
    if (!is_seen[i]) differences.add(now.name(i), "new");
  }
  return differences.take();
}

}  // namespace penstock::convert
