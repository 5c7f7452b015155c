#include "tools/care/extracted_name.h"

#include <boost/test/unit_test.hpp>

namespace penstock::care {
namespace {

using namespace std::string_view_literals;

BOOST_AUTO_TEST_SUITE(extracted_name)

BOOST_AUTO_TEST_CASE(names_that_leave_the_folder_or_fit_no_file_system_are_not_safe) {
  const std::string long_part(256, 'a');
  std::string long_name;
  while (long_name.size() < 3072) long_name += "abcdefgh/";
  for (const std::string_view name :
       {"/etc/passwd"sv, "../x"sv, "a/../../x"sv, "a/.."sv, ".."sv, "."sv, "a/./b"sv, "a//b"sv,
        "a/"sv, ""sv, "a\0b"sv, std::string_view(long_part), std::string_view(long_name)}) {
    BOOST_TEST(!is_safe_name(name), name);
  }
  for (const std::string_view name :
       {"a"sv, "cat/1.jpg"sv, "train/cat/1.jpg"sv, "..a/b..c"sv, "..."sv, "-rf"sv, "\xFF\n\t"sv}) {
    BOOST_TEST(is_safe_name(name), name);
  }
}

BOOST_AUTO_TEST_CASE(a_path_tells_its_class_by_one_of_its_folders) {
  BOOST_TEST(names_class("cat/1.jpg", "cat"));
  BOOST_TEST(names_class("train/cat/deep/1.jpg", "cat"));
  BOOST_TEST(names_class("\xFF/1.jpg", "\\xff"));  // class names in a dataset are UTF-8
  BOOST_TEST(!names_class("cat", "cat"));          // a file of that name is no folder
  BOOST_TEST(!names_class("images/1.jpg", "cat"));
}

BOOST_AUTO_TEST_CASE(numbered_names_stay_within_the_folder) {
  const SampleIdentity cat{
      .split = "train", .class_name = "cat", .sample_idx = 12, .extension = ".jpg"};
  BOOST_TEST(numbered_name(cat, NumberedForm::kSplitFolders) == "train/cat/00000012.jpg");
  BOOST_TEST(numbered_name(cat, NumberedForm::kClassFolders) == "cat/train-00000012.jpg");
  for (const std::string_view class_name : {"..", "a/b", ".", ""}) {
    const SampleIdentity odd{.split = "train",
                             .class_name = class_name,
                             .class_idx = 3,
                             .sample_idx = 1,
                             .extension = ".png"};
    BOOST_TEST(numbered_name(odd, NumberedForm::kClassFolders) == "class 3/train-00000001.png");
  }
}

BOOST_AUTO_TEST_CASE(no_name_is_given_twice_nor_as_file_and_folder) {
  NamesInUse names;
  BOOST_TEST(names.take("a/b"));
  BOOST_TEST(!names.take("a/b"));
  BOOST_TEST(!names.take("a"));      // a folder
  BOOST_TEST(!names.take("a/b/c"));  // below a file
  BOOST_TEST(names.take("a/c"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
