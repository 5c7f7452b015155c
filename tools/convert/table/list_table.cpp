#include "tools/convert/table/list_table.h"

namespace penstock::convert {

bool ListTable::next(TableRow& row) {
  bool is_too_long = false;
  do {
    row.line = input_.line();
    if (!input_.read_line(line_, is_too_long)) return false;
  } while (!is_too_long && line_.empty());
  row.clear();
  if (is_too_long) {
    row.fault = kTooLongLine;
    return true;
  }
  const std::size_t tab = line_.find('\t');
  row.path = line_.substr(0, tab);
  row.label = tab == std::string::npos ? "" : line_.substr(tab + 1);
  return true;
}

}  // namespace penstock::convert
