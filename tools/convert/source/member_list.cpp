#include "tools/convert/source/member_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

bool comes_before(const ListedMember& a, const ListedMember& b) {
  return std::tie(a.file.path, a.place.archive_idx, a.order) <
         std::tie(b.file.path, b.place.archive_idx, b.order);
}

}  // namespace

void MemberList::begin_archive(std::filesystem::path path, std::uint32_t archive_idx) {
  path_ = std::move(path);
  archive_idx_ = archive_idx;
  first_idx_ = members_.size();
}

// An entry is its place in a vector that grows, its name on the heap, and both once more in the list that
// is made of this one.
void MemberList::count(std::size_t entry_bytes, std::size_t name_bytes) {
  constexpr std::uint64_t kHeapBytes = 32;
  list_bytes_ += 3 * entry_bytes + kHeapBytes + 2 * name_bytes;
  ++num_listed_;
  if (list_bytes_ <= room_bytes_) return;
  throw Error(ErrorCode::kOutOfMemory,
              fmt::format("memory: {}: expected a list of members that fits {}, found more than {} "
                          "members, {} each",
                          tools::printable_path(path_), format_bytes(room_bytes_), num_listed_ - 1,
                          format_bytes(list_bytes_ / num_listed_)),
              "a larger --memory, or several datasets of some archives each");
}

void MemberList::add(const std::string& name, MemberPlace place, std::uint64_t order) {
  if (members_.size() == UINT32_MAX) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("archive: {}: expected at most {} members, found more",
                            tools::printable_path(path_), UINT32_MAX),
                "convert some of the archives at a time");
  }
  place.archive_idx = archive_idx_;
  count(sizeof(ListedMember), name.size());
  members_.push_back({{name, place.size_bytes}, place, order});
}

void MemberList::add_link(const std::string& name, const std::string& target) {
  count(sizeof(HardLink), name.size() + target.size());
  links_.push_back({.name = name, .target = target, .order = num_ordered_++});
}

void MemberList::resolve_links(const std::function<void(const HardLink& link)>& visit) {
  if (links_.empty()) return;
  std::sort(members_.begin() + static_cast<std::ptrdiff_t>(first_idx_), members_.end(),
            comes_before);
  const std::size_t end_idx = members_.size();
  std::map<std::string_view, std::size_t> latest_links;  // places in members_
  for (const HardLink& link : links_) {
    std::optional<std::size_t> target_idx = last_before(end_idx, link);
    const auto other = latest_links.find(link.target);
    if (other != latest_links.end() &&
        (!target_idx || members_[*target_idx].order < members_[other->second].order)) {
      target_idx = other->second;
    }
    if (!target_idx) {
      visit(link);
      continue;
    }
    add(link.name, members_[*target_idx].place, link.order);
    latest_links[link.name] = members_.size() - 1;
  }
  links_.clear();
}

// The last of the archive's members of the link's target's name before it; those below `end_idx` are sorted.
std::optional<std::size_t> MemberList::last_before(std::size_t end_idx,
                                                   const HardLink& link) const {
  const auto begin = members_.begin() + static_cast<std::ptrdiff_t>(first_idx_);
  const auto end = members_.begin() + static_cast<std::ptrdiff_t>(end_idx);
  const auto behind = std::partition_point(begin, end, [&](const ListedMember& member) {
    return std::tie(member.file.path, member.order) < std::tie(link.target, link.order);
  });
  if (behind == begin || std::prev(behind)->file.path != link.target) return std::nullopt;
  return static_cast<std::size_t>(std::prev(behind) - members_.begin());
}

std::vector<ListedMember> MemberList::take_sorted(
    const std::function<void(const ScannedFile& twin)>& visit) {
  std::sort(members_.begin(), members_.end(), comes_before);
  std::size_t num_kept = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (i + 1 < members_.size() && members_[i].file.path == members_[i + 1].file.path) {
      visit(members_[i].file);
      continue;
    }
    if (num_kept != i) members_[num_kept] = std::move(members_[i]);
    ++num_kept;
  }
  members_.resize(num_kept);
  return std::exchange(members_, {});
}

}  // namespace penstock::convert
