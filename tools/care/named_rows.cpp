#include "tools/care/named_rows.h"

#include <fmt/core.h>

#include <utility>

#include "tools/convert/duplicate/copy_list.h"
#include "tools/convert/quarantine.h"

namespace penstock::care {

namespace fs = std::filesystem;

RowRemoval::RowRemoval(fs::path dataset, NameRequests& requests)
    : dataset_(std::move(dataset)), requests_(requests) {
  for (std::string& name : requests_.names_in_lists()) {
    for (const char* words : {"the same bytes as ", "stored as the same bytes as "}) {
      details_.insert(listed_name(words + name));
    }
    names_.emplace(listed_name(name), std::move(name));
  }
  prepare(convert::kQuarantineName, convert::kQuarantineHeader, 0);
  prepare(convert::kFixedName, convert::kQuarantineHeader, 0);
  prepare(convert::kDuplicatesName, convert::kDuplicatesHeader, 5);
}

void RowRemoval::publish() {
  for (const auto& list : lists_) list->publish();
}

// Names stand in the first field and in `other_idx`.
void RowRemoval::prepare(const char* file, std::string_view header, std::size_t other_idx) {
  const fs::path path = dataset_ / file;
  const bool is_quarantine = std::string_view(file) == convert::kQuarantineName;
  if (!fs::exists(path)) return;
  auto list = std::make_unique<RowListWriter>(path, header);
  std::uint64_t num_going = 0;
  bool has_changed = false;
  for_each_row(path, [&](std::string_view row) {
    const std::vector<std::string_view> fields = stored_fields(row);
    if (names_one(fields, 0) || names_one(fields, other_idx)) {
      ++num_going;
      for (const std::size_t idx : {std::size_t{0}, other_idx}) {
        if (names_one(fields, idx)) requests_.note_in_list(names_.at(std::string(fields[idx])));
      }
    } else if (is_quarantine && tells_of_copy(fields)) {
      list->add(fmt::format("{},{},{},", fields[0], fields[1], fields[2]));
      has_changed = true;
    } else {
      list->add(row);
    }
  });
  if (num_going == 0 && !has_changed) return;
  num_removed_ += num_going;
  if (is_quarantine) num_quarantine_rows_ = num_going;
  lists_.push_back(std::move(list));
}

bool RowRemoval::names_one(const std::vector<std::string_view>& fields, std::size_t idx) const {
  return idx < fields.size() && names_.contains(std::string(fields[idx]));
}

// A copy that was left out: why it was stays, of what it was a copy goes.
bool RowRemoval::tells_of_copy(const std::vector<std::string_view>& fields) const {
  if (fields.size() != 4 || !fields[1].starts_with("duplicate_")) return false;
  return details_.contains(std::string(fields[3]));
}

}  // namespace penstock::care
