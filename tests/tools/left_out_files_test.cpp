#include "tools/left_out_files.h"

#include <boost/test/unit_test.hpp>

namespace penstock::tools {
namespace {

LeftOutFiles of(const std::vector<std::string>& paths) {
  LeftOutFiles files;
  for (const std::string& path : paths) files.add(path);
  return files;
}

BOOST_AUTO_TEST_SUITE(left_out_files)

BOOST_AUTO_TEST_CASE(one_file_is_no_picture_and_two_are_no_pictures) {
  BOOST_TEST(of({"a/README"}).text() == "1 file that is no picture: a/README");
  BOOST_TEST(of({"a/README", "b.txt"}).text() == "2 files that are no pictures: a/README, b.txt");
}

BOOST_AUTO_TEST_CASE(why_stands_behind_the_name_when_it_is_not_the_content) {
  LeftOutFiles files;
  files.add("pipe.jpg", "no regular file");
  BOOST_TEST(files.text() == "1 file that is no picture: pipe.jpg (no regular file)");
  BOOST_TEST(files.count() == 1u);
}

BOOST_AUTO_TEST_CASE(of_many_a_few_are_named_those_called_as_pictures_first) {
  const LeftOutFiles files = of({"1.txt", "2.txt", "3.txt", "4.txt", "broken.jpg"});
  BOOST_TEST(files.count() == 5u);
  BOOST_TEST(files.text() == "5 files that are no pictures: broken.jpg, 1.txt, 2.txt and 2 more");
}

BOOST_AUTO_TEST_CASE(names_harm_no_terminal) {
  BOOST_TEST(of({"\x1B[2J.txt"}).text() == "1 file that is no picture: \\x1b[2J.txt");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
