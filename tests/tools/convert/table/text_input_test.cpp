#include "tools/convert/table/text_input.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/convert/table/table_error.h"
#include "tests/tools/picture_folder.h"

namespace penstock::convert {
namespace {

using tests::table_error;

std::vector<std::string> lines_of(TextInput input) {
  std::vector<std::string> lines;
  for (std::string line; input.read_line(line);) lines.push_back(line);
  return lines;
}

BOOST_AUTO_TEST_SUITE(text_input)

BOOST_AUTO_TEST_CASE(all_three_line_ends_are_known_and_the_last_may_be_missing) {
  TextInput input("a\nb\r\nc\rd", "t");
  std::string line;
  for (const auto& [text, number] :
       std::vector<std::pair<std::string, std::uint64_t>>{{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}}) {
    BOOST_TEST(input.line() == number);
    BOOST_REQUIRE(input.read_line(line));
    BOOST_TEST(line == text);
  }
  BOOST_TEST(!input.read_line(line));
  BOOST_TEST(input.where(4) == "t:4");
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_is_passed_over_and_utf16_is_refused) {
  BOOST_CHECK((lines_of({"\xEF\xBB\xBFpath", "t"}) == std::vector<std::string>{"path"}));
  BOOST_CHECK_EXCEPTION(
      TextInput("\xFF\xFEp", "t"), Error,
      table_error(ErrorCode::kCorruptData, "table: t: expected text in UTF-8, found UTF-16"));
}

BOOST_AUTO_TEST_CASE(a_file_larger_than_the_buffer_is_read_as_the_same_text_in_memory) {
  const tests::TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 40'000; ++i) {
    text += std::string(static_cast<std::size_t>(i % 97), 'x') + std::to_string(i) +
            (i % 3 == 0 ? "\r\n" : "\n");
  }
  tests::write_file(folder.path() / "t", text);
  BOOST_CHECK(lines_of(TextInput(folder.path() / "t")) == lines_of({text, "t"}));
}

BOOST_AUTO_TEST_CASE(a_line_that_is_too_long_is_passed_over_where_that_is_asked_for) {
  const std::string text = "a\r\n" + std::string(3 * kMaxLineBytes, 'x') + "\r\nb";
  TextInput input(text, "t");
  std::vector<std::string> found;
  bool is_too_long = false;
  for (std::string line; input.read_line(line, is_too_long);) {
    found.push_back(line + (is_too_long ? "!" : "") + std::to_string(input.line()));
  }
  BOOST_TEST(found == (std::vector<std::string>{"a2", "!3", "b3"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(lines_without_end_and_zero_bytes_are_refused_by_their_line) {
  const std::string text = "a\n" + std::string(kMaxLineBytes + 1, 'x');
  BOOST_CHECK_EXCEPTION(lines_of({text, "t"}), Error,
                        table_error(ErrorCode::kCorruptData,
                                    "table: t:2: expected at most 1 MiB in a line, found more"));
  BOOST_CHECK_NO_THROW(lines_of({std::string_view(text).substr(0, kMaxLineBytes + 2), "t"}));
  BOOST_CHECK_EXCEPTION(
      lines_of({std::string_view("a\nb\0c\n", 6), "t"}), Error,
      table_error(ErrorCode::kCorruptData, "table: t:2: expected text, found a zero byte"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
