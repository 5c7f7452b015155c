#include "tools/convert/source/row_path.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace penstock::convert {
namespace {

std::vector<std::string> parts(const TableRow& row, TableKind kind) {
  std::vector<std::string> all;
  for (const RowPath& one : row_paths(row, kind)) all.push_back(one.path + "|" + one.label);
  return all;
}

using Parts = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(row_path)

BOOST_AUTO_TEST_CASE(paths_are_written_as_a_scan_writes_them) {
  BOOST_TEST(*beneath_path("./a//b/./1.jpg") == "a/b/1.jpg");
  BOOST_TEST(*beneath_path("..a/b..") == "..a/b..");
  BOOST_TEST(*beneath_path("a b\xFF") == "a b\xFF");
  BOOST_TEST(*beneath_path("a/../b") == "b");
  BOOST_TEST(*beneath_path("a/b/../../c/./d/..//1.jpg") == "c/1.jpg");
}

BOOST_AUTO_TEST_CASE(paths_that_lead_out_of_the_folder_are_none) {
  for (const char* path : {"/etc/passwd", "..", "../1.jpg", "a/../../1.jpg", "a/b/../../../a/1.jpg",
                           "a/..", "", ".", "./"}) {
    BOOST_TEST_CONTEXT(path) {
      BOOST_CHECK(!beneath_path(path));
    }
  }
  BOOST_CHECK(!beneath_path(std::string_view("a\0b", 3)));
}

BOOST_AUTO_TEST_CASE(a_row_of_a_table_means_its_path_alone) {
  BOOST_CHECK((parts({2, "a b/1.jpg", "cat", {}}, TableKind::kCsv) == Parts{"a b/1.jpg|cat"}));
  BOOST_CHECK((parts({2, "cat/1.jpg", "", {}}, TableKind::kCsv) == Parts{"cat/1.jpg|"}));
}

BOOST_AUTO_TEST_CASE(a_line_of_a_list_may_end_in_a_label_and_else_its_folder_is_one) {
  BOOST_CHECK(
      (parts({1, "pets/cat/1.jpg", "", {}}, TableKind::kList) == Parts{"pets/cat/1.jpg|cat"}));
  BOOST_CHECK((parts({1, "1.jpg", "", {}}, TableKind::kList) == Parts{"1.jpg|"}));
  BOOST_CHECK((parts({1, "cat/1.jpg 0", "", {}}, TableKind::kList) ==
               Parts{"cat/1.jpg 0|cat", "cat/1.jpg|0"}));
  BOOST_CHECK(
      (parts({1, "my cat/1.jpg", "dog", {}}, TableKind::kList) == Parts{"my cat/1.jpg|dog"}));
}

BOOST_AUTO_TEST_CASE(extensions_are_known_in_any_case) {
  BOOST_TEST(has_tried_extension("a/1.JPEG"));
  BOOST_TEST(has_tried_extension("a/1.Gif"));
  BOOST_TEST(!has_tried_extension("a.jpg/1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
