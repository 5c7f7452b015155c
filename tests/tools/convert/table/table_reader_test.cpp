#include "tools/convert/table/table_reader.h"

#include <boost/test/unit_test.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/convert/table/table_error.h"
#include "tests/tools/picture_folder.h"

namespace penstock::convert {

static bool operator==(const TableRow& a, const TableRow& b) {
  return a.line == b.line && a.path == b.path && a.label == b.label && a.split == b.split;
}

namespace {

using Rows = std::vector<TableRow>;
using tests::table_error;

Rows rows_of(TableKind kind, std::string_view text, const TableRequest& request = {}) {
  const auto table = open_table_text(text, "t", kind, request);
  Rows rows;
  for (TableRow row; table->next(row);) rows.push_back(row);
  return rows;
}

BOOST_AUTO_TEST_SUITE(table_reader)

BOOST_AUTO_TEST_CASE(a_csv_is_read_by_its_columns) {
  const Rows expected = {{2, "1.jpg", "cat", SplitKind::kTrain},
                         {3, "2,2.jpg", "", SplitKind::kValidation},
                         {4, "3.jpg", "dog", std::nullopt}};
  BOOST_CHECK(
      rows_of(TableKind::kCsv,
              "nr,label,split,file\n1,cat,train,1.jpg\n2,,Val,\"2,2.jpg\"\n3,dog,,3.jpg\n") ==
      expected);
  BOOST_CHECK(rows_of(TableKind::kCsv,
                      "\xEF\xBB\xBFnr;label;split;file\r\n1;cat;train;1.jpg\r\n2;;Val;2,2.jpg\r\n3;"
                      "dog;;3.jpg") == expected);
}

// "line path|label|reason: fault" of each row.
std::vector<std::string> faults_of(TableKind kind, std::string_view text) {
  std::vector<std::string> found;
  for (const TableRow& row : rows_of(kind, text)) {
    const std::string reason =
        row.fault_reason ? std::string(reason_code_name(*row.fault_reason)) : "";
    found.push_back(std::to_string(row.line) + " " + row.path + "|" + row.label + "|" + reason +
                    ": " + row.fault);
  }
  return found;
}

BOOST_AUTO_TEST_CASE(a_row_with_another_number_of_fields_has_a_fault_and_the_next_one_is_read) {
  const std::string words = " (one that holds the delimiter stands in quotes)";
  const std::vector<std::string> expected = {
      "2 1.jpg|cat|: ", "3 2.jpg||: expected 2 fields as in the first line, found 1" + words,
      "4 3.jpg||: expected 2 fields as in the first line, found 3" + words,
      "5 4.jpg||: expected at most 4096 fields in a row, found more", "6 5.jpg|dog|: "};
  BOOST_TEST(faults_of(TableKind::kCsv, "path,label\n1.jpg,cat\n2.jpg\n3.jpg,a,b\n4.jpg" +
                                            std::string(5000, ',') + "\n5.jpg,dog\n") == expected,
             boost::test_tools::per_element());
  // The path may be what is missing.
  BOOST_TEST(rows_of(TableKind::kCsv, "label,path\ncat\n")[0].path == "");
}

BOOST_AUTO_TEST_CASE(a_line_above_its_limit_has_a_fault_and_the_next_one_is_read) {
  const std::string lines = std::string(kMaxLineBytes + 1, 'x') + "\n";
  const std::vector<std::string> expected = {"1 ||: expected at most 1 MiB in a line, found more",
                                             "2 1.jpg|cat|: "};
  BOOST_TEST(faults_of(TableKind::kList, lines + "1.jpg\tcat\n") == expected,
             boost::test_tools::per_element());
  BOOST_TEST(faults_of(TableKind::kJsonLines,
                       lines + "{\"path\": \"1.jpg\", \"label\": \"cat\"}") == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_csv_without_its_columns_is_refused_by_its_line) {
  BOOST_CHECK_EXCEPTION(rows_of(TableKind::kCsv, ""), Error,
                        table_error(ErrorCode::kCorruptData,
                                    "table: t: expected a first line that names the columns, found "
                                    "no line"));
  BOOST_CHECK_EXCEPTION(rows_of(TableKind::kCsv, "\n\npath,breed\n"), Error,
                        table_error(ErrorCode::kInvalidArgument,
                                    "table: t:3: expected a column for the label, found path, "
                                    "breed"));
}

BOOST_AUTO_TEST_CASE(an_unknown_split_is_a_fault_of_its_row) {
  const std::string fault =
      "unknown_split: expected train, val, valid, validation, test or testing as split, found "
      "'fold1'";
  BOOST_TEST(faults_of(TableKind::kCsv, "path,label,set\n1,a,fold1\n2,b,test") ==
                 (std::vector<std::string>{"2 1|a|" + fault, "3 2|b|: "}),
             boost::test_tools::per_element());
  BOOST_TEST(faults_of(TableKind::kJsonLines, "\n{\"path\":\"1\",\"set\":\"fold1\"}") ==
                 (std::vector<std::string>{"2 1||" + fault}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(json_lines_are_read_by_their_keys) {
  BOOST_CHECK(rows_of(TableKind::kJsonLines,
                      "{\"file_name\": \"1.jpg\", \"width\": 3}\r\n"
                      "\n"
                      "{\"label\": 7, \"file_name\": \"a\\tb.jpg\", \"split\": \"test\"}\n"
                      "{\"label\": null, \"file_name\": \"\\u00e4\"}") ==
              (Rows{{1, "1.jpg", "", std::nullopt},
                    {3, "a\tb.jpg", "7", SplitKind::kTest},
                    {4, "\xC3\xA4", "", std::nullopt}}));
  const auto table = open_table_text("{\"id\": \"1\", \"species\": \"cat\"}", "t",
                                     TableKind::kJsonLines, {.label_column = "species"});
  TableRow row;
  BOOST_REQUIRE(table->next(row));
  BOOST_TEST(row.label == "cat");
  BOOST_CHECK((table->columns() == std::map<std::string, std::string>{
                                       {"path_column", "id"}, {"label_column", "species"}}));
}

BOOST_AUTO_TEST_CASE(a_line_of_bad_json_is_a_row_with_a_fault_and_the_next_one_is_read) {
  const std::string text =
      "{\"label\": \"x\"}\n"
      "[1]\n"
      "{\"path\": [\"1\"]}\n"
      "{\"path\": \"2\", \"label\": 1.5}\n"
      "{\"path\": \"3\", \"label\": \"cat\", \"split\": \"test\"}\n"
      "{\"label\": \"x\"}\n"
      "{\"path\": \"4\", \"la";
  const auto table = open_table_text(text, "t", TableKind::kJsonLines, {});
  std::vector<std::string> found;
  for (TableRow row; table->next(row);) {
    found.push_back(std::to_string(row.line) + " " + row.path + "|" + row.label + "|" +
                    (row.split ? "split" : "") + "|" + row.fault);
  }
  const std::vector<std::string> expected = {
      "1 |x||expected a key for the path, found label",
      "2 |||expected a JSON object, found array",
      "3 |||expected a text or a whole number as 'path', found array",
      "4 2|||expected a text or a whole number as 'label', found number",
      "5 3|cat|split|",
      "6 |x||expected a path as 'path', found label",
      "7 |||expected a JSON object, found no JSON"};
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_list_has_a_path_a_line_and_a_label_behind_a_tab) {
  BOOST_CHECK(rows_of(TableKind::kList, "cat/1.jpg\r\n\nmy dog/2.jpg 7\n3.jpg\tgray wolf\n") ==
              (Rows{{1, "cat/1.jpg", "", std::nullopt},
                    {3, "my dog/2.jpg 7", "", std::nullopt},
                    {4, "3.jpg", "gray wolf", std::nullopt}}));
}

BOOST_AUTO_TEST_CASE(what_a_table_is_shows_in_its_first_line_or_its_name) {
  BOOST_CHECK(find_table_kind("x.txt", " {\"path\"", {}) == TableKind::kJsonLines);
  BOOST_CHECK(find_table_kind("x.CSV", "what,ever\n", {}) == TableKind::kCsv);
  BOOST_CHECK(find_table_kind("x.txt", "file;class\n", {}) == TableKind::kCsv);
  BOOST_CHECK(find_table_kind("x.txt", "file;breed\n", {.label_column = "breed"}) ==
              TableKind::kCsv);
  BOOST_CHECK(find_table_kind("x.txt", "cat/1.jpg 0\n", {}) == TableKind::kList);
  BOOST_CHECK(find_table_kind("x", "file, class and label\n", {}) == TableKind::kList);
  BOOST_CHECK(find_table_kind("x", "\"", {}) == TableKind::kList);
}

BOOST_AUTO_TEST_CASE(a_file_is_opened_as_what_it_is) {
  const tests::TemporaryFolder folder;
  tests::write_file(folder.path() / "l.txt", "path\tlabel\n1.jpg\tcat\n");
  const auto table = open_table(folder.path() / "l.txt", {});
  BOOST_CHECK(table->kind() == TableKind::kCsv);
  TableRow row;
  BOOST_REQUIRE(table->next(row));
  BOOST_TEST(row.path == "1.jpg");
  BOOST_TEST(table->where(row.line) == (folder.path() / "l.txt").string() + ":2");
  BOOST_TEST(!table->next(row));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
