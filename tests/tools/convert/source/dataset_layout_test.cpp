#include "tools/convert/source/dataset_layout.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

// A scan of these files; their folders follow from the paths, more can be named.
FolderScan scan_of(std::vector<std::string> paths, const std::vector<std::string>& more = {}) {
  FolderScan scan;
  std::sort(paths.begin(), paths.end());
  scan.folders = more;
  for (const std::string& path : paths) {
    scan.files.push_back({path, 10});
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
      scan.folders.push_back(path.substr(0, at));
    }
  }
  std::sort(scan.folders.begin(), scan.folders.end());
  scan.folders.erase(std::unique(scan.folders.begin(), scan.folders.end()), scan.folders.end());
  return scan;
}

auto says(const std::string& message) {
  return [=](const Error& error) {
    BOOST_TEST(error.what() == message);
    BOOST_TEST(!error.hint().empty());
    return error.code() == ErrorCode::kInvalidArgument;
  };
}

constexpr const char* kShape =
    "expected a folder per class (SOURCE/cat/1.jpg), or train/, validation/ and test/ folders of "
    "them";

BOOST_AUTO_TEST_SUITE(dataset_layout)

BOOST_AUTO_TEST_CASE(class_folders_give_classes_in_order_of_bytes) {
  const auto layout = find_layout(scan_of({"dog/1.jpg", "Cat/1.jpg", "\xc3\xa4/1.jpg"}), {}, "S");
  BOOST_CHECK(layout.kind == LayoutKind::kClassFolders);
  BOOST_CHECK((layout.class_names == std::vector<std::string>{"Cat", "dog", "\xc3\xa4"}));
  BOOST_REQUIRE(layout.files.size() == 3u);
  BOOST_TEST(layout.files[1].class_idx == 1u);  // files are sorted too
  BOOST_TEST(layout.description == "class folders");
}

BOOST_AUTO_TEST_CASE(a_split_folder_that_was_not_read_is_refused_and_a_class_folder_is_not) {
  FolderScan scan = scan_of({"val/cat/1.jpg", "val/dog/1.jpg"}, {"train"});
  scan.unreadable_folders = {{"train", "Permission denied"}};
  BOOST_CHECK_EXCEPTION(
      find_layout(scan, {}, "S"), Error,
      says("layout: S/train: expected a split folder that may be read, found: Permission denied"));
  FolderScan classes = scan_of({"cat/1.jpg", "cat/test/2.jpg"}, {"dog"});
  classes.unreadable_folders = {{"cat/test", "Permission denied"}, {"dog", "Permission denied"}};
  const DatasetLayout layout = find_layout(classes, {}, "S");
  BOOST_CHECK((layout.class_names == std::vector<std::string>{"cat", "dog"}));
}

BOOST_AUTO_TEST_CASE(folders_that_were_not_read_explain_why_there_are_no_pictures) {
  FolderScan scan = scan_of({}, {"cat", "dog"});
  scan.unreadable_folders = {{"cat", "Permission denied"}, {"dog", "Permission denied"}};
  BOOST_CHECK_EXCEPTION(find_layout(scan, {}, "S"), Error,
                        says("source: S: expected pictures in the class folders, found none (2 "
                             "folders may not be read)"));
}

// The byte E9 is stored as the four letters \xe9, which a folder may be called too.
BOOST_AUTO_TEST_CASE(two_folders_that_would_be_one_class_in_the_dataset_are_refused) {
  BOOST_CHECK_EXCEPTION(
      find_layout(scan_of({"caf\xE9/1.jpg", "caf\\xe9/1.jpg"}), {}, "S"), Error,
      says("classes: S: expected different names in the dataset, found two folders that would both "
           "be 'caf\\xe9'"));
  BOOST_CHECK_NO_THROW(find_layout(scan_of({"caf\xE9/1.jpg", "caf/1.jpg"}), {}, "S"));
}

BOOST_AUTO_TEST_CASE(files_in_nested_folders_belong_to_the_class_above) {
  const auto layout = find_layout(scan_of({"cat/2020/may/1.jpg", "dog/1.jpg"}), {}, "S");
  BOOST_TEST(layout.class_names.size() == 2u);
  BOOST_TEST(layout.files.size() == 2u);
}

BOOST_AUTO_TEST_CASE(split_folders_are_known_in_any_case_and_under_all_their_names) {
  for (const auto& [name, split] :
       std::vector<std::pair<std::string, SplitKind>>{{"TRAIN", SplitKind::kTrain},
                                                      {"Val", SplitKind::kValidation},
                                                      {"valid", SplitKind::kValidation},
                                                      {"validation", SplitKind::kValidation},
                                                      {"test", SplitKind::kTest},
                                                      {"Testing", SplitKind::kTest}}) {
    BOOST_CHECK(split_of_folder_name(name) == split);
  }
  BOOST_CHECK(!split_of_folder_name("trainer"));
}

BOOST_AUTO_TEST_CASE(split_folders_place_files_by_their_folder) {
  const auto layout = find_layout(
      scan_of({"Train/a/1", "Train/b/1", "val/a/2", "val/b/2", "testing/a/3", "testing/b/3"}), {},
      "S");
  BOOST_CHECK(layout.kind == LayoutKind::kSplitFolders);
  BOOST_TEST(layout.description == "split folders (Train, val, testing) of class folders");
  std::array<int, kNumSplits> counts{};
  for (const PlacedFile& file : layout.files) ++counts[static_cast<std::size_t>(*file.split)];
  BOOST_CHECK((counts == std::array<int, kNumSplits>{2, 2, 2}));
}

BOOST_AUTO_TEST_CASE(class_folders_leave_the_split_open) {
  for (const PlacedFile& file : find_layout(scan_of({"a/1", "b/1"}), {}, "S").files) {
    BOOST_CHECK(!file.split);
  }
}

BOOST_AUTO_TEST_CASE(a_class_may_be_several_folders_deep) {
  const auto layout = find_layout(
      scan_of({"farm/cow/1", "farm/cow/old/2", "home/cat/3", "home-made/x/4", "home/readme"}),
      {.class_depth = 2}, "S");
  // '-' sorts before '/'.
  BOOST_CHECK(
      (layout.class_names == std::vector<std::string>{"farm/cow", "home-made/x", "home/cat"}));
  BOOST_REQUIRE(layout.files.size() == 4u);
  BOOST_TEST(layout.files[1].class_idx == 0u);
  BOOST_TEST(layout.num_outside == 1u);
  BOOST_TEST(layout.description == "class folders 2 deep");
  const auto split = find_layout(scan_of({"train/a/b/1", "test/a/b/1"}), {.class_depth = 2}, "S");
  BOOST_CHECK((split.class_names == std::vector<std::string>{"a/b"}));
  BOOST_CHECK(split.files[0].split == SplitKind::kTest);
}

BOOST_AUTO_TEST_CASE(folders_that_are_not_so_deep_are_refused) {
  BOOST_CHECK_EXCEPTION(find_layout(scan_of({"a/1", "b/1"}), {.class_depth = 3}, "S"), Error,
                        says("source: S: expected folders of 3 names, found none so deep"));
  BOOST_CHECK_EXCEPTION(find_layout(scan_of({"a/1"}), {.class_depth = 0}, "S"), Error,
                        says("layout: class_depth: expected 1 to 32, found 0"));
}

BOOST_AUTO_TEST_CASE(class_folders_on_request_are_classes_whatever_their_names) {
  const auto layout =
      find_layout(scan_of({"train/a/1", "test/a/1"}), {.choice = LayoutChoice::kClassFolders}, "S");
  BOOST_CHECK((layout.class_names == std::vector<std::string>{"test", "train"}));
  BOOST_CHECK(!layout.files[0].split);
}

BOOST_AUTO_TEST_CASE(split_folders_on_request_leave_other_folders_out) {
  const LayoutRequest request{.choice = LayoutChoice::kSplitFolders};
  const auto layout = find_layout(scan_of({"train/a/1", "val/a/1", "docs/a/x"}), request, "S");
  BOOST_TEST(layout.files.size() == 2u);
  BOOST_TEST(layout.num_outside == 1u);
  // Without training: the classes are those of the split that is there.
  const auto test_only = find_layout(scan_of({"testing/a/1", "testing/b/1"}), request, "S");
  BOOST_CHECK((test_only.class_names == std::vector<std::string>{"a", "b"}));
  BOOST_CHECK(test_only.files[0].split == SplitKind::kTest);
  BOOST_CHECK_EXCEPTION(
      find_layout(scan_of({"cat/1", "dog/1"}), request, "S"), Error,
      says("layout: S: expected a folder train, validation or test, found cat, dog"));
}

BOOST_AUTO_TEST_CASE(a_class_may_be_called_train) {
  const auto layout = find_layout(scan_of({"bus/1", "train/1"}), {}, "S");
  BOOST_CHECK((layout.class_names == std::vector<std::string>{"bus", "train"}));
}

BOOST_AUTO_TEST_CASE(class_lists_that_differ_stop_with_the_difference) {
  BOOST_CHECK_EXCEPTION(
      find_layout(scan_of({"train/a/1", "train/b/1", "test/a/1", "test/c/1"}), {}, "S"), Error,
      [](const Error& error) {
        BOOST_TEST(error.what() ==
                   std::string("classes: S/test: expected the classes of 'train', found "
                               "them without b, in addition c"));
        return error.code() == ErrorCode::kTooManyBad;
      });
}

BOOST_AUTO_TEST_CASE(classes_of_splits_are_united_where_not_all_was_read) {
  FolderScan scan = scan_of({"train/b/1", "test/a/1", "test/c/1"});
  scan.is_cut = true;
  const auto layout = find_layout(scan, {}, "S");
  BOOST_CHECK((layout.class_names == std::vector<std::string>{"a", "b", "c"}));
  BOOST_TEST(layout.files.size() == 3u);
  BOOST_REQUIRE(layout.warnings.size() == 1u);
  BOOST_TEST(layout.warnings[0] ==
             "not all could be read: classes and splits are those of what was; train is without "
             "a, c; test is without b");
}

BOOST_AUTO_TEST_CASE(split_folders_without_training_are_such_where_not_all_was_read) {
  FolderScan scan = scan_of({"test/a/1", "val/a/1"});
  scan.is_cut = true;
  const auto layout = find_layout(scan, {}, "S");
  BOOST_CHECK((layout.class_names == std::vector<std::string>{"a"}));
  BOOST_CHECK(layout.files[0].split == SplitKind::kTest);
  FolderScan classes = scan_of({"cat/1", "test/a/1"});
  classes.is_cut = true;
  BOOST_CHECK(
      (find_layout(classes, {}, "S").class_names == std::vector<std::string>{"cat", "test"}));
}

BOOST_AUTO_TEST_CASE(other_folders_beside_split_folders_stop) {
  BOOST_CHECK_EXCEPTION(find_layout(scan_of({"train/a/1", "docs/x"}), {}, "S"), Error,
                        says("layout: S: expected only split folders beside 'train', found docs"));
  BOOST_CHECK_EXCEPTION(
      find_layout(scan_of({"train/a/1", "val/a/x", "valid/a/x"}), {}, "S"), Error,
      says("layout: S: expected one folder for each split, found a second: valid"));
}

BOOST_AUTO_TEST_CASE(an_empty_class_keeps_its_index) {
  const auto layout = find_layout(scan_of({"a/1", "c/1"}, {"b"}), {}, "S");
  BOOST_CHECK((layout.class_names == std::vector<std::string>{"a", "b", "c"}));
  BOOST_TEST(layout.files[1].class_idx == 2u);
}

BOOST_AUTO_TEST_CASE(a_folder_around_the_class_folders_is_told_of) {
  const auto layout =
      find_layout(scan_of({"photos/cat/1", "photos/cat/x/2", "photos/dog/1"}), {}, "S");
  BOOST_REQUIRE(layout.warnings.size() == 1u);
  BOOST_TEST(layout.warnings[0] ==
             "all pictures of photos lie in folders below it (cat, dog): where those are classes "
             "or splits, name that folder as SOURCE; --class-depth 2 takes them as classes");
  BOOST_TEST(find_layout(scan_of({"photos/cat/1", "photos/2"}), {}, "S").warnings.empty());
  BOOST_TEST(find_layout(scan_of({"photos/2020/1"}), {}, "S").warnings.empty());
  BOOST_TEST(find_layout(scan_of({"a/cat/1", "a/dog/1", "b/1"}), {}, "S").warnings.empty());
}

BOOST_AUTO_TEST_CASE(files_outside_of_class_folders_are_counted) {
  const auto flat = find_layout(scan_of({"a/1", "b/1", "readme", "x.jpg"}), {}, "S");
  BOOST_TEST(flat.num_outside == 2u);
  BOOST_REQUIRE(flat.warnings.size() == 1u);
  BOOST_TEST(flat.warnings[0] ==
             "files that lie in no class folder were left out: 2\n  readme\n  x.jpg");
  const auto split = find_layout(scan_of({"train/a/1", "train/b/1", "train/x", "y"}), {}, "S");
  BOOST_TEST(split.num_outside == 2u);
  BOOST_TEST(split.files.size() == 2u);
}

BOOST_AUTO_TEST_CASE(of_many_files_outside_of_class_folders_ten_are_named) {
  std::vector<std::string> names = {"a/1", "b/1"};
  for (int i = 0; i < 12; ++i) names.push_back("x" + std::to_string(10 + i));
  const auto layout = find_layout(scan_of(names), {}, "S");
  BOOST_TEST(layout.first_outside.size() == 10u);
  BOOST_TEST(layout.warnings.back().ends_with(
      "\n  x19\n  and 2 more; --on outside_classes=quarantine lists them all"));
}

BOOST_AUTO_TEST_CASE(folders_without_classes_or_pictures_are_refused) {
  BOOST_CHECK_EXCEPTION(find_layout({}, {}, "S"), Error,
                        says(std::string("source: S: ") + kShape + ", found an empty folder"));
  BOOST_CHECK_EXCEPTION(
      find_layout(scan_of({"1.jpg", "2.jpg"}), {}, "S"), Error,
      says(std::string("source: S: ") + kShape + ", found 2 files and no folder"));
  BOOST_CHECK_EXCEPTION(find_layout(scan_of({}, {"a", "b"}), {}, "S"), Error,
                        says("source: S: expected pictures in the class folders, found none"));
}

BOOST_AUTO_TEST_CASE(links_are_mentioned_where_they_may_be_the_reason) {
  FolderScan scan;
  scan.skipped.num_symlinks = 3;
  BOOST_CHECK_EXCEPTION(find_layout(scan, {}, "S"), Error,
                        says(std::string("source: S: ") + kShape +
                             ", found an empty folder (symbolic links are not followed, and there "
                             "are 3)"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
