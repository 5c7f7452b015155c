// A list of pictures: a path a line, and behind it a label or none.
#pragma once

#include <string>

#include "tools/convert/table/table_reader.h"

namespace penstock::convert {

/// `path`, `path<TAB>label` or `path label`. A line is given whole where only a space could part it:
/// the path itself may have spaces, and only who knows the files can tell.
class ListTable final : public TableReader {
 public:
  explicit ListTable(TextInput input) : input_(std::move(input)) {}

  bool next(TableRow& row) override;
  TableKind kind() const noexcept override { return TableKind::kList; }
  std::map<std::string, std::string> columns() const override { return {}; }
  std::string where(std::uint64_t line) const override { return input_.where(line); }

 private:
  TextInput input_;
  std::string line_;
};

}  // namespace penstock::convert
