#include "tools/convert/write/partial_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/manifest.h"
#include "tools/convert/duplicate/copy_list.h"
#include "tools/convert/folder_id.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/source/split_rule.h"
#include "tools/convert/write/side_files.h"
#include "tools/named_folder.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

// Takes `tail` off the end of `text`, if it is there.
bool drop_tail(std::string_view& text, std::string_view tail) {
  if (text.size() < tail.size() || text.substr(text.size() - tail.size()) != tail) return false;
  text.remove_suffix(tail.size());
  return true;
}

// ShardPlan::file_name: a split, a dash, at least five digits.
bool is_shard_name(std::string_view name) {
  if (!drop_tail(name, ".h5")) return false;
  const std::size_t dash = name.find('-');
  if (dash == std::string_view::npos) return false;
  const std::string_view digits = name.substr(dash + 1);
  if (digits.size() < 5 || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return false;
  }
  for (std::uint32_t i = 0; i < kNumSplits; ++i) {
    if (name.substr(0, dash) == split_name(static_cast<SplitKind>(i))) return true;
  }
  return false;
}

// A dataset's own files, exactly as conversion names them or, while it writes them, with .tmp.
bool is_dataset_file(const fs::directory_entry& entry) {
  if (!entry.is_regular_file() || entry.is_symlink()) return false;
  const std::string file_name = entry.path().filename().string();
  std::string_view name = file_name;
  drop_tail(name, ".tmp");
  return name == kManifestName || name == kQuarantineName || name == kFixedName ||
         name == kDuplicatesName || name == kPublishingName || is_shard_name(name);
}

// While it is made, a journal lies beside.
bool is_partial_file(const fs::directory_entry& entry) {
  if (is_dataset_file(entry)) return true;
  if (!entry.is_regular_file() || entry.is_symlink()) return false;
  const std::string name = entry.path().filename().string();
  return std::ranges::find(kJournalFiles, name) != std::end(kJournalFiles) ||
         std::ranges::find(kStepFiles, name) != std::end(kStepFiles);
}

using IsOwn = bool (*)(const fs::directory_entry&);

std::optional<std::string> find_foreign_entry(const fs::path& folder,
                                              IsOwn is_own = is_dataset_file) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!is_own(entry)) return entry.path().filename().string();
  }
  return std::nullopt;
}

void remove_dataset_files(const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (is_dataset_file(entry)) fs::remove(entry.path());
  }
}

void remove_old(const fs::path& old) {
  try {
    remove_dataset_files(old);
    fs::remove(old);
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::kIo,
                fmt::format("old dataset: {}: expected to remove it, found: {}",
                            printable_path(old), error.code().message()),
                "the new dataset is in place; rm -r " + shell_quoted(old.native()));
  }
}

// "my.ds", whatever folder it lies in.
std::string text_of_name(const fs::path& dataset) {
  return dataset.filename().string();
}

// In the folder that takes a dataset's place, until what it replaced is gone: whose publication it is, and
// which folder it replaces. By this, what a crash leaves is known from a dataset that a user calls so.
std::string publishing_text(const fs::path& dataset, const std::optional<FolderId>& old) {
  return fmt::format("{}\n{} {}\n", text_of_name(dataset), old ? old->device : 0,
                     old ? old->inode : 0);
}

std::optional<std::string> read_publishing(const fs::path& folder) {
  const fs::path path = folder / kPublishingName;
  if (!fs::is_regular_file(fs::symlink_status(path))) return std::nullopt;
  return read_text_file(path);
}

// Whether `partial` is what a publication of `dataset` left that was cut short: what was to be published, or
// what was replaced by it.
bool is_left_by_publishing(const fs::path& dataset, const fs::path& partial) {
  const std::optional<FolderId> id = find_folder_id(partial);
  if (const auto text = read_publishing(partial)) {
    return text->starts_with(text_of_name(dataset) + '\n');
  }
  return id && read_publishing(dataset) == publishing_text(dataset, id);
}

std::uint64_t free_bytes_in(const fs::path& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0)
    throw_io_error(errno, "statvfs", printable_path(folder));
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

// Where an old dataset lies between two plain renames.
fs::path aside_of(const fs::path& dataset) {
  fs::path aside = dataset;
  aside += ".replaced";
  return aside;
}

// Whether a replacement by plain renames that was cut short left it. Anything else of that name is
// the user's own.
bool is_left_aside(const fs::path& aside) {
  try {
    return fs::is_directory(fs::symlink_status(aside)) && fs::exists(aside / kManifestName) &&
           !find_foreign_entry(aside);
  } catch (const fs::filesystem_error&) {
    return false;  // what may not be looked into; a rename to that name would be refused
  }
}

// Without a dataset in its place, the one put aside is the only copy.
void check_nothing_aside(const fs::path& dataset, bool is_in_place) {
  const fs::path aside = aside_of(dataset);
  if (!is_left_aside(aside)) return;
  const std::string quoted_aside = shell_quoted(aside.native());
  throw Error(
      ErrorCode::kAlreadyExists,
      fmt::format("dataset: {}: expected nothing there, found the old dataset that a --force "
                  "cut short left",
                  printable_path(aside)),
      is_in_place ? "look at it, then: rm -r " + quoted_aside
                  : "mv " + quoted_aside + " " + shell_quoted(dataset.native()));
}

}  // namespace

void check_target(const fs::path& target, ExistingTarget existing) {
  const fs::path dataset = tools::named_folder(target);
  const fs::file_status status = fs::symlink_status(dataset);
  if (!fs::exists(status)) {
    check_nothing_aside(dataset, /*is_in_place=*/false);
    if (fs::is_directory(tools::folder_around(dataset))) return;
    throw Error(ErrorCode::kNotFound,
                fmt::format("dataset: {}: expected the folder it shall lie in, found nothing",
                            printable_path(dataset)),
                "mkdir -p " + shell_quoted(tools::folder_around(dataset).native()));
  }
  const bool is_dataset = fs::is_directory(status) && fs::exists(dataset / kManifestName);
  if (!is_dataset) {
    throw Error(
        ErrorCode::kAlreadyExists,
        fmt::format("dataset: {}: expected nothing there yet, found {} that is no dataset",
                    printable_path(dataset), fs::is_directory(status) ? "a folder" : "a file"),
        "name another DATASET; what is no dataset is never replaced");
  }
  if (existing == ExistingTarget::kRefuse) {
    throw Error(ErrorCode::kAlreadyExists,
                fmt::format("dataset: {}: expected nothing there yet, found a dataset",
                            printable_path(dataset)),
                "--force replaces it once the new one is complete; or name another DATASET");
  }
  if (const auto foreign = find_foreign_entry(dataset)) {
    throw Error(ErrorCode::kAlreadyExists,
                fmt::format("dataset: {}: expected nothing but a dataset's own files, found '{}'",
                            printable_path(dataset), tools::printable(*foreign)),
                "move that file away: --force would remove it with the old dataset");
  }
  check_nothing_aside(dataset, /*is_in_place=*/true);
}

std::uint64_t free_space_bytes(const fs::path& target) {
  return free_bytes_in(tools::folder_around(target));
}

void check_free_space(const fs::path& target, std::uint64_t needed_bytes) {
  check_room_in(tools::folder_around(target), needed_bytes,
                "free some, or name a DATASET on another disk");
}

void check_room_in(const fs::path& folder, std::uint64_t needed_bytes, const std::string& hint) {
  const std::uint64_t free_bytes = free_bytes_in(folder);
  if (free_bytes >= needed_bytes) return;
  throw Error(ErrorCode::kIo,
              fmt::format("disk space: {}: expected {} free, found {}", printable_path(folder),
                          format_bytes(needed_bytes), format_bytes(free_bytes)),
              hint);
}

fs::path replace_by_renames(const fs::path& from, const fs::path& to) {
  fs::path aside = aside_of(to);
  rename_to_new(to, aside);
  try {
    rename_to_new(from, to);
  } catch (const Error& error) {
    std::error_code failure;
    fs::rename(aside, to, failure);
    if (!failure) throw;
    throw Error(error.code(),
                fmt::format("{}; the old dataset lies in {}, found when it was to be put back: {}",
                            error.what(), printable_path(aside), failure.message()),
                fmt::format("mv {} {}", shell_quoted(aside.native()), shell_quoted(to.native())));
  }
  return aside;
}

PartialFolder::PartialFolder(const fs::path& dataset) : dataset_(tools::named_folder(dataset)) {
  path_ = dataset_;
  path_ += ".partial";
  const bool is_new = ::mkdir(path_.c_str(), 0777) == 0;
  if (!is_new && errno != EEXIST) throw_io_error(errno, "make folder", printable_path(path_));
  UniqueFd folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  // Without the lock the folder is not ours to remove.
  if (!folder) throw_io_error(errno, "open folder", printable_path(path_));
  lock_.emplace(std::move(folder), path_,
                Error(ErrorCode::kAlreadyExists,
                      fmt::format("dataset: {}: expected nobody at work there, found another "
                                  "conversion",
                                  printable_path(path_)),
                      "wait for it to end, or name another DATASET"));
  if (is_new) return;
  is_kept_ = true;  // until it is known what is in it
  if (const auto foreign = find_foreign_entry(path_, is_partial_file)) {
    throw Error(ErrorCode::kAlreadyExists,
                fmt::format("dataset: {}: expected what a conversion leaves, found '{}'",
                            printable_path(path_), tools::printable(*foreign)),
                "move that file away, or name another DATASET");
  }
  const bool is_dataset = fs::exists(path_ / kManifestName) && !fs::exists(path_ / kJournalName);
  if (is_dataset && !is_left_by_publishing(dataset_, path_)) {
    throw Error(ErrorCode::kAlreadyExists,
                fmt::format("dataset: {}: expected what a conversion leaves, found a dataset",
                            printable_path(path_)),
                "move it away, or name another DATASET: a conversion works in DATASET.partial");
  }
}

void PartialFolder::lock_old() {
  if (!old_lock_ && fs::is_directory(dataset_)) old_lock_.emplace(dataset_);
}

void PartialFolder::remove_all_but(const std::set<std::string>& names) {
  // First, so that no moment leaves it without the journal: then it would look like a dataset.
  if (!names.contains(kManifestName)) fs::remove(path_ / kManifestName);
  for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
    if (!names.contains(entry.path().filename().string())) fs::remove(entry.path());
  }
}

PartialFolder::~PartialFolder() {
  if (is_published_ || is_kept_) return;
  std::error_code ignored;  // a destructor has nobody to tell
  fs::remove_all(path_, ignored);
}

void PartialFolder::publish(ExistingTarget existing) {
  lock_->check_in_place();
  check_target(dataset_, existing);
  const bool replaces = fs::exists(dataset_);
  if (replaces) {
    lock_old();
    old_lock_->check_in_place();
  }
  publish_file(path_ / kPublishingName,
               publishing_text(dataset_, replaces ? find_folder_id(dataset_) : std::nullopt));
  for (const char* name : kJournalFiles) fs::remove(path_ / name);
  sync_folder(path_);
  std::optional<fs::path> old;
  if (replaces) {
    old = take_the_place();
  } else {
    rename_to_new(path_, dataset_);
  }
  is_published_ = true;
  if (!old) fs::remove(dataset_ / kPublishingName);
  sync_folder(dataset_.parent_path());
  // Not before: after a loss of power the old name could lead to a folder without its files.
  if (!old) return;
  remove_old(*old);
  fs::remove(dataset_ / kPublishingName);
}

fs::path PartialFolder::take_the_place() {
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, dataset_.c_str(), RENAME_EXCHANGE) == 0) {
    return path_;
  }
  if (!knows_plain_renames_only(errno))
    throw_io_error(errno, "exchange for", printable_path(dataset_));
  return replace_by_renames(path_, dataset_);
}

}  // namespace penstock::convert
