#include "tools/convert/write/journal.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <set>
#include <string_view>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "tools/convert/write/journal_line.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kSumDigits = 16;

// "0123456789abcdef {...}\n"
std::string sealed(const std::string& text) {
  return hex(xxh3_64(text)) + ' ' + text + '\n';
}

std::optional<std::string_view> unsealed(std::string_view line) {
  if (line.size() < kSumDigits + 1 || line[kSumDigits] != ' ') return std::nullopt;
  const std::string_view text = line.substr(kSumDigits + 1);
  if (line.substr(0, kSumDigits) != hex(xxh3_64(text))) return std::nullopt;
  return text;
}

}  // namespace

std::optional<JournalContents> read_journal(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kJournalName;
  if (!std::filesystem::exists(path)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw_io_error(errno, "open", path.native());
  std::optional<JournalContents> contents;
  for (std::string line; std::getline(file, line) && !file.eof();) {
    const std::optional<std::string_view> text = unsealed(line);
    if (!text) break;
    if (!contents) {
      std::optional<JournalHead> head = parse_journal_head(*text);
      if (!head) break;
      contents.emplace();
      contents->head = std::move(*head);
    } else {
      std::optional<JournalShard> shard = parse_journal_shard(*text);
      if (!shard) break;
      contents->shards.push_back(std::move(*shard));
    }
    contents->size_bytes += line.size() + 1;
  }
  return contents;
}

std::vector<std::string> setting_differences(const JournalHead& before, const JournalHead& now) {
  std::set<std::string> names;
  for (const auto& [name, value] : before.settings) names.insert(name);
  for (const auto& [name, value] : now.settings) names.insert(name);
  const auto value_in = [](const JournalHead& head, const std::string& name) {
    const auto found = head.settings.find(name);
    return found == head.settings.end() ? std::string("nothing") : found->second;
  };
  std::vector<std::string> differences;
  for (const std::string& name : names) {
    const std::string was = value_in(before, name);
    const std::string is = value_in(now, name);
    if (was != is) differences.push_back(fmt::format("{}: {} before, now {}", name, was, is));
  }
  return differences;
}

Journal::Journal(const std::filesystem::path& folder, const JournalHead& head)
    : path_(folder / kJournalName) {
  std::filesystem::remove(path_);
  file_ = create_new_file(path_);
  append(journal_head_text(head));
  sync_folder(folder);
}

Journal::Journal(const std::filesystem::path& folder, const JournalHead& head,
                 const std::vector<JournalShard>& shards)
    : path_(folder / kJournalName) {
  std::string text = sealed(journal_head_text(head));
  for (const JournalShard& shard : shards) text += sealed(journal_shard_text(shard));
  publish_file(path_, text);
  file_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file_) throw_io_error(errno, "open", path_.native());
  size_bytes_ = text.size();
}

Journal::Journal(const std::filesystem::path& folder, const JournalContents& contents)
    : path_(folder / kJournalName), size_bytes_(contents.size_bytes) {
  file_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file_) throw_io_error(errno, "open", path_.native());
  if (::ftruncate(file_.get(), static_cast<off_t>(size_bytes_)) != 0) {
    throw_io_error(errno, "cut", path_.native());
  }
}

void Journal::add(const JournalShard& shard) {
  append(journal_shard_text(shard));
}

void Journal::append(const std::string& text) {
  const std::string line = sealed(text);
  write_at(file_, size_bytes_, std::as_bytes(std::span(line)), path_);
  sync_file(file_, path_);
  size_bytes_ += line.size();
}

}  // namespace penstock::convert
