#include "tools/result_stream.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/temporary_folder.h"

namespace penstock::tools {
namespace {

struct Fixture {
  tests::TemporaryFolder folder;
  std::filesystem::path file = folder.path() / "answers.csv";
};

BOOST_FIXTURE_TEST_SUITE(result_stream, Fixture)

BOOST_AUTO_TEST_CASE(a_file_holds_all_pieces_once_it_is_published) {
  std::string expected;
  ResultStream stream(file);
  for (int i = 0; i < 20'000; ++i) {  // several times what is kept in memory
    const std::string line = "line " + std::to_string(i) + "\n";
    stream.write(line);
    expected += line;
  }
  BOOST_TEST(!std::filesystem::exists(file));
  stream.publish();
  BOOST_TEST((read_text_file(file) == expected));
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_not_published_leaves_the_file_before_and_nothing_else) {
  publish_file(file, "before");
  {
    ResultStream stream(file);
    stream.write(std::string(100'000, 'x'));
  }
  BOOST_TEST(read_text_file(file) == "before");
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(what_a_dead_process_left_is_no_obstacle) {
  publish_file(file.native() + ".tmp", "half a line");
  ResultStream stream(file);
  stream.write("whole\n");
  stream.publish();
  BOOST_TEST(read_text_file(file) == "whole\n");
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
