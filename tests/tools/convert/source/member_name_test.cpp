#include "tools/convert/source/member_name.h"

#include <boost/test/unit_test.hpp>

namespace penstock::convert {
namespace {

BOOST_AUTO_TEST_SUITE(member_name)

BOOST_AUTO_TEST_CASE(dots_and_empty_names_say_nothing) {
  BOOST_TEST(member_path("cat/1.jpg").value() == "cat/1.jpg");
  BOOST_TEST(member_path("./cat//./1.jpg").value() == "cat/1.jpg");
  BOOST_TEST(member_path("cat/").value() == "cat");
  BOOST_TEST(member_path("./").value() == "");
  BOOST_TEST(member_path("..cat/1..jpg").value() == "..cat/1..jpg");
}

BOOST_AUTO_TEST_CASE(names_that_leave_the_archive_are_refused) {
  for (const char* name : {"/etc/passwd", "../1.jpg", "cat/../../1.jpg", "cat/..", "..", ""}) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(!member_path(name).has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(hidden_names_and_those_of_systems_are_found_with_the_folder_that_counts) {
  BOOST_TEST(!passed_over("cat/1.jpg").has_value());
  BOOST_TEST(passed_over("__MACOSX/cat/1.jpg")->path == "__MACOSX");
  BOOST_CHECK(passed_over("cat/._1.jpg")->kind == NameKind::kSystem);
  BOOST_CHECK(passed_over("cat/.git/config")->kind == NameKind::kHidden);
  BOOST_TEST(passed_over("cat/.git/config")->path == "cat/.git");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
