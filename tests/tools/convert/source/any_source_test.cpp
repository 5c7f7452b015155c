#include "tools/convert/source/any_source.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/convert/source/array_files.h"
#include "tests/tools/convert/table/table_error.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/source/source_check.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

struct Place {
  Place() {
    tests::write_cats_and_dogs(photos, 2);
    tests::write_file(table, "path,label\ncat/0.jpg,x\ndog/1.jpg,y\n");
  }
  tests::TemporaryFolder folder;
  fs::path photos = folder.path() / "photos";
  fs::path table = photos / "t.csv";
};

void check_refused(const SourceRequest& request, const std::string& message) {
  const std::vector<SourceRequest> requests = {request};
  BOOST_CHECK_EXCEPTION(check_sources(requests), Error,
                        tests::table_error(ErrorCode::kInvalidArgument, message));
}

BOOST_AUTO_TEST_SUITE(any_source)

BOOST_AUTO_TEST_CASE(a_folder_a_table_and_a_folder_with_a_table_are_sources) {
  const Place place;
  BOOST_TEST(scan_source({.path = place.photos}, {}).pictures.size() == 4u);
  BOOST_TEST(scan_source({.path = place.table}, {}).pictures.size() == 2u);
  const SourceScan both = scan_source({.path = place.photos, .labels = place.table}, {});
  BOOST_TEST(both.pictures.size() == 2u);
  BOOST_TEST(both.findings.size() == 2u);  // the others have no row
}

BOOST_AUTO_TEST_CASE(options_that_would_do_nothing_are_refused) {
  const Place place;
  const std::string photos = place.photos.string();
  check_refused({.path = place.photos, .layout = {.choice = LayoutChoice::kFlat}},
                "layout: " + photos + ": expected a table of labels for a flat folder, found none");
  check_refused({.path = place.photos, .layout = {.class_depth = 2}, .labels = place.table},
                "layout: " + photos + ": expected classes from folders, found a table of them");
  check_refused({.path = place.photos, .table = {.label_column = "breed"}},
                "table: " + photos + ": expected a table to read columns of, found a folder");
  check_refused({.path = place.table, .labels = place.table},
                "source: " + place.table.string() + ": expected a folder for the table " +
                    place.table.string() + ", found a file");
}

BOOST_AUTO_TEST_CASE(a_list_has_no_columns_to_name) {
  const Place place;
  const fs::path list = place.photos / "list.txt";
  tests::write_file(list, "cat/0.jpg x\ndog/1.jpg y\n");
  BOOST_TEST(scan_source({.path = list}, {}).pictures.size() == 2u);
  const SourceRequest request{.path = list, .table = {.label_column = "breed"}};
  BOOST_CHECK_EXCEPTION(
      scan_source(request, {}), Error,
      tests::table_error(
          ErrorCode::kInvalidArgument,
          "table: " + list.string() + ": expected a table to read columns of, found a list"));
  // Beside a table with such a column it may stand.
  const fs::path table = place.photos / "breeds.csv";
  tests::write_file(table, "path,breed\ncat/1.jpg,x\n");
  const std::vector<SourceRequest> both = {request,
                                           {.path = table, .table = {.label_column = "breed"}}};
  BOOST_TEST(scan_sources(both, {}).pictures.size() == 3u);
}

BOOST_AUTO_TEST_CASE(options_of_folders_may_stand_where_one_of_several_sources_has_folders) {
  const Place place;
  tests::write_picture(place.folder.path() / "deep/animals/cat/1.jpg");
  const SourceRequest table{.path = place.table, .layout = {.class_depth = 2}};
  const SourceRequest folder{.path = place.folder.path() / "deep", .layout = {.class_depth = 2}};
  const std::vector<SourceRequest> both = {folder, table};
  check_sources(both);
  BOOST_TEST(scan_sources(both, {}).class_names.size() == 3u);
  BOOST_CHECK_THROW(scan_source(table, {}), Error);
}

BOOST_AUTO_TEST_CASE(a_depth_that_is_no_wish_is_passed_over_where_classes_are_no_folders) {
  const Place place;
  const SourceRequest request{.path = place.table,
                              .layout = {.class_depth = 2, .inherits_depth = true}};
  const std::vector<SourceRequest> requests = {request};
  check_sources(requests);
  BOOST_TEST(scan_source(request, {}).pictures.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_zip_of_anything_but_arrays_is_to_be_unzipped) {
  const Place place;
  const std::string pictures = tests::zip_file({{.name = "cat/0.jpg", .bytes = "picture"}});
  // With a directory that is no npz's too.
  for (const std::string& zip : {pictures, pictures.substr(0, pictures.size() - 10)}) {
    const fs::path path = place.folder.path() / "my photos.zip";
    tests::write_file(path, zip);
    const std::string name = path.string();
    const std::string folder = "'" + name.substr(0, name.size() - 4) + "'";
    const std::vector<SourceRequest> requests = {{.path = path}};
    BOOST_CHECK_EXCEPTION(check_sources(requests), Error, [&](const Error& error) {
      BOOST_TEST(std::string(error.what()).ends_with("found a zip file"));
      BOOST_TEST(error.hint() ==
                 "unzip it first: unzip '" + name + "' -d " + folder + "; then name " + folder);
      return error.code() == ErrorCode::kInvalidArgument;
    });
  }
  const fs::path npz = place.folder.path() / "x.npz";
  tests::write_file(npz, pictures.substr(0, pictures.size() - 10));
  const std::vector<SourceRequest> requests = {{.path = npz}};
  BOOST_CHECK_EXCEPTION(check_sources(requests), Error, [](const Error& error) {
    return error.code() == ErrorCode::kCorruptData;  // what is wrong with it
  });
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_text_is_refused) {
  const Place place;
  const fs::path picture = place.photos / "cat/0.jpg";
  check_refused({.path = picture}, "source: " + picture.string() +
                                       ": expected a folder of pictures, an archive of them or a "
                                       "table of their paths, found a file of another kind");
  check_refused({.path = place.photos, .labels = picture},
                "labels: " + picture.string() +
                    ": expected a table or a list of text, found a file of another kind");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
