#include "tools/convert/source/class_warnings.h"

#include <boost/test/unit_test.hpp>

namespace penstock::convert {
namespace {

using Texts = std::vector<std::string>;

SourceScan scan_of(Texts class_names, const std::vector<std::uint32_t>& class_idxs) {
  SourceScan scan;
  scan.class_names = std::move(class_names);
  for (const std::uint32_t class_idx : class_idxs) {
    scan.pictures.add(
        {.name = std::to_string(scan.pictures.size()), .class_idx = class_idx, .split = {}});
  }
  return scan;
}

BOOST_AUTO_TEST_SUITE(class_warning)

BOOST_AUTO_TEST_CASE(classes_without_a_picture_are_counted_and_the_first_are_named) {
  BOOST_CHECK(class_warnings(scan_of({"cat", "dog"}, {0, 1, 0})).empty());
  BOOST_CHECK((class_warnings(scan_of({"cat", "dog", "eel"}, {0, 2})) ==
               Texts{"1 of 3 classes has no picture and keeps its class index: 'dog'"}));
  Texts names;
  for (int i = 0; i <= 100'000; ++i) names.push_back(std::to_string(i));
  BOOST_CHECK((class_warnings(scan_of(names, {1, 3, 5, 100'000})) ==
               Texts{"99,997 of 100,001 classes have no picture and keep their class index: '0', "
                     "'2', '4', '6', '7', ..."}));
}

BOOST_AUTO_TEST_CASE(names_that_look_alike_are_named_both) {
  BOOST_CHECK((class_warnings(scan_of({"A", "a", "a ", "b"}, {0, 1, 2, 3})) ==
               Texts{"2 pairs of classes differ in case, spaces around the name or the spelling of "
                     "accents alone: 'A' and 'a'; 'a' and 'a '"}));
  // Composed and decomposed; a space within a name is another name.
  BOOST_CHECK((class_warnings(scan_of({"a\xCC\x88", "b c", "bc", "\xC3\xA4"}, {0, 1, 2, 3})) ==
               Texts{"1 pair of classes differ in case, spaces around the name or the spelling of "
                     "accents alone: 'a\xCC\x88' and '\xC3\xA4'"}));
}

BOOST_AUTO_TEST_CASE(one_class_alone_is_warned_of_whatever_the_source) {
  BOOST_TEST(one_class_warning(scan_of({"cat"}, {0})).value() ==
             "there is only one class (cat): nothing to tell apart");
  BOOST_TEST(!one_class_warning(scan_of({"cat", "dog"}, {0})));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
