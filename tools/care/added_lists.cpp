#include "tools/care/added_lists.h"

#include <string_view>

#include "tools/care/row_list.h"
#include "tools/convert/duplicate/copy_list.h"
#include "tools/convert/quarantine.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

// As kCopyReasonOrder.
constexpr std::array<convert::ReasonCode, kCopyReasonOrder.size()> kNearReasonOrder = {
    convert::ReasonCode::kNearDuplicateAcrossSplits,
    convert::ReasonCode::kNearDuplicateAcrossClasses,
    convert::ReasonCode::kNearDuplicateWithinClass};

std::string copy_row(const OldCopy& copy, std::size_t reason_idx, const ListJoin& join,
                     const NewPictures& pictures) {
  convert::PictureList pair;
  const auto list = [&](const CopyPlace& place, std::uint64_t size_bytes) {
    pair.add({.name = place.name,
              .size_bytes = size_bytes,
              .class_idx = place.class_idx,
              .split = place.split});
  };
  list(copy.added, pictures.source_bytes(copy.added.name));
  list(*copy.others[reason_idx], copy.length_bytes);
  const bool is_dropped = join.copies.refused.contains(listed_name(copy.added.name));
  std::string row = convert::copy_row({.reason = kCopyReasonOrder[reason_idx],
                                       .picture_idx = 0,
                                       .other_idx = 1,
                                       .is_dropped = is_dropped},
                                      0, pair, pictures.class_names());
  row.pop_back();  // its line feed
  return row;
}

}  // namespace

JoinedQuarantine join_quarantine(const ListJoin& join, const NameDigests& added_names) {
  const fs::path path = join.dataset / convert::kQuarantineName;
  const fs::path added = join.adding / convert::kQuarantineName;
  NameDigests again;
  for_each_row(added, [&](std::string_view row) { again.add(stored_fields(row).front()); });
  for (const std::string& name : join.copies.refused) again.add(name);
  again.seal();
  RowListWriter list(path, convert::kQuarantineHeader);
  JoinedQuarantine joined;
  for_each_row(path, [&](std::string_view row) {
    const std::string_view name = stored_fields(row).front();
    const bool has_come_back = added_names.contains(name);
    joined.num_returned += has_come_back ? 1 : 0;
    if (has_come_back || again.contains(name)) {
      ++joined.num_gone;
    } else {
      list.add(row);
    }
  });
  if (again.empty() && joined.num_gone == 0) return joined;
  for_each_row(added, [&](std::string_view row) { list.add(row); });
  for (const std::string& row : join.copies.refused_rows) list.add(row);
  list.publish();
  return joined;
}

void join_fixed(const ListJoin& join) {
  const fs::path path = join.dataset / convert::kFixedName;
  const fs::path added = join.adding / convert::kFixedName;
  if (!fs::exists(added)) return;
  RowListWriter list(path, convert::kQuarantineHeader);
  for_each_row(path, [&](std::string_view row) { list.add(row); });
  for_each_row(added, [&](std::string_view row) {
    const std::string name(stored_fields(row).front());
    if (!join.copies.refused.contains(name)) list.add(row);
  });
  list.publish();
}

CopyCounts join_duplicates(const ListJoin& join, const NewPictures& pictures) {
  CopyCounts counts;
  const FoundCopies& copies = join.copies;
  const fs::path path = join.dataset / convert::kDuplicatesName;
  const fs::path found = join.adding / convert::kDuplicatesName;
  if (copies.all.empty() && !fs::exists(found)) return counts;
  RowListWriter list(path, convert::kDuplicatesHeader);
  NameDigests counted;  // name and reason
  for_each_row(path, [&](std::string_view row) { list.add(row); });
  for_each_row(found, [&](std::string_view row) {
    const auto fields = stored_fields(row);
    const std::string name(fields[0]);
    if (!copies.all.empty()) counted.add(name + ',' + std::string(fields[1]));
    constexpr std::string_view kKept = ",kept";
    if (!copies.refused.contains(name) || !row.ends_with(kKept)) return list.add(row);
    for (std::size_t i = 0; i < kCopyReasonOrder.size(); ++i) {
      counts.gone[i] += fields[1] == convert::reason_code_name(kCopyReasonOrder[i]) ? 1 : 0;
      counts.near_gone[i] += fields[1] == convert::reason_code_name(kNearReasonOrder[i]) ? 1 : 0;
    }
    list.add(std::string(row.substr(0, row.size() - kKept.size())) + ",quarantined");
  });
  counted.seal();
  for (const OldCopy& copy : copies.all) {
    const std::string name = listed_name(copy.added.name);
    for (std::size_t i = 0; i < copy.others.size(); ++i) {
      if (!copy.others[i]) continue;
      const std::string reason(convert::reason_code_name(kCopyReasonOrder[i]));
      if (counted.contains(name + ',' + reason)) continue;
      counts.more[i] += copies.refused.contains(name) ? 0 : 1;
      list.add(copy_row(copy, i, join, pictures));
    }
  }
  list.publish();
  return counts;
}

}  // namespace penstock::care
