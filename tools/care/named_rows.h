// Rows of quarantine.csv, fixed.csv and duplicates.csv that name what goes, taken out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tools/care/name_requests.h"
#include "tools/care/row_list.h"

namespace penstock::care {

class RowRemoval {
 public:
  /// Writes the lists anew, beside those that are there; not published, nothing is left of them. Throws Io.
  RowRemoval(std::filesystem::path dataset, NameRequests& requests);

  bool has_changes() const noexcept { return !lists_.empty(); }
  std::uint64_t num_removed() const noexcept { return num_removed_; }
  /// Of these, of quarantine.csv.
  std::uint64_t num_quarantine_rows() const noexcept { return num_quarantine_rows_; }

  /// Puts them in the place of the old ones. Throws Io.
  void publish();

 private:
  void prepare(const char* file, std::string_view header, std::size_t other_idx);
  bool names_one(const std::vector<std::string_view>& fields, std::size_t idx) const;
  bool tells_of_copy(const std::vector<std::string_view>& fields) const;

  std::filesystem::path dataset_;
  NameRequests& requests_;
  std::unordered_map<std::string, std::string> names_;  // by how lists write them
  std::unordered_set<std::string> details_;             // what quarantine.csv says of their copies
  std::vector<std::unique_ptr<RowListWriter>> lists_;
  std::uint64_t num_removed_ = 0;
  std::uint64_t num_quarantine_rows_ = 0;
};

}  // namespace penstock::care
