#include "tools/convert/source/archive_listing.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/source/archive_store.h"
#include "tools/convert/source/member_list.h"
#include "tools/convert/source/member_name.h"
#include "tools/convert/source/source_fault.h"
#include "tools/convert/source/tar_reader.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

class Listing {
 public:
  Listing(const SpoolConfig& spool, const std::stop_token& stop, std::uint64_t room_bytes)
      : spool_config_(spool), stop_(stop), members_(room_bytes) {}

  void add(const ListedArchive& archive) {
    path_ = archive.path;
    prefix_ = &archive.prefix;
    const auto archive_idx = static_cast<std::uint32_t>(bytes_.archives.size());
    members_.begin_archive(path_, archive_idx);
    bytes_.archives.push_back(archive);
    ++files_.num_archives;
    const UniqueFd file = open_or_report();
    if (!file) return;
    files_.read_files.push_back(source_file(path_));
    const bool is_compressed = compression_of_file(path_) != Compression::kNone;
    if (is_compressed && !spool_) spool_ = std::make_unique<SpoolFile>(spool_config_);
    const std::unique_ptr<ByteStream> stream = open_byte_stream(path_);
    TarReader tar(*stream);
    while (std::optional<TarMember> member = tar.next()) {
      check_stop();
      if (!add_member(*member, tar, is_compressed ? nullptr : &file)) break;
    }
    members_.resolve_links([this](const HardLink& link) { find_broken(link); });
    if (stream->fault() && stream->fault()->reason == ReasonCode::kArchiveDamaged) {
      bytes_.failed_checksums.emplace(archive_idx, stream->fault()->detail);
    }
    report_fault(tar.fault(), files_.read_files.back().size_bytes);
  }

  StoredFiles finish() {
    list_members();
    FolderScan& scan = files_.scan;
    scan.folders.assign(folders_.begin(), folders_.end());
    std::ranges::sort(scan.passed_over, {}, &PassedOverFile::path);
    bytes_.spool = std::move(spool_);
    files_.store = archive_store(std::move(bytes_));
    return std::move(files_);
  }

 private:
  void check_stop() const {
    if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
  }

  void list_members() {
    std::vector<ListedMember> members = members_.take_sorted([this](const ScannedFile& twin) {
      find(twin.path, twin.size_bytes, ReasonCode::kDuplicateName,
           "a later member has the same name");
    });
    bytes_.places.reserve(members.size());
    files_.scan.files.reserve(members.size());
    for (ListedMember& member : members) {
      const std::size_t slash = member.file.path.rfind('/');
      if (slash != std::string::npos) add_folder(member.file.path.substr(0, slash));
      bytes_.places.push_back(member.place);
      files_.scan.files.push_back(std::move(member.file));
    }
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
    members_.count(sizeof(PassedOverFile), name.size());
    files_.scan.passed_over.push_back({.path = name, .reason = reason, .size_bytes = size_bytes});
  }

  // One of many that may not be read costs the others nothing.
  UniqueFd open_or_report() {
    try {
      return open_for_reading(path_);
    } catch (const Error& error) {
      if (!concerns_one_path(error.os_error())) throw;
      files_.findings.push_back({.path = bytes_.archives.back().name,
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
    members_.add(name, {.offset_bytes = member.offset_bytes, .size_bytes = member.size_bytes});
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
    members_.add(name,
                 {.offset_bytes = begin, .size_bytes = member.size_bytes, .is_spooled = true});
    return true;
  }

  void add_link(const std::string& name, const std::string& target_name) {
    const std::optional<std::string> path = member_path(target_name);
    const bool is_in_archive = path && !path->empty();
    members_.add_link(name, is_in_archive ? *prefix_ + *path : std::string());
  }

  void find_broken(const HardLink& link) {
    find(link.name, 0, ReasonCode::kArchiveLink,
         link.target.empty()
             ? "a hard link out of the archive"
             : "a hard link: no whole file before it is " + tools::printable(link.target));
  }

  // Under the name that it would have as a sample, where that is one.
  void find(const TarMember& member, ReasonCode reason, std::string detail) {
    const std::optional<std::string> path = member_path(member.name);
    const std::string& name = path && !path->empty() ? *path : member.name;
    find(*prefix_ + name, member.size_bytes, reason, std::move(detail));
  }

  void find(std::string path, std::uint64_t size_bytes, ReasonCode reason, std::string detail) {
    members_.count(sizeof(QuarantineEntry), path.size() + detail.size());
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
      files_.whole_archives.push_back(bytes_.archives.back().name);
      return;
    }
    files_.scan.is_cut = true;
    files_.findings.push_back({.path = bytes_.archives.back().name,
                               .reason = fault->reason,
                               .size_bytes = size_bytes,
                               .detail = std::move(fault->detail)});
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
  MemberList members_;
  StoredFiles files_;
  ArchiveBytes bytes_;
  std::set<std::string> folders_;
  std::set<std::string> passed_over_;
  std::unique_ptr<SpoolFile> spool_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(std::size_t{1} << 20);
  // Of the archive that is being read.
  fs::path path_;
  const std::string* prefix_ = nullptr;
  std::optional<TarMember> cut_member_;
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

}  // namespace penstock::convert
