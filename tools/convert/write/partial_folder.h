// DATASET.partial: where a dataset is made, unseen, until one rename makes it appear. What of it
// lasts when something fails, its owner says.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "tools/convert/write/folder_lock.h"

namespace penstock::convert {

/// In DATASET.partial and, until what was replaced is gone, in DATASET while that is published.
inline constexpr const char* kPublishingName = "journal.publishing";

/// What to do about a DATASET that is there already.
enum class ExistingTarget { kRefuse, kReplace };

/// Here and below a link stands for what it leads to, and "." for the folder.
/// Throws AlreadyExists when `dataset` exists and may not be replaced: refused, no dataset, or a
/// dataset with files in it that do not belong to one; and when a replacement that was cut short
/// left an older one put aside. Throws NotFound when the folder it shall lie in is not there.
void check_target(const std::filesystem::path& dataset, ExistingTarget existing);

/// Bytes free on the file system that will hold `dataset`; throws Io.
std::uint64_t free_space_bytes(const std::filesystem::path& dataset);

/// Throws Io when the file system that will hold `dataset` has less space than needed.
void check_free_space(const std::filesystem::path& dataset, std::uint64_t needed_bytes);

/// The same of a folder that is there, with what is to be done about it.
void check_room_in(const std::filesystem::path& folder, std::uint64_t needed_bytes,
                   const std::string& hint);

/// Gives `from` the name `to` where the file system has no single step to exchange the two. Returns
/// where the old one lies now: `to`.replaced. On an error it is put back, or the error says where
/// it lies. Throws Io.
std::filesystem::path replace_by_renames(const std::filesystem::path& from,
                                         const std::filesystem::path& to);

/// The folder beside `dataset`, locked against a second conversion while it lives.
class PartialFolder {
 public:
  /// Makes the folder, or takes over the one that another conversion left, which nobody has locked,
  /// with what is in it.
  /// Errors  AlreadyExists: another conversion is writing there, or it holds other files, or it is a dataset
  ///         of that name; Io
  explicit PartialFolder(const std::filesystem::path& dataset);
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;
  ~PartialFolder();  // removes it with all that is in it, unless published or kept

  const std::filesystem::path& path() const noexcept { return path_; }

  /// Removes the files in it that `names` does not hold. Throws Io.
  void remove_all_but(const std::set<std::string>& names);
  /// Whether it shall be there for another conversion to go on with, when this one fails.
  void set_kept(bool is_kept) noexcept { is_kept_ = is_kept; }
  bool is_kept() const noexcept { return is_kept_; }

  /// Locks the dataset that is to be replaced, where there is one: nobody changes it from then on.
  ///
  /// Errors  AlreadyExists when somebody is changing it; Io
  void lock_old();

  /// Removes the journal, then makes it appear as `dataset`. An old dataset is exchanged for it, in one step where the
  /// file system can, then removed.
  void publish(ExistingTarget existing);

 private:
  std::filesystem::path take_the_place();  // of the old dataset; returns where that lies now

  std::filesystem::path dataset_;
  std::filesystem::path path_;
  std::optional<FolderLock> lock_;
  std::optional<DatasetLock> old_lock_;  // of what is to be replaced
  bool is_kept_ = false;
  bool is_published_ = false;
};

}  // namespace penstock::convert
