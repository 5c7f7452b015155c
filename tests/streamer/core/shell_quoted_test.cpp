#include "streamer/core/shell_quoted.h"

#include <sys/wait.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <iostream>
#include <string>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(shell_quoted_suite)

BOOST_AUTO_TEST_CASE(a_plain_path_stays_as_it_is) {
  for (const char* path : {"photos", "/data/set-1/a_b.ds", "../x+y,z:1@2%3"}) {
    BOOST_TEST(shell_quoted(path) == path);
  }
}

BOOST_AUTO_TEST_CASE(what_a_shell_would_take_apart_is_quoted) {
  BOOST_TEST(shell_quoted("my photos") == "'my photos'");
  BOOST_TEST(shell_quoted("it's") == "'it'\\''s'");
  BOOST_TEST(shell_quoted("$(reboot)") == "'$(reboot)'");
  BOOST_TEST(shell_quoted("~") == "'~'");
  BOOST_TEST(shell_quoted("") == "''");
  BOOST_TEST(shell_quoted("\xc3\x84pfel") == "'\xc3\x84pfel'");
}

BOOST_AUTO_TEST_CASE(a_leading_dash_is_no_flag) {
  BOOST_TEST(shell_quoted("-rf") == "./-rf");
  BOOST_TEST(shell_quoted("-r f") == "'./-r f'");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_seen_is_written_in_octal) {
  BOOST_TEST(shell_quoted("a\n1") == "$'a\\0121'");
  BOOST_TEST(shell_quoted("\xe4pfel'\\") == "$'\\344pfel\\'\\\\'");
  BOOST_TEST(shell_quoted("\xc2\x9b") == "$'\\302\\233'");
}

// A real shell is the judge: it gives back what went in.
BOOST_AUTO_TEST_CASE(bash_reads_the_path_that_was_quoted) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& path : {std::string("my photos"), std::string("it's $HOME `id` \\ \"!\""),
                                  std::string("-n"), std::string("a\n1\xe4"), all}) {
    const std::string line =
        "exec 2>/dev/null; bash -c " + shell_quoted("printf %s " + shell_quoted(path));
    std::FILE* const pipe = ::popen(line.c_str(), "r");
    BOOST_REQUIRE(pipe != nullptr);
    std::string read(1024, '\0');
    read.resize(std::fread(read.data(), 1, read.size(), pipe));
    const int status = ::pclose(pipe);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
      std::cout << "SKIPPED: bash_reads_the_path_that_was_quoted: no bash\n";
      return;
    }
    BOOST_TEST(read == (path == "-n" ? "./-n" : path));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
