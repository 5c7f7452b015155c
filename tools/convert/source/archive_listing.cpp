#include "tools/convert/source/archive_listing.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/memory_budget.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/member_name.h"
#include "tools/convert/source/picture_extension.h"
#include "tools/convert/source/source_fault.h"
#include "tools/convert/source/tar_reader.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

// Where the bytes of a member begin: in its archive, or in the spool.
struct MemberPlace {
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::uint32_t archive_idx = 0;
  bool is_spooled = false;
};

struct Member {
  ScannedFile file;
  MemberPlace place;
  std::uint64_t order = 0;  // among all members and hard links
};

struct HardLink {
  std::string name;
  std::string target;  // as members are called; empty: outside of the archive
  std::uint64_t order = 0;
};

bool comes_before(const Member& a, const Member& b) {
  return std::tie(a.file.path, a.place.archive_idx, a.order) <
         std::tie(b.file.path, b.place.archive_idx, b.order);
}

// By archive, of those that are compressed.
using FailedChecksums = std::map<std::uint32_t, std::string>;

class ArchiveStore final : public FileStore {
 public:
  ArchiveStore(std::vector<ListedArchive> archives, std::vector<MemberPlace> places,
               std::unique_ptr<const SpoolFile> spool, FailedChecksums failed_checksums)
      : archives_(std::move(archives)),
        places_(std::move(places)),
        spool_(std::move(spool)),
        failed_checksums_(std::move(failed_checksums)) {}

  std::size_t read_at(std::uint32_t file_idx, std::uint64_t offset_bytes,
                      std::span<std::byte> bytes) const override {
    const MemberPlace& place = places_[file_idx];
    const std::uint64_t left = place.size_bytes - std::min(place.size_bytes, offset_bytes);
    bytes = bytes.first(std::min<std::uint64_t>(left, bytes.size()));
    if (place.is_spooled) return spool_->read_at(place.offset_bytes + offset_bytes, bytes);
    const fs::path& path = archives_[place.archive_idx].path;
    return penstock::read_at(open_listed(path), place.offset_bytes + offset_bytes, bytes, path);
  }

  std::string_view archive_name(std::uint32_t file_idx) const override {
    return archives_[places_[file_idx].archive_idx].name;
  }

  std::string where(std::uint32_t file_idx, std::string_view name) const override {
    const ListedArchive& archive = archives_[places_[file_idx].archive_idx];
    return fmt::format("{}: {}", tools::printable_path(archive.path), tools::printable(name));
  }

  std::string_view failed_checksum(std::uint32_t file_idx) const override {
    const auto failed = failed_checksums_.find(places_[file_idx].archive_idx);
    return failed == failed_checksums_.end() ? std::string_view() : failed->second;
  }

  std::uint64_t memory_bytes() const override { return places_.capacity() * sizeof(MemberPlace); }

 private:
  std::vector<ListedArchive> archives_;
  std::vector<MemberPlace> places_;
  std::unique_ptr<const SpoolFile> spool_;
  FailedChecksums failed_checksums_;
};

class Listing {
 public:
  Listing(const SpoolConfig& spool, const std::stop_token& stop, std::uint64_t room_bytes)
      : spool_config_(spool), stop_(stop), room_bytes_(room_bytes) {}

  void add(const ListedArchive& archive) {
    path_ = archive.path;
    prefix_ = &archive.prefix;
    archives_.push_back(archive);
    ++files_.num_archives;
    const UniqueFd file = open_or_report();
    if (!file) return;
    files_.read_files.push_back(source_file(path_));
    const bool is_compressed = compression_of_file(path_) != Compression::kNone;
    if (is_compressed && !spool_) spool_ = std::make_unique<SpoolFile>(spool_config_);
    const std::unique_ptr<ByteStream> stream = open_byte_stream(path_);
    TarReader tar(*stream);
    const std::size_t first_member_idx = members_.size();
    while (std::optional<TarMember> member = tar.next()) {
      check_stop();
      if (!add_member(*member, tar, is_compressed ? nullptr : &file)) break;
    }
    resolve_links(first_member_idx);
    if (stream->fault() && stream->fault()->reason == ReasonCode::kArchiveDamaged) {
      failed_checksums_.emplace(static_cast<std::uint32_t>(archives_.size() - 1),
                                stream->fault()->detail);
    }
    report_fault(tar.fault(), files_.read_files.back().size_bytes);
  }

  StoredFiles finish() {
    sort_and_drop_twins();
    FolderScan& scan = files_.scan;
    std::vector<MemberPlace> places;
    places.reserve(members_.size());
    scan.files.reserve(members_.size());
    for (Member& member : members_) {
      const std::size_t slash = member.file.path.rfind('/');
      if (slash != std::string::npos) add_folder(member.file.path.substr(0, slash));
      places.push_back(member.place);
      scan.files.push_back(std::move(member.file));
    }
    std::vector<Member>().swap(members_);
    scan.folders.assign(folders_.begin(), folders_.end());
    std::ranges::sort(scan.passed_over, {}, &PassedOverFile::path);
    files_.store = std::make_unique<ArchiveStore>(std::move(archives_), std::move(places),
                                                  std::move(spool_), std::move(failed_checksums_));
    return std::move(files_);
  }

 private:
  void check_stop() const {
    if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
  }

  // Returns false where the archive ends within the member.
  bool add_member(const TarMember& member, TarReader& tar, const UniqueFd* plain) {
    const std::optional<std::string> path = member_path(member.name);
    if (!path || (path->empty() && member.kind != MemberKind::kFolder)) {
      find(member, ReasonCode::kUnsafePath,
           path ? "its name is none" : "its name leaves the archive");
      return true;
    }
    if (path->empty() || is_passed_over(*path, member.size_bytes)) return true;
    const std::string name = *prefix_ + *path;
    switch (member.kind) {
      case MemberKind::kFolder:
        add_folder(name);
        return true;
      case MemberKind::kSpecial:
        ++files_.scan.skipped.num_special;
        pass_over(name, ReasonCode::kSpecialFile, 0);
        return true;
      case MemberKind::kSymbolicLink:
        find(member, ReasonCode::kArchiveLink, "a symbolic link");
        return true;
      case MemberKind::kHardLink:
        add_link(name, member.link_target);
        return true;
      case MemberKind::kFile:
        break;
    }
    if (member.has_holes) {
      find(member, ReasonCode::kSparseMember, "tar -S made it; pack it without");
      return true;
    }
    return plain == nullptr ? add_spooled(member, name, tar) : add_plain(member, name, tar, *plain);
  }

  bool is_passed_over(const std::string& path, std::uint64_t size_bytes) {
    const std::optional<PassedOver> passed = passed_over(path);
    if (!passed) return false;
    const bool is_folder = passed->path.size() < path.size();
    const std::string name = *prefix_ + std::string(passed->path);
    // A folder counts once, with all that is beneath it.
    if (passed_over_.insert(name).second) {
      const bool is_hidden = passed->kind == NameKind::kHidden;
      SkippedFiles& skipped = files_.scan.skipped;
      ++(is_hidden ? skipped.num_hidden : skipped.num_system);
      pass_over(is_folder ? name + '/' : name,
                is_hidden ? ReasonCode::kHiddenFile : ReasonCode::kSystemFile,
                is_folder ? 0 : size_bytes);
    }
    return true;
  }

  void pass_over(const std::string& name, ReasonCode reason, std::uint64_t size_bytes) {
    count(sizeof(PassedOverFile), name.size());
    files_.scan.passed_over.push_back({.path = name, .reason = reason, .size_bytes = size_bytes});
  }

  // One of many that may not be read costs the others nothing.
  UniqueFd open_or_report() {
    try {
      return open_for_reading(path_);
    } catch (const Error& error) {
      if (!concerns_one_path(error.os_error())) throw;
      files_.findings.push_back({.path = archives_.back().name,
                                 .reason = ReasonCode::kUnreadable,
                                 .size_bytes = 0,
                                 .detail = error.what()});
      return {};
    }
  }

  bool add_plain(const TarMember& member, const std::string& name, TarReader& tar,
                 const UniqueFd& file) {
    const std::uint64_t size_bytes = files_.read_files.back().size_bytes;
    const std::uint64_t left = size_bytes - std::min(size_bytes, member.offset_bytes);
    if (member.size_bytes > left) {
      cut_member_ = member;
      return false;
    }
    if (!is_where_it_should_be(member, tar, file)) {
      find(member, ReasonCode::kSparseMember, "its bytes do not lie in one piece");
      return true;
    }
    keep(name, {.offset_bytes = member.offset_bytes, .size_bytes = member.size_bytes});
    return true;
  }

  // What libarchive reads of the member is compared with what lies at its place.
  bool is_where_it_should_be(const TarMember& member, TarReader& tar, const UniqueFd& file) {
    constexpr std::size_t kComparedBytes = 512;
    std::array<std::byte, kComparedBytes> by_tar{};
    std::array<std::byte, kComparedBytes> by_place{};
    const std::size_t num_bytes = std::min<std::uint64_t>(kComparedBytes, member.size_bytes);
    return tar.read(std::span(by_tar).first(num_bytes)) == num_bytes &&
           read_at(file, member.offset_bytes, std::span(by_place).first(num_bytes), path_) ==
               num_bytes &&
           by_tar == by_place;
  }

  bool add_spooled(const TarMember& member, const std::string& name, TarReader& tar) {
    if (member.size_bytes > kMaxFileBytes) {
      find(member, ReasonCode::kFileTooLarge, "");
      return true;
    }
    const std::uint64_t begin = spool_->size_bytes();
    std::uint64_t left = member.size_bytes;
    while (left > 0) {
      check_stop();
      const auto wanted = std::span(buffer_).first(std::min<std::uint64_t>(left, buffer_.size()));
      const std::size_t num_read = tar.read(wanted);
      spool_->append(wanted.first(num_read));
      left -= num_read;
      if (num_read == wanted.size()) continue;
      spool_->cut(begin);
      cut_member_ = member;
      return false;
    }
    keep(name, {.offset_bytes = begin, .size_bytes = member.size_bytes, .is_spooled = true});
    return true;
  }

  void add_link(const std::string& name, const std::string& target_name) {
    const std::optional<std::string> path = member_path(target_name);
    const bool is_in_archive = path && !path->empty();
    const std::string target = is_in_archive ? *prefix_ + *path : std::string();
    count(sizeof(HardLink), name.size() + target.size());
    links_.push_back({.name = name, .target = target, .order = num_ordered_++});
  }

  // Hard links of one archive have the bytes of the members before them that they name; `first_idx` is
  // that of its first member.
  void resolve_links(std::size_t first_idx) {
    if (links_.empty()) return;
    std::sort(members_.begin() + static_cast<std::ptrdiff_t>(first_idx), members_.end(),
              comes_before);
    const std::size_t end_idx = members_.size();
    std::map<std::string_view, std::size_t> latest_links;  // places in members_
    for (const HardLink& link : links_) {
      std::optional<std::size_t> target_idx = last_before(first_idx, end_idx, link);
      const auto other = latest_links.find(link.target);
      if (other != latest_links.end() &&
          (!target_idx || members_[*target_idx].order < members_[other->second].order)) {
        target_idx = other->second;
      }
      if (!target_idx) {
        find(link.name, 0, ReasonCode::kArchiveLink,
             link.target.empty()
                 ? "a hard link out of the archive"
                 : "a hard link: no whole file before it is " + tools::printable(link.target));
        continue;
      }
      keep(link.name, members_[*target_idx].place, link.order);
      latest_links[link.name] = members_.size() - 1;
    }
    links_.clear();
  }

  // The last member of the link's target's name before it, of those that are sorted.
  std::optional<std::size_t> last_before(std::size_t first_idx, std::size_t end_idx,
                                         const HardLink& link) const {
    const auto begin = members_.begin() + static_cast<std::ptrdiff_t>(first_idx);
    const auto end = members_.begin() + static_cast<std::ptrdiff_t>(end_idx);
    const auto behind = std::partition_point(begin, end, [&](const Member& member) {
      return std::tie(member.file.path, member.order) < std::tie(link.target, link.order);
    });
    if (behind == begin || std::prev(behind)->file.path != link.target) return std::nullopt;
    return static_cast<std::size_t>(std::prev(behind) - members_.begin());
  }

  void keep(const std::string& name, MemberPlace place) { keep(name, place, num_ordered_++); }

  void keep(const std::string& name, MemberPlace place, std::uint64_t order) {
    if (members_.size() == UINT32_MAX) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("archive: {}: expected at most {} members, found more",
                              tools::printable_path(path_), UINT32_MAX),
                  "convert some of the archives at a time");
    }
    place.archive_idx = static_cast<std::uint32_t>(archives_.size() - 1);
    count(sizeof(Member), name.size());
    members_.push_back({{name, place.size_bytes}, place, order});
  }

  // What is made of one entry: its place in a vector that grows, its name on the heap, and both once
  // more in the list that is made of this one.
  void count(std::size_t entry_bytes, std::size_t name_bytes) {
    constexpr std::uint64_t kHeapBytes = 32;
    list_bytes_ += 3 * entry_bytes + kHeapBytes + 2 * name_bytes;
    ++num_listed_;
    if (list_bytes_ <= room_bytes_) return;
    throw Error(
        ErrorCode::kOutOfMemory,
        fmt::format("memory: {}: expected a list of members that fits {}, found more than {} "
                    "members, {} each",
                    tools::printable_path(path_), format_bytes(room_bytes_), num_listed_ - 1,
                    format_bytes(list_bytes_ / num_listed_)),
        "a larger --memory, or several datasets of some archives each");
  }

  // Under the name that it would have as a sample, where that is one.
  void find(const TarMember& member, ReasonCode reason, std::string detail) {
    const std::optional<std::string> path = member_path(member.name);
    const std::string& name = path && !path->empty() ? *path : member.name;
    find(*prefix_ + name, member.size_bytes, reason, std::move(detail));
  }

  void find(std::string path, std::uint64_t size_bytes, ReasonCode reason, std::string detail) {
    count(sizeof(QuarantineEntry), path.size() + detail.size());
    files_.findings.push_back({.path = std::move(path),
                               .reason = reason,
                               .size_bytes = size_bytes,
                               .detail = std::move(detail)});
  }

  void report_fault(std::optional<ArchiveFault> fault, std::uint64_t size_bytes) {
    if (cut_member_) {
      const std::string name = tools::printable(cut_member_->name);
      if (!fault) fault = ArchiveFault{ReasonCode::kArchiveTruncated, ""};
      if (!fault->detail.empty()) fault->detail = ": " + fault->detail;
      fault->detail = fmt::format("it ends within {}{}", name, fault->detail);
      cut_member_.reset();
    }
    if (!fault) {
      files_.whole_archives.push_back(archives_.back().name);
      return;
    }
    files_.scan.is_cut = true;
    files_.findings.push_back({.path = archives_.back().name,
                               .reason = fault->reason,
                               .size_bytes = size_bytes,
                               .detail = std::move(fault->detail)});
  }

  void sort_and_drop_twins() {
    std::sort(members_.begin(), members_.end(), comes_before);
    std::size_t num_kept = 0;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (i + 1 == members_.size() || members_[i].file.path != members_[i + 1].file.path) {
        if (num_kept != i) members_[num_kept] = std::move(members_[i]);
        ++num_kept;
        continue;
      }
      find(members_[i].file.path, members_[i].file.size_bytes, ReasonCode::kDuplicateName,
           "a later member has the same name");
    }
    members_.resize(num_kept);
  }

  // With those above it.
  void add_folder(std::string path) {
    while (folders_.insert(path).second) {
      const std::size_t slash = path.rfind('/');
      if (slash == std::string::npos) return;
      path.resize(slash);
    }
  }

  SpoolConfig spool_config_;
  std::stop_token stop_;
  std::uint64_t room_bytes_;
  std::uint64_t list_bytes_ = 0;
  std::uint64_t num_listed_ = 0;
  StoredFiles files_;
  std::vector<ListedArchive> archives_;
  std::vector<Member> members_;
  std::uint64_t num_ordered_ = 0;
  std::set<std::string> folders_;
  std::set<std::string> passed_over_;
  std::unique_ptr<SpoolFile> spool_;
  FailedChecksums failed_checksums_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(std::size_t{1} << 20);
  // Of the archive that is being read.
  fs::path path_;
  const std::string* prefix_ = nullptr;
  std::optional<TarMember> cut_member_;
  std::vector<HardLink> links_;
};

}  // namespace

bool is_archive(const fs::path& path) {
  const std::unique_ptr<ByteStream> stream = open_byte_stream(path);
  return TarReader::is_tar(*stream);
}

StoredFiles list_archives(const std::vector<ListedArchive>& archives, const SpoolConfig& spool,
                          const std::stop_token& stop, std::uint64_t room_bytes) {
  Listing listing(spool, stop, room_bytes);
  for (const ListedArchive& archive : archives) listing.add(archive);
  StoredFiles files = listing.finish();
  files.where = tools::printable_path(archives.size() == 1 ? archives.front().path
                                                           : archives.front().path.parent_path());
  return files;
}

void drop_common_folder(StoredFiles& files) {
  FolderScan& scan = files.scan;
  std::string top;
  bool has_folders_beneath = false;
  for (const std::string& folder : scan.folders) {
    const std::string first = folder.substr(0, folder.find('/'));
    if (!top.empty() && first != top) return;
    top = first;
    has_folders_beneath = has_folders_beneath || folder.size() > first.size();
  }
  if (top.empty() || split_of_folder_name(top)) return;
  const std::string prefix = top + '/';
  for (const ScannedFile& file : scan.files) {
    if (file.path.compare(0, prefix.size(), prefix) != 0) return;
    const bool lies_directly_in_it = file.path.find('/', prefix.size()) == std::string::npos;
    if (lies_directly_in_it && is_named_as_picture(file.path)) return;  // it is a class
  }
  if (!has_folders_beneath) return;
  std::erase(scan.folders, top);
  for (std::string& folder : scan.folders) folder.erase(0, prefix.size());
  for (ScannedFile& file : scan.files) file.path.erase(0, prefix.size());
  for (PassedOverFile& file : scan.passed_over) {
    if (file.path.starts_with(prefix)) file.path.erase(0, prefix.size());
  }
  // Unsafe names stay as the archive has them.
  for (QuarantineEntry& finding : files.findings) {
    const bool is_in_it =
        finding.path.starts_with(prefix) && finding.reason != ReasonCode::kUnsafePath;
    if (is_in_it) finding.path.erase(0, prefix.size());
  }
}

}  // namespace penstock::convert
