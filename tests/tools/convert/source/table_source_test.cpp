#include "tools/convert/source/table_source.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/convert/table/table_error.h"
#include "tests/tools/picture_folder.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::write_file;
using tests::write_picture;
using Lines = std::vector<std::string>;

struct Place {
  tests::TemporaryFolder folder;
  fs::path photos = folder.path() / "photos";

  SourceScan scan(const fs::path& table, TableScope scope,
                  UnlabelledRows unlabelled = UnlabelledRows::kQuarantined) const {
    return scan_table_source(
        {.folder = photos, .table = table, .scope = scope, .unlabelled = unlabelled}, {});
  }
};

Lines pictures_of(const SourceScan& scan) {
  Lines all;
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    const ListedPicture one = scan.pictures[i];
    all.push_back(std::string(one.name) + "=" +
                  (one.class_idx == kUnlabelled ? "" : scan.class_names[one.class_idx]));
  }
  return all;
}

Lines findings_of(const SourceScan& scan) {
  Lines all;
  for (const QuarantineEntry& one : scan.findings) {
    all.push_back(one.path + " " + std::string(reason_code_name(one.reason)));
  }
  return all;
}

BOOST_AUTO_TEST_SUITE(table_source)

BOOST_AUTO_TEST_CASE(a_flat_folder_and_its_table_are_matched_both_ways) {
  const Place place;
  for (const char* name : {"1.jpg", "2.jpg", "deep/3.jpg", "no_row.jpg"}) {
    write_picture(place.photos / name);
  }
  write_file(place.photos / "readme.txt", "text");
  write_file(place.photos / "labels.csv",
             "image,class\n1.jpg,dog\ndeep/3.jpg,cat\n2.jpg,dog\nmissing.jpg,cat\n");
  const SourceScan scan = place.scan(place.photos / "labels.csv", TableScope::kFolder);
  BOOST_CHECK((pictures_of(scan) == Lines{"1.jpg=dog", "2.jpg=dog", "deep/3.jpg=cat"}));
  BOOST_CHECK((findings_of(scan) ==
               Lines{"missing.jpg row_without_image", "no_row.jpg image_without_row"}));
  BOOST_TEST(scan.num_outside == 1u);  // readme.txt; the table itself counts as nothing
  BOOST_TEST(scan.settings.at("layout") == "table");
  BOOST_TEST(scan.settings.at("label_column") == "class");
  SourcePicture picture;
  scan.source->read(scan.pictures[0], picture);
  BOOST_CHECK(picture.bytes == tests::picture_jpeg({}));
}

BOOST_AUTO_TEST_CASE(json_lines_without_one_row_that_can_be_read_say_how_a_line_looks) {
  const Place place;
  write_picture(place.photos / "1.jpg");
  write_file(place.photos / "labels.jsonl", "{\"label\": \"cat\"}\n{\"path\": \n");
  BOOST_CHECK_EXCEPTION(
      place.scan(place.photos / "labels.jsonl", TableScope::kFolder), Error,
      [](const Error& error) {
        const std::string what = error.what();
        BOOST_TEST(
            what.ends_with("expected rows of pictures, found 2 rows that cannot be read, the "
                           "first labels.jsonl:1: expected a key for the path, found label"));
        BOOST_TEST(error.hint().starts_with("each line is one object: {\"path\": \"1.jpg\""));
        return error.code() == ErrorCode::kInvalidArgument;
      });
}

BOOST_AUTO_TEST_CASE(a_list_looks_up_what_it_names_and_nothing_else) {
  const Place place;
  for (const char* name : {"cat/1.jpg", "cat/2.jpg", "dog/3.jpg", "dog/4.PNG"}) {
    write_picture(place.photos / name);
  }
  fs::create_symlink("1.jpg", place.photos / "cat/link.jpg");
  fs::create_symlink("cat", place.photos / "linked");
  write_file(place.photos / "list.txt",
             "cat/1.jpg\ndog/3.jpg\ndog/4\ncat/link.jpg\nlinked/1.jpg\ncat/1.jpg\ndog\n");
  const SourceScan scan = place.scan(place.photos / "list.txt", TableScope::kRows);
  BOOST_CHECK((pictures_of(scan) == Lines{"cat/1.jpg=cat", "dog/3.jpg=dog", "dog/4.PNG=dog"}));
  BOOST_CHECK((findings_of(scan) == Lines{"cat/link.jpg row_without_image",
                                          "linked/1.jpg row_without_image",
                                          "cat/1.jpg row_repeated", "dog row_without_image"}));
  BOOST_TEST(scan.skipped.num_symlinks == 1u);
  BOOST_TEST(scan.description == "files of the list list.txt");
}

// Both scopes are the same where every file has its row.
BOOST_AUTO_TEST_CASE(looking_up_and_looking_through_find_the_same) {
  const Place place;
  tests::write_cats_and_dogs(place.photos, 10);
  std::string list;
  for (int i = 9; i >= 0; --i) {
    list +=
        "dog/" + std::to_string(i) + "\nignored folder/../x\ncat/" + std::to_string(i) + ".jpg 0\n";
  }
  write_file(place.folder.path() / "list.txt", list);
  const SourceScan by_rows = place.scan(place.folder.path() / "list.txt", TableScope::kRows);
  const SourceScan by_folder = place.scan(place.folder.path() / "list.txt", TableScope::kFolder);
  BOOST_CHECK(pictures_of(by_rows) == pictures_of(by_folder));
  BOOST_TEST(by_rows.pictures.size() == 20u);
  BOOST_CHECK(findings_of(by_rows) == findings_of(by_folder));
  BOOST_TEST(by_rows.findings.size() == 10u);
}

BOOST_AUTO_TEST_CASE(pictures_without_a_label_are_kept_on_request) {
  const Place place;
  write_picture(place.photos / "1.jpg");
  write_picture(place.photos / "2.jpg");
  write_file(place.photos / "t.jsonl",
             "{\"path\": \"1.jpg\"}\n{\"path\": \"2.jpg\", \"label\": \"cat\"}\n");
  BOOST_CHECK((pictures_of(place.scan(place.photos / "t.jsonl", TableScope::kFolder,
                                      UnlabelledRows::kKept)) == Lines{"1.jpg=", "2.jpg=cat"}));
}

BOOST_AUTO_TEST_CASE(a_table_that_fits_no_picture_is_refused_with_its_first_path) {
  const Place place;
  write_picture(place.photos / "1.jpg");
  const auto check = [&](const std::string& text, const std::string& message) {
    const fs::path table = place.folder.path() / "t.csv";
    write_file(table, text);
    BOOST_CHECK_EXCEPTION(place.scan(table, TableScope::kFolder), Error,
                          tests::table_error(ErrorCode::kInvalidArgument,
                                             "table: " + table.string() + ": " + message));
  };
  check("path,label\nphotos/1.jpg,cat\n", "expected paths of pictures beneath " +
                                              place.photos.string() +
                                              ", found none among 1 row, the first 'photos/1.jpg'");
  check("path,label\n1.jpg,\n", "expected rows with a label, found none among 1 row");
  check("path,label\n", "expected rows of pictures, found none");
}

BOOST_AUTO_TEST_CASE(numbers_as_labels_are_warned_of_where_their_order_changes) {
  const Place place;
  std::string text = "path,label\n";
  for (int i = 0; i < 11; ++i) {
    write_picture(place.photos / (std::to_string(i) + ".jpg"));
    text += std::to_string(i) + ".jpg," + std::to_string(i) + "\n";
  }
  write_file(place.folder.path() / "t.csv", text);
  const SourceScan scan = place.scan(place.folder.path() / "t.csv", TableScope::kFolder);
  BOOST_REQUIRE(scan.warnings.size() == 1u);
  BOOST_TEST(
      scan.warnings[0] ==
      "labels are numbers and sorted as texts (0, 1, 10, ...): --class-names FILE names them "
      "and keeps their order");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
