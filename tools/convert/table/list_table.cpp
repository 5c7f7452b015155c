#include "tools/convert/table/list_table.h"

namespace penstock::convert {

bool ListTable::next(TableRow& row) {
  do {
    row.line = input_.line();
    if (!input_.read_line(line_)) return false;
  } while (line_.empty());
  const std::size_t tab = line_.find('\t');
  row.path = line_.substr(0, tab);
  row.label = tab == std::string::npos ? "" : line_.substr(tab + 1);
  row.split.reset();
  return true;
}

}  // namespace penstock::convert
