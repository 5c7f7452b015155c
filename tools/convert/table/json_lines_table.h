// A table of pictures as JSON lines: one object a line.
#pragma once

#include <string>
#include <vector>

#include "tools/convert/table/table_reader.h"

namespace penstock::convert {

/// Each role's key is that of the first line that has one. Values are texts, whole numbers or null. A line
/// with others, without a path, or that is no object is a row with a fault: the next line is not touched.
class JsonLinesTable final : public TableReader {
 public:
  JsonLinesTable(TextInput input, TableRequest request);

  bool next(TableRow& row) override;
  TableKind kind() const noexcept override { return TableKind::kJsonLines; }
  std::map<std::string, std::string> columns() const override;
  std::string where(std::uint64_t line) const override { return input_.where(line); }

 private:
  TextInput input_;
  TableRequest request_;  // keys that are known by now
  std::string line_;
};

}  // namespace penstock::convert
