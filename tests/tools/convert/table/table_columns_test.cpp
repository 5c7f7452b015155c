#include "tools/convert/table/table_columns.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/tools/convert/table/table_error.h"

namespace penstock::convert {
namespace {

using Columns = std::vector<std::string>;
using tests::table_error;

std::optional<std::size_t> find(ColumnRole role, const Columns& columns,
                                const std::string& asked_for = "") {
  return find_column(role, columns, asked_for, "t:1");
}

BOOST_AUTO_TEST_SUITE(table_columns)

BOOST_AUTO_TEST_CASE(usual_names_are_known_in_any_case) {
  BOOST_TEST(*find(ColumnRole::kPath, {"nr", "File Name", "width"}) == 1u);
  BOOST_TEST(*find(ColumnRole::kLabel, {"IMAGE", "Class"}) == 1u);
  BOOST_TEST(*find(ColumnRole::kSplit, {"image", "sub-set", " subset "}) == 2u);
  BOOST_TEST(!find(ColumnRole::kSplit, {"image", "label"}));
}

// id is a path where nothing else is: image id and label of many published tables.
BOOST_AUTO_TEST_CASE(names_that_leave_doubt_count_when_there_are_no_others) {
  BOOST_TEST(*find(ColumnRole::kPath, {"id", "breed"}) == 0u);
  BOOST_TEST(*find(ColumnRole::kPath, {"id", "filename"}) == 1u);
}

BOOST_AUTO_TEST_CASE(two_usual_names_are_refused_with_all_columns) {
  BOOST_CHECK_EXCEPTION(
      find(ColumnRole::kLabel, {"path", "class", "label"}), Error,
      table_error(ErrorCode::kInvalidArgument,
                  "table: t:1: expected one column for the label, found class and label among "
                  "path, class, label"));
  BOOST_TEST(*find(ColumnRole::kLabel, {"path", "class", "label"}, "label") == 2u);
}

BOOST_AUTO_TEST_CASE(a_column_that_is_asked_for_and_not_there_is_refused_with_all_columns) {
  BOOST_CHECK_EXCEPTION(
      find(ColumnRole::kPath, {"path", "breed\n"}, "Path"), Error,
      table_error(ErrorCode::kInvalidArgument,
                  "table: t:1: expected a column 'Path', found path, breed\\x0a"));
  BOOST_CHECK_EXCEPTION(refuse_missing_column(ColumnRole::kLabel, Columns{"path", "breed"}, "t:1"),
                        Error,
                        table_error(ErrorCode::kInvalidArgument,
                                    "table: t:1: expected a column for the label, found path, "
                                    "breed"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
