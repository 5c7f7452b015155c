#include "train/run/memory/memory_table.h"

namespace penstock::train {

void MemoryTable::draw(std::uint64_t bytes, const std::string& what) {
  shares_.push_back(make(what, [&](MemoryBudget& budget) { return budget.draw(bytes, what); }));
}

BudgetShare MemoryTable::keep(std::uint64_t bytes, const std::string& what) {
  try {
    return budget_.draw(bytes, what);
  } catch (const Error& error) {
    explain(what, error);
  }
}

std::vector<MemoryRow> MemoryTable::rows() const {
  std::vector<MemoryRow> rows = rows_;
  const MemoryRoom room = budget_.room();
  if (room.reclaimable_bytes > 0) rows.push_back({"samples kept", room.reclaimable_bytes});
  rows.push_back({"left", room.left_bytes - room.reclaimable_bytes});
  rows.push_back({"limit", budget_.limit_bytes()});
  return rows;
}

void MemoryTable::explain(const std::string& what, const Error& error) const {
  if (error.code() != ErrorCode::kOutOfMemory) throw error;
  std::string taken;
  for (const MemoryRow& row : rows_) {
    taken += (taken.empty() ? "" : ", ") + row.what + " " + format_bytes(row.bytes);
  }
  throw Error(error.code(),
              std::string(error.what()) + "; needed for the " + what +
                  ", taken before: " + (taken.empty() ? "nothing" : taken),
              error.hint());
}

}  // namespace penstock::train
