#include "tools/care/added_lists.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

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

// The addition's rows, put among those of the dataset in the order of names that both have.
class RowsBetween {
 public:
  // `more` belong to no file.
  RowsBetween(const fs::path& csv, std::vector<std::string> more,
              std::function<bool(std::string_view row)> takes)
      : file_(csv), takes_(std::move(takes)) {
    for (std::string& row : more) more_.emplace_back(name_of_row(row), std::move(row));
    std::ranges::stable_sort(more_, {}, &NamedRow::first);
    read();
  }

  // Those whose names come before that of `row`.
  void write_before(std::string_view row, RowListWriter& list) {
    const std::string name = name_of_row(row);
    while (next_ && next_->first < name) write_next(list);
  }
  void write_rest(RowListWriter& list) {
    while (next_) write_next(list);
  }

 private:
  using NamedRow = std::pair<std::string, std::string>;

  void write_next(RowListWriter& list) {
    list.add(next_->second);
    read();
  }

  void read() {
    std::string row;
    while (!of_file_ && file_.next(row)) {
      if (takes_(row)) of_file_.emplace(name_of_row(row), row);
    }
    const bool has_more = more_idx_ < more_.size();
    if (has_more && (!of_file_ || more_[more_idx_].first < of_file_->first)) {
      next_ = std::move(more_[more_idx_++]);
    } else {
      next_ = std::exchange(of_file_, std::nullopt);
    }
  }

  RowListReader file_;
  std::function<bool(std::string_view)> takes_;
  std::vector<NamedRow> more_;
  std::size_t more_idx_ = 0;
  std::optional<NamedRow> of_file_;
  std::optional<NamedRow> next_;
};

}  // namespace

JoinedQuarantine join_quarantine(const ListJoin& join, const NameDigests& added_names) {
  const fs::path path = join.dataset / convert::kQuarantineName;
  const fs::path added = join.adding / convert::kQuarantineName;
  NameDigests again;
  for_each_row(added, [&](std::string_view row) { again.add(stored_fields(row).front()); });
  for (const std::string& name : join.copies.refused) again.add(name);
  again.seal();
  RowListWriter list(path, convert::kQuarantineHeader);
  RowsBetween rows(added, join.copies.refused_rows, [](std::string_view) { return true; });
  JoinedQuarantine joined;
  for_each_row(path, [&](std::string_view row) {
    const std::string_view name = stored_fields(row).front();
    const bool has_come_back = added_names.contains(name);
    joined.num_returned += has_come_back ? 1 : 0;
    if (has_come_back || again.contains(name)) {
      ++joined.num_gone;
    } else {
      rows.write_before(row, list);
      list.add(row);
    }
  });
  if (again.empty() && joined.num_gone == 0) return joined;
  rows.write_rest(list);
  list.publish();
  return joined;
}

void join_fixed(const ListJoin& join) {
  const fs::path path = join.dataset / convert::kFixedName;
  const fs::path added = join.adding / convert::kFixedName;
  if (!fs::exists(added)) return;
  RowListWriter list(path, convert::kQuarantineHeader);
  RowsBetween rows(added, {}, [&](std::string_view row) {
    return !join.copies.refused.contains(std::string(stored_fields(row).front()));
  });
  for_each_row(path, [&](std::string_view row) {
    rows.write_before(row, list);
    list.add(row);
  });
  rows.write_rest(list);
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
