#include "tools/convert/table/csv_reader.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

#include "streamer/core/csv_field.h"
#include "tests/tools/convert/table/table_error.h"

namespace penstock::convert {
namespace {

using Record = std::vector<std::string>;
using tests::table_error;

std::vector<Record> records_of(std::string_view text, char delimiter = ',') {
  TextInput input(text, "t");
  CsvReader reader(input, delimiter);
  std::vector<Record> records;
  for (Record record; reader.next(record);) records.push_back(record);
  return records;
}

void check_damaged(std::string_view text, const std::string& message) {
  BOOST_CHECK_EXCEPTION(records_of(text), Error,
                        table_error(ErrorCode::kCorruptData, "table: t:" + message));
}

BOOST_AUTO_TEST_SUITE(csv_reader)

// The examples of RFC 4180, section 2, rules 1 to 7.
BOOST_AUTO_TEST_CASE(the_examples_of_rfc_4180_are_read_as_it_says) {
  const std::vector<Record> two = {{"aaa", "bbb", "ccc"}, {"zzz", "yyy", "xxx"}};
  BOOST_CHECK(records_of("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n") == two);
  BOOST_CHECK(records_of("aaa,bbb,ccc\r\nzzz,yyy,xxx") == two);
  BOOST_CHECK(records_of("\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx") == two);
  BOOST_CHECK((records_of("\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz,yyy,xxx") ==
               std::vector<Record>{{"aaa", "b\r\nbb", "ccc"}, {"zzz", "yyy", "xxx"}}));
  BOOST_CHECK(
      (records_of("\"aaa\",\"b\"\"bb\",\"ccc\"") == std::vector<Record>{{"aaa", "b\"bb", "ccc"}}));
}

BOOST_AUTO_TEST_CASE(empty_fields_are_fields_and_empty_lines_are_none) {
  BOOST_CHECK((records_of("a,\n\n\r\n,b\n\"\",\"\"") ==
               std::vector<Record>{{"a", ""}, {"", "b"}, {"", ""}}));
  BOOST_CHECK(records_of("").empty());
  BOOST_CHECK(records_of("\n\n").empty());
}

BOOST_AUTO_TEST_CASE(spaces_and_quotes_within_a_plain_field_belong_to_it) {
  BOOST_CHECK((records_of("a , 5\" disk") == std::vector<Record>{{"a ", " 5\" disk"}}));
}

BOOST_AUTO_TEST_CASE(a_record_is_named_by_the_line_it_begins_in) {
  TextInput input("a\n\"b\nb\"\n\nc\r\nd", "t");
  CsvReader reader(input, ',');
  std::vector<std::uint64_t> lines;
  for (Record record; reader.next(record);) lines.push_back(reader.line());
  BOOST_CHECK((lines == std::vector<std::uint64_t>{1, 2, 5, 6}));
}

BOOST_AUTO_TEST_CASE(the_delimiter_is_what_the_first_line_has_most_of) {
  BOOST_TEST(find_delimiter("path,label\n;;;;") == ',');
  BOOST_TEST(find_delimiter("path;label") == ';');
  BOOST_TEST(find_delimiter("path\tlabel, in words") == '\t');
  BOOST_TEST(find_delimiter("\"a;b;c\",d") == ',');
  BOOST_TEST(find_delimiter("path") == ',');
  BOOST_CHECK((records_of("a;b,c", ';') == std::vector<Record>{{"a", "b,c"}}));
}

BOOST_AUTO_TEST_CASE(damage_is_named_by_its_line) {
  check_damaged("a,b\nc,\"d\ne\n", "2: expected a closing quote, found the end of the file");
  check_damaged("\"a\"b", "1: expected a delimiter behind a closing quote, found text");
  check_damaged(std::string_view("a\n\0", 3), "2: expected text, found a zero byte");
  check_damaged('"' + std::string(kMaxLineBytes + 1, 'x') + '"',
                "1: expected at most 1 MiB in a row, found more");
}

// Without a quote its line ends it, whatever is in it.
BOOST_AUTO_TEST_CASE(a_record_that_is_too_long_costs_nothing_behind_it) {
  const std::vector<std::pair<std::string, std::string>> records = {
      {std::string(kMaxFields, ','), "expected at most 4096 fields in a row, found more"},
      {"a," + std::string(kMaxLineBytes, 'x'), "expected at most 1 MiB in a row, found more"}};
  for (const auto& [record, fault] : records) {
    const std::string text = record + "\nc,d\n";
    TextInput input(text, "t");
    CsvReader reader(input, ',');
    Record fields;
    BOOST_REQUIRE(reader.next(fields));
    BOOST_TEST(reader.fault() == fault);
    BOOST_REQUIRE(reader.next(fields));
    BOOST_TEST(reader.fault() == "");
    BOOST_CHECK((fields == Record{"c", "d"}));
    BOOST_TEST(!reader.next(fields));
  }
}

// csv_field() writes what CsvReader reads.
BOOST_AUTO_TEST_CASE(any_fields_survive_being_written_and_read) {
  constexpr unsigned kSeed = 20240817;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937 bits(kSeed);
  constexpr std::string_view kLetters = "ab,;\t\"\"\n\r \xC3\xA4";
  for (int round = 0; round < 2000; ++round) {
    std::vector<Record> written(1 + bits() % 3);
    std::string text;
    for (Record& record : written) {
      record.resize(2 + bits() % 3);
      for (std::string& field : record) {
        for (std::size_t i = bits() % 6; i > 0; --i) field += kLetters[bits() % kLetters.size()];
        text += (&field == &record.front() ? "" : ",") + csv_field(field);
      }
      text += bits() % 2 == 0 ? "\n" : "\r\n";
    }
    BOOST_TEST_CONTEXT(text) {
      BOOST_REQUIRE(records_of(text) == written);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
