#include "tools/convert/source/class_names.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::convert {
namespace {

std::vector<std::string> names_in(const std::string& text) {
  const tests::TemporaryFolder folder;
  tests::write_file(folder.path() / "names.txt", text);
  return read_class_names(folder.path() / "names.txt");
}

using Names = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(class_names)

BOOST_AUTO_TEST_CASE(one_name_a_line_in_their_order) {
  BOOST_CHECK((names_in("cat\r\ndog\n\xE7\x8C\xAB\n\n") == Names{"cat", "dog", "\xE7\x8C\xAB"}));
}

BOOST_AUTO_TEST_CASE(indices_order_the_names_whatever_the_order_of_the_lines) {
  BOOST_CHECK((names_in("1,dog\n0,cat, small\n2,3\n") == Names{"cat, small", "dog", "3"}));
  // One line without an index: then these are names.
  BOOST_CHECK((names_in("1,dog\ncat\n") == Names{"1,dog", "cat"}));
}

BOOST_AUTO_TEST_CASE(what_cannot_name_classes_is_refused_with_its_reason) {
  const auto refused = [](const std::string& text, const std::string& reason) {
    BOOST_CHECK_EXCEPTION(names_in(text), Error, [&](const Error& error) {
      BOOST_TEST(tests::contains(error.what(), "expected " + reason));
      return !error.hint().empty();
    });
  };
  refused("", "a name for each class, found nothing");
  refused("cat\ncat\n", "different names, found 'cat' twice");
  refused("cat\n\ndog\n", "no empty name");
  refused("\xFF\n", "UTF-8, found '\\xff'");
  refused("0,cat\n2,dog\n", "a name for every index, found none for 1");
  refused("0,cat\n0,dog\n", "each index once, found 0 twice");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
