// A table of pictures as CSV: the first record names the columns.
#pragma once

#include <string>
#include <vector>

#include "tools/convert/table/csv_reader.h"
#include "tools/convert/table/table_reader.h"

namespace penstock::convert {

class CsvTable final : public TableReader {
 public:
  CsvTable(TextInput input, const TableRequest& request);

  bool next(TableRow& row) override;
  TableKind kind() const noexcept override { return TableKind::kCsv; }
  std::map<std::string, std::string> columns() const override;
  std::string where(std::uint64_t line) const override { return input_.where(line); }

 private:
  TextInput input_;
  CsvReader records_;
  std::vector<std::string> header_;
  std::size_t path_idx_ = 0;
  std::size_t label_idx_ = 0;
  std::optional<std::size_t> split_idx_;
  std::vector<std::string> fields_;
};

}  // namespace penstock::convert
