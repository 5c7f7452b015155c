#include "tools/terminal.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <memory>

namespace penstock::tools {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using UniqueFile = std::unique_ptr<std::FILE, CloseFile>;

std::string content(std::FILE* file) {
  std::rewind(file);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  return text;
}

BOOST_AUTO_TEST_SUITE(terminal)

BOOST_AUTO_TEST_CASE(counts_have_thousands_apart) {
  BOOST_TEST(format_count(0) == "0");
  BOOST_TEST(format_count(999) == "999");
  BOOST_TEST(format_count(3068) == "3,068");
  BOOST_TEST(format_count(1234567) == "1,234,567");
  BOOST_TEST(format_counted(1, "file", "files") == "1 file");
  BOOST_TEST(format_counted(3068, "file", "files") == "3,068 files");
}

BOOST_AUTO_TEST_CASE(durations_carry_two_units_at_most) {
  using Seconds = std::chrono::duration<double>;
  BOOST_TEST(format_duration(Seconds(0.84)) == "0.8 s");
  BOOST_TEST(format_duration(Seconds(59.4)) == "59 s");
  BOOST_TEST(format_duration(Seconds(59.6)) == "1 min 00 s");
  BOOST_TEST(format_duration(Seconds(185)) == "3 min 05 s");
  BOOST_TEST(format_duration(Seconds(7380)) == "2 h 03 min");
}

BOOST_AUTO_TEST_CASE(time_left_follows_from_the_speed_so_far) {
  BOOST_TEST(format_time_left(100, 300, std::chrono::seconds(10)) == "30 s left");
  BOOST_TEST(format_time_left(0, 300, std::chrono::seconds(10)) == "");
}

BOOST_AUTO_TEST_CASE(control_characters_and_broken_utf8_are_written_out) {
  BOOST_TEST(printable("a b") == "a b");
  BOOST_TEST(printable("a\nb\x1b[2J") == "a\\x0ab\\x1b[2J");
  BOOST_TEST(printable("a\\b") == "a\\\\b");
  BOOST_TEST(printable("\xc3\xa4") == "\xc3\xa4");                  // ä
  BOOST_TEST(printable("\xe4") == "\\xe4");                         // ä in Latin-1
  BOOST_TEST(printable("\xc0\xaf") == "\\xc0\\xaf");                // overlong '/'
  BOOST_TEST(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");       // a surrogate
  BOOST_TEST(printable("\xf0\x9f\x90\xb1") == "\xf0\x9f\x90\xb1");  // a cat
  BOOST_TEST(printable("\xc2\x9b"
                       "2J") == "\\xc2\\x9b2J");  // U+009B: a terminal's ESC [
  BOOST_TEST(printable_path("a\nb") == "a\\x0ab");
}

BOOST_AUTO_TEST_CASE(where_there_is_no_terminal_lines_are_plain) {
  const UniqueFile file(std::tmpfile());
  {
    ProgressLine line(Verbosity::kNormal, file.get());
    BOOST_TEST(!line.is_terminal());
    BOOST_TEST(!line.is_due());  // the first only after a while
    line.update("half");
    line.end("done");
  }
  BOOST_TEST(content(file.get()) == "half\ndone\n");
}

BOOST_AUTO_TEST_CASE(quiet_says_nothing) {
  const UniqueFile file(std::tmpfile());
  ProgressLine line(Verbosity::kQuiet, file.get());
  BOOST_TEST(!line.is_due());
  line.update("half");
  line.end("done");
  BOOST_TEST(content(file.get()) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
