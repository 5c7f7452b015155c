// The list that is made of archives' members: what it takes in memory, which member a hard link stands
// for, which of two of one name holds. Knows no archive's form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/convert/source/archive_store.h"
#include "tools/convert/source/folder_scan.h"

namespace penstock::convert {

struct ListedMember {
  ScannedFile file;
  MemberPlace place;
  std::uint64_t order = 0;  // among all members and hard links
};

struct HardLink {
  std::string name;
  std::string target;  // as members are called; empty: outside of the archive
  std::uint64_t order = 0;
};

class MemberList {
 public:
  explicit MemberList(std::uint64_t room_bytes) : room_bytes_(room_bytes) {}

  /// What comes from here on is of this archive, `archive_idx` among all.
  void begin_archive(std::filesystem::path path, std::uint32_t archive_idx);

  /// Counts an entry of any list that is made of the archives. Throws OutOfMemory where they do not fit.
  void count(std::size_t entry_bytes, std::size_t name_bytes);

  /// Errors  OutOfMemory; Unsupported: more members than 32 bits count
  void add(const std::string& name, MemberPlace place) { add(name, place, num_ordered_++); }
  void add_link(const std::string& name, const std::string& target);

  /// Gives the archive's hard links the bytes of the members before them that they name; `visit` gets those
  /// that name none. Throws as add() does.
  void resolve_links(const std::function<void(const HardLink& link)>& visit);

  /// All members by the bytes of their names, each name once: the last of its name holds, `visit` gets the
  /// others. The list is empty then.
  std::vector<ListedMember> take_sorted(const std::function<void(const ScannedFile& twin)>& visit);

 private:
  void add(const std::string& name, MemberPlace place, std::uint64_t order);
  std::optional<std::size_t> last_before(std::size_t end_idx, const HardLink& link) const;

  std::uint64_t room_bytes_;
  std::uint64_t list_bytes_ = 0;
  std::uint64_t num_listed_ = 0;
  std::uint64_t num_ordered_ = 0;
  std::vector<ListedMember> members_;
  // Of the archive that is being read.
  std::filesystem::path path_;
  std::uint32_t archive_idx_ = 0;
  std::size_t first_idx_ = 0;  // of its members
  std::vector<HardLink> links_;
};

}  // namespace penstock::convert
