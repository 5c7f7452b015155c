#include "tools/convert/source/row_match.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/tools/convert/table/table_error.h"

namespace penstock::convert {
namespace {

FolderScan scan_of(std::vector<std::string> paths) {
  FolderScan scan;
  std::ranges::sort(paths);
  for (const std::string& path : paths) scan.files.push_back({path, 10});
  return scan;
}

RowMatch match(const FolderScan& scan, const std::string& text,
               UnlabelledRows unlabelled = UnlabelledRows::kQuarantined,
               TableKind kind = TableKind::kCsv) {
  const auto table = open_table_text(text, "dir/t.csv", kind, {});
  return match_rows(scan, *table, unlabelled, "t.csv", {});
}

std::vector<std::string> listed(const RowMatch& match) {
  std::vector<std::string> all;
  for (const QuarantineEntry& one : match.findings) {
    all.push_back(one.path + " " + std::string(reason_code_name(one.reason)) + " " + one.detail);
  }
  return all;
}

using Lines = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(row_match)

BOOST_AUTO_TEST_CASE(files_get_the_class_and_split_of_their_row_in_any_order) {
  const RowMatch found =
      match(scan_of({"1.jpg", "2.jpg", "3.jpg"}),
            "path,label,split\n3.jpg,cat,test\n./1.jpg,zebra,\n2.jpg,cat,train\n");
  BOOST_CHECK((found.class_names == Lines{"cat", "zebra"}));
  BOOST_CHECK((found.class_where == Lines{"t.csv:2", "t.csv:3"}));
  BOOST_TEST(found.files[0].class_idx == 1u);
  BOOST_TEST(found.files[1].class_idx == 0u);
  BOOST_TEST(found.files[2].class_idx == 0u);
  BOOST_CHECK(!found.files[0].split);
  BOOST_CHECK(found.files[2].split == SplitKind::kTest);
  BOOST_TEST(found.num_rows == 3u);
  BOOST_TEST(found.findings.empty());
}

BOOST_AUTO_TEST_CASE(a_line_of_json_that_cannot_be_read_is_one_finding) {
  const RowMatch found = match(scan_of({"1.jpg", "2.jpg"}),
                               "{\"label\": \"cat\"}\n"
                               "{\"path\": \"1.jpg\", \"label\": \"cat\"}\n"
                               "{\"path\": \"2.jpg\", \"label\": [1]}\n"
                               "{\"path\": \"2.jpg\", \"lab",
                               UnlabelledRows::kQuarantined, TableKind::kJsonLines);
  BOOST_CHECK((listed(found) ==
               Lines{" row_without_image t.csv:1: expected a key for the path, found label",
                     "2.jpg row_without_label t.csv:3: expected a text or a whole number as "
                     "'label', found array",
                     " row_without_image t.csv:4: expected a JSON object, found no JSON"}));
  BOOST_TEST(found.num_damaged == 3u);
  BOOST_TEST(found.first_damaged == "t.csv:1: expected a key for the path, found label");
  BOOST_TEST(found.files[0].is_picture);
  BOOST_TEST(found.files[1].has_row);
  BOOST_TEST(!found.files[1].is_picture);
}

BOOST_AUTO_TEST_CASE(a_zero_byte_in_a_label_or_a_path_costs_its_own_row) {
  const RowMatch found = match(scan_of({"1.jpg", "2.jpg"}),
                               "{\"path\": \"1.jpg\", \"label\": \"cat\"}\n"
                               "{\"path\": \"2.jpg\", \"label\": \"c\\u0000t\"}\n"
                               "{\"path\": \"3\\u0000.jpg\", \"label\": \"cat\"}\n",
                               UnlabelledRows::kQuarantined, TableKind::kJsonLines);
  const std::string path("3\0.jpg", 6);
  BOOST_CHECK(
      (listed(found) == Lines{"2.jpg unknown_label t.csv:2: a label with a zero byte",
                              path + " row_without_image t.csv:3: a path with a zero byte"}));
  BOOST_CHECK((found.class_names == Lines{"cat"}));
  BOOST_TEST(!found.files[1].is_picture);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_row_is_listed_with_its_line) {
  const RowMatch found = match(scan_of({"1.jpg", "2.jpg", "3.jpg", "4.jpg"}),
                               "path,label\n"
                               "1.jpg,cat\n"
                               "2.jpg,\n"
                               "9.jpg,cat\n"
                               "1.jpg,cat\n"
                               "1.jpg,dog\n"
                               "/etc/passwd,cat\n"
                               "../4.jpg,cat\n"
                               ",cat\n");
  BOOST_CHECK(
      (listed(found) ==
       Lines{"2.jpg row_without_label t.csv:3", "9.jpg row_without_image t.csv:4",
             "1.jpg row_repeated t.csv:5: an earlier row says the same",
             "1.jpg row_repeated t.csv:6: label 'dog', an earlier row that counts has 'cat'",
             "/etc/passwd unsafe_path t.csv:7: leads out of the folder",
             "../4.jpg unsafe_path t.csv:8: leads out of the folder",
             " row_without_image t.csv:9: no path"}));
  BOOST_TEST(found.files[0].is_picture);
  BOOST_TEST(found.files[1].has_row);
  BOOST_TEST(!found.files[1].is_picture);
  BOOST_TEST(!found.files[3].has_row);
  BOOST_TEST(found.first_unmatched == "9.jpg");
  BOOST_CHECK((found.class_names == Lines{"cat"}));
}

BOOST_AUTO_TEST_CASE(rows_without_a_label_are_kept_on_request) {
  const RowMatch found =
      match(scan_of({"1.jpg", "2.jpg"}), "path,label\n1.jpg,\n2.jpg,cat\n", UnlabelledRows::kKept);
  BOOST_TEST(found.files[0].is_picture);
  BOOST_TEST(found.files[0].class_idx == kUnlabelled);
  BOOST_TEST(found.files[1].class_idx == 0u);
  BOOST_TEST(found.findings.empty());
}

BOOST_AUTO_TEST_CASE(a_missing_extension_is_tried_and_two_that_fit_are_refused) {
  const RowMatch found =
      match(scan_of({"a.JPG", "a.txt", "b.jpg", "b.png", "b.v2.jpg", "c.jpg.jpg", "d.jpg/1"}),
            "id,label\na,x\nb,x\nb.v2,x\nc.jpg,x\nd,x\n");
  BOOST_TEST(found.files[0].has_row);
  BOOST_TEST(found.files[4].has_row);
  BOOST_CHECK(
      (listed(found) == Lines{"b row_without_image t.csv:3: b.jpg and b.png",
                              "c.jpg row_without_image t.csv:5", "d row_without_image t.csv:6"}));
}

BOOST_AUTO_TEST_CASE(a_list_takes_the_path_that_is_there) {
  const RowMatch found =
      match(scan_of({"cat/1.jpg", "cat/2 0", "cat/2", "3.jpg"}), "cat/1.jpg 7\ncat/2 0\n3.jpg\n",
            UnlabelledRows::kQuarantined, TableKind::kList);
  BOOST_CHECK((found.class_names == Lines{"7", "cat"}));
  BOOST_TEST(found.files[1].class_idx == 0u);  // cat/1.jpg
  BOOST_TEST(found.files[3].class_idx == 1u);  // "cat/2 0" is a file
  BOOST_CHECK((listed(found) == Lines{"3.jpg row_without_label t.csv:3"}));
}

// 100,000 classes, each of one row: sorted by bytes, found again.
BOOST_AUTO_TEST_CASE(a_hundred_thousand_classes_are_as_good_as_ten) {
  constexpr std::uint32_t kNumClasses = 100'000;
  std::vector<std::string> paths;
  std::string text = "path,label\n";
  for (std::uint32_t i = 0; i < kNumClasses; ++i) {
    const std::string number = std::to_string(i);
    paths.push_back(number + ".jpg");
    text += paths.back() + ",class " + number + "\n";
  }
  const FolderScan scan = scan_of(paths);
  const RowMatch found = match(scan, text);
  BOOST_REQUIRE(found.class_names.size() == kNumClasses);
  BOOST_TEST(std::ranges::is_sorted(found.class_names));
  for (std::uint32_t i = 0; i < kNumClasses; i += 997) {
    const std::string& path = scan.files[i].path;
    BOOST_REQUIRE(found.class_names[found.files[i].class_idx] ==
                  "class " + path.substr(0, path.size() - 4));
  }
}

BOOST_AUTO_TEST_CASE(a_row_that_is_wrong_alone_costs_its_own_picture) {
  const RowMatch found = match(scan_of({"1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg"}),
                               "path,label,split\n"
                               "1.jpg,cat,train\n"
                               "2.jpg,cat\n"
                               "3.jpg,cat,dev\n"
                               "4.jpg," +
                                   std::string(4097, 'x') +
                                   ",\n"
                                   "5.jpg,  ,test\n"
                                   "a/../6.jpg,dog,test\n");
  BOOST_CHECK((listed(found) ==
               Lines{"2.jpg row_without_label t.csv:3: expected 3 fields as in the first line, "
                     "found 2 (one that holds the delimiter stands in quotes)",
                     "3.jpg unknown_split t.csv:4: expected train, val, valid, validation, test or "
                     "testing as split, found 'dev'",
                     "4.jpg unknown_label t.csv:5: a label of 4097 bytes, a class has at most 4096",
                     "5.jpg row_without_label t.csv:6"}));
  BOOST_CHECK((found.class_names == Lines{"cat", "dog"}));
  for (const RowOfFile& file : found.files) BOOST_TEST(file.has_row);
  BOOST_TEST(std::ranges::count(found.files, true, &RowOfFile::is_picture) == 2);
}

BOOST_AUTO_TEST_CASE(labels_that_would_be_one_class_are_refused) {
  const FolderScan scan = scan_of({"1.jpg", "2.jpg"});
  BOOST_CHECK_EXCEPTION(
      match(scan, "path,label\n1.jpg,caf\xE9\n2.jpg,caf\\xe9\n"), Error,
      tests::table_error(ErrorCode::kInvalidArgument,
                         "classes: t.csv:3: expected different names in the "
                         "dataset, found two labels that would both be 'caf\\xe9'"));
  const RowMatch longest = match(scan, "path,label\n1.jpg," + std::string(4096, 'x') + "\n");
  BOOST_TEST(longest.findings.empty());
}

// The same letter composed and decomposed: two names, both as they are.
BOOST_AUTO_TEST_CASE(names_of_any_script_are_kept_as_bytes) {
  const RowMatch found =
      match(scan_of({"1.jpg", "2.jpg"}), "path,label\n1.jpg,\xC3\xA4\n2.jpg,a\xCC\x88\n");
  BOOST_CHECK((found.class_names == Lines{"a\xCC\x88", "\xC3\xA4"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
