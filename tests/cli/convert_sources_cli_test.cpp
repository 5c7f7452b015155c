// Sources of penstock convert as they are typed: folders, tables, several, and what is none.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include "streamer/core/file.h"
#include "tests/cli/photos_place.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kShape =
    "expected a folder per class (SOURCE/cat/1.jpg), or train/, validation/ and test/ folders of "
    "them";

BOOST_AUTO_TEST_SUITE(convert_sources_cli)

BOOST_AUTO_TEST_CASE(a_missing_source_is_named) {
  const PhotosPlace place;
  check_refused(run_penstock({"convert", place.source, place.dataset}), 1,
                "source: " + place.source + ": expected a folder of pictures, found nothing",
                "check the path: penstock convert SOURCE DATASET");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(a_source_that_is_a_picture_is_refused) {
  const PhotosPlace place;
  write_picture(place.source);
  check_refused(run_penstock({"convert", place.source, place.dataset}), 1,
                "source: " + place.source +
                    ": expected a folder of pictures, an archive of them or a table of their "
                    "paths, found a file of another kind",
                "name the folder that holds the class folders, a tar archive, or a text of paths "
                "and labels");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(an_empty_source_is_refused) {
  const PhotosPlace place;
  fs::create_directory(place.source);
  check_refused(run_penstock({"convert", place.source, place.dataset}), 1,
                "source: " + place.source + ": " + kShape + ", found an empty folder",
                "name the folder that holds the class folders");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(a_source_without_class_folders_is_refused) {
  const PhotosPlace place;
  write_picture(fs::path(place.source) / "1.jpg");
  check_refused(
      run_penstock({"convert", place.source, place.dataset}), 1,
      "source: " + place.source + ": " + kShape + ", found 1 file and no folder",
      "put the pictures of each class into a folder named after the class, or name a table "
      "of paths and labels: --labels FILE");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(classes_without_a_picture_are_warned_of_whatever_the_source) {
  const PhotosPlace place;
  write_picture(fs::path(place.source) / "1.jpg");
  write_picture(fs::path(place.source) / "2.jpg", {.seed = 2});
  const std::string table = (fs::path(place.source) / "labels.csv").string();
  write_file(table, "path,label\n1.jpg,0\n2.jpg,3\n");
  const std::string names = (place.folder.path() / "names.txt").string();
  write_file(names, "cat\ndog\neel\nfox\n");
  const CommandResult result =
      run_penstock({"convert", table, place.dataset, "--class-names", names});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err,
                      "warning: 2 of 4 classes have no picture and keep their class index: "
                      "'dog', 'eel'\n"),
             result.err);
}

BOOST_AUTO_TEST_CASE(a_table_of_labels_becomes_a_dataset_and_what_does_not_fit_is_listed) {
  const PhotosPlace place;
  const fs::path source = place.source;
  for (std::uint32_t i = 0; i < 6; ++i) {
    write_picture(source / (std::to_string(i) + ".jpg"), {.seed = i});
  }
  const std::string table = (place.folder.path() / "labels.csv").string();
  write_file(table,
             "\xEF\xBB\xBFid;breed;set\r\n0;\"cat; tame\";train\r\n1;dog;val\r\n2;;train\r\n"
             "7;dog;train\r\n1;dog;val\r\n/3;dog;train\r\n4;dog;train\r\n");
  const CommandResult result = run_penstock(
      {"convert", place.source, place.dataset, "--labels", table, "--label-column", "breed"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err, place.source +
                                      ": files with labels in the CSV labels.csv, 2 classes, 3 "
                                      "files\n"));
  BOOST_TEST(contains(result.err,
                      "1 row_without_image, listed in quarantine.csv:\n  7 "
                      "(labels.csv:5)\n"));
  BOOST_TEST(contains(result.out, "3 samples in 2 classes"));
  // 2.jpg has a row, though without a label.
  BOOST_TEST(read_text_file(place.dataset + "/quarantine.csv") ==
             "path,reason,bytes,detail\n"
             "/3,unsafe_path,0,labels.csv:7: leads out of the folder\n"
             "1,row_repeated,0,labels.csv:6: an earlier row says the same\n"
             "2,row_without_label,0,labels.csv:4\n"
             "3.jpg,image_without_row," +
                 std::to_string(fs::file_size(source / "3.jpg")) +
                 ",\n"
                 "5.jpg,image_without_row," +
                 std::to_string(fs::file_size(source / "5.jpg")) +
                 ",\n"
                 "7,row_without_image,0,labels.csv:5\n");
  const std::string manifest = read_text_file(place.dataset + "/dataset.json");
  BOOST_TEST(contains(manifest, "\"cat; tame\""));
  BOOST_TEST(contains(manifest, "\"label_column\": \"breed\""));
}

BOOST_AUTO_TEST_CASE(rows_without_a_label_become_samples_of_no_class_on_request) {
  const PhotosPlace place;
  for (const char* name : {"1.jpg", "2.jpg"}) write_picture(fs::path(place.source) / name);
  write_file(place.source + "/l.jsonl",
             "{\"path\":\"1.jpg\",\"label\":\"cat\"}\n"
             "{\"path\":\"2.jpg\"}\n");
  const CommandResult result = run_penstock({"convert", place.source + "/l.jsonl", place.dataset,
                                             "--unlabelled", "keep", "--validation-split", "0"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.out, "2 samples in 1 class"));
  BOOST_TEST(run_penstock({"inspect", place.dataset}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(several_sources_become_one_dataset_under_other_class_names) {
  const PhotosPlace place;
  write_picture(place.source + "/n1/1.jpg");
  write_picture(place.source + "/n2/1.jpg");
  write_picture(fs::path(place.folder.path() / "more/n2/1.jpg"), {.seed = 5});
  write_file(place.folder.path() / "more/list.txt", "n2/1.jpg 0\n");
  const std::string more = (place.folder.path() / "more").string();
  const std::string names = (place.folder.path() / "names.csv").string();
  write_file(names, "n1,zebra\nn2,ant\n");
  const CommandResult result =
      run_penstock({"convert", place.source, more, place.dataset, "--class-names", names,
                    "--stratify", "--validation-split", "0.5"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(
      contains(result.err, "photos: class folders; more: class folders, 2 classes, 3 files"));
  BOOST_TEST(contains(result.err, "validation: 50 %: 1 of 3 (exact in each class"));
  const std::string manifest = read_text_file(place.dataset + "/dataset.json");
  BOOST_TEST(manifest.find("\"ant\"") < manifest.find("\"zebra\""));
  check_refused(
      run_penstock({"convert", place.source, more, more + "/ds"}), 1,
      "dataset: " + more + "/ds: expected a place outside of " + more + ", found one inside",
      "name a DATASET beside SOURCE");
  check_refused(run_penstock({"convert", place.source, more, more + "2", "--labels", names}), 2,
                "convert: sources beside labels: expected 1, found 2",
                "convert each table as a source of its own: penstock convert a/labels.csv "
                "b/labels.csv DATASET");
}

BOOST_AUTO_TEST_CASE(a_deeper_class_and_a_layout_are_chosen) {
  const PhotosPlace place;
  write_picture(place.source + "/train/cat/1.jpg");
  write_picture(place.source + "/other/dog/1.jpg");
  const CommandResult deep =
      run_penstock({"convert", place.source, place.dataset, "--layout", "class-folders",
                    "--class-depth", "2", "--validation-split", "0"});
  BOOST_TEST(deep.exit_code == 0);
  BOOST_TEST(contains(deep.err, "class folders 2 deep, 2 classes"));
  check_refused(run_penstock({"convert", "a", "b", "--layout", "tree"}), 2,
                "--layout: expected auto, class-folders, flat, split-folders, found 'tree'",
                "--layout auto");
}

BOOST_AUTO_TEST_CASE(class_lists_that_differ_stop_it) {
  const PhotosPlace place;
  for (const char* path : {"train/cat/1.jpg", "train/dog/1.jpg", "test/cat/1.jpg"}) {
    write_picture(fs::path(place.source) / path);
  }
  check_refused(
      run_penstock({"convert", place.source, place.dataset}), 3,
      "classes: " + place.source + "/test: expected the classes of 'train', found them without dog",
      "make the class folders equal in every split; an empty folder keeps a class");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(one_class_only_is_a_warning) {
  const PhotosPlace place;
  for (const char* path : {"cat/1.jpg", "cat/2.jpg"}) write_picture(fs::path(place.source) / path);
  const CommandResult result =
      run_penstock({"convert", place.source, place.dataset, "--validation-split", "0"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(
      contains(result.err, "warning: there is only one class (cat): nothing to tell apart\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
