#include "tools/convert/source/class_name_file.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "streamer/core/batch.h"
#include "tests/tools/convert/table/table_error.h"

namespace penstock::convert {
namespace {

using Lines = std::vector<std::string>;
using tests::table_error;

ClassNameFile read(std::string_view text) {
  return read_class_names(TextInput(text, "n.txt"));
}

Lines pairs(const ClassNameFile& file) {
  Lines all;
  for (const ClassName& one : file.names) all.push_back(one.key + "=" + one.name);
  return all;
}

// One picture of each class, and one of none.
SourceScan scan_of(const Lines& class_names) {
  SourceScan scan;
  scan.class_names = class_names;
  for (std::uint32_t i = 0; i < class_names.size(); ++i) {
    scan.pictures.add({.name = class_names[i], .class_idx = i, .split = std::nullopt});
    scan.class_where.push_back("t.csv:" + std::to_string(i + 2));
  }
  scan.pictures.add({.name = "?", .class_idx = kUnlabelled, .split = std::nullopt});
  return scan;
}

Lines renamed(const Lines& class_names, std::string_view text) {
  SourceScan scan = scan_of(class_names);
  rename_classes(scan, read(text));
  Lines all = scan.class_names;
  all.push_back("|");
  for (std::size_t i = 0; i + 1 < scan.pictures.size(); ++i) {
    const ListedPicture one = scan.pictures[i];
    all.push_back(std::string(one.name) + "=" + scan.class_names.at(one.class_idx));
  }
  BOOST_TEST(scan.pictures[class_names.size()].class_idx == kUnlabelled);
  return all;
}

BOOST_AUTO_TEST_SUITE(class_name_file)

BOOST_AUTO_TEST_CASE(all_three_forms_are_read) {
  BOOST_CHECK((pairs(read("wnid,name\nn01440764,\"tench, Tinca tinca\"\nn01443537,goldfish\n")) ==
               Lines{"n01440764=tench, Tinca tinca", "n01443537=goldfish"}));
  BOOST_CHECK((pairs(read("n01440764 tench, Tinca tinca\nn01443537 goldfish")) ==
               Lines{"n01440764=tench, Tinca tinca", "n01443537=goldfish"}));
  BOOST_CHECK((pairs(read("tench, Tinca tinca\r\ngoldfish\r\n")) ==
               Lines{"0=tench, Tinca tinca", "1=goldfish"}));
  BOOST_CHECK((pairs(read("007\tcat\n1\tdog")) == Lines{"7=cat", "1=dog"}));
  BOOST_TEST(read("007;cat").is_by_index);
  BOOST_TEST(!read("7a;cat").is_by_index);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_the_file_is_named_by_its_line) {
  const auto check = [](std::string_view text, const std::string& message) {
    BOOST_CHECK_EXCEPTION(read(text), Error,
                          table_error(ErrorCode::kCorruptData, "table: n.txt" + message));
  };
  check("", ": expected names of classes, found none");
  check("a,cat\nb\n", ":2: expected a key and a name, found 1 fields");
  check("a,cat\nb,\n", ":2: expected a key and a name, found an empty one");
  check("1,cat\n2,dog\n01,cow\n", ":3: expected each key once, found '1' as on line 1");
  // Passed over, it would give all names behind it another number.
  check("cat\n\ndog\n", ":2: expected a name, found an empty line");
  BOOST_TEST(read("cat\ndog\n\n").names.size() == 2u);
}

BOOST_AUTO_TEST_CASE(sources_whose_labels_are_numbers_take_a_name_for_each_number) {
  BOOST_CHECK((names_by_index(read("cat\r\ndog\n\xE7\x8C\xAB\n\n")) ==
               Lines{"cat", "dog", "\xE7\x8C\xAB"}));
  BOOST_CHECK((names_by_index(read("10,k\n1,b\n0,\"a, small\"\n2,c\n3,d\n4,e\n5,f\n6,g\n7,h\n"
                                   "8,i\n9,j\n")) ==
               Lines{"a, small", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}));
  const auto refused = [](std::string_view text, const std::string& message) {
    BOOST_CHECK_EXCEPTION(names_by_index(read(text)), Error,
                          table_error(ErrorCode::kInvalidArgument, "classes: n.txt" + message));
  };
  refused("0,cat\n2,dog\n", ": expected a name for every index, found none for 1");
  refused("cat\ndog\ncat\n", ":3: expected different names, found a second 'cat'");
  refused("n1,cat\n",
          ": expected whole numbers before the names of labels that are numbers, found 'n1'");
}

BOOST_AUTO_TEST_CASE(by_key_classes_are_sorted_by_their_new_names) {
  BOOST_CHECK((renamed({"n1", "n2", "n3"}, "n1,zebra\nn2,ant\nn3,cow\nn4,not here\n") ==
               Lines{"ant", "cow", "zebra", "|", "n1=zebra", "n2=ant", "n3=cow"}));
}

BOOST_AUTO_TEST_CASE(by_index_classes_keep_the_order_of_numbers_and_none_is_left_out) {
  BOOST_CHECK((renamed({"10", "2"}, "10,ant\n9,bee\n2,zebra\n") ==
               Lines{"zebra", "bee", "ant", "|", "10=ant", "2=zebra"}));
  BOOST_CHECK((renamed({"0", "cow"}, "zebra\nant\ncow\n") ==
               Lines{"zebra", "ant", "cow", "|", "0=zebra", "cow=cow"}));
  SourceScan scan = scan_of({"1"});
  rename_classes(scan, read("zebra\nant\ncow\n"));
  BOOST_TEST(scan.class_names.size() == 3u);
  BOOST_TEST(scan.settings.at("class_names") == "by index");
}

BOOST_AUTO_TEST_CASE(an_unknown_class_is_named_by_the_row_that_first_uses_it) {
  const auto check = [](const Lines& classes, std::string_view text, const std::string& found) {
    SourceScan scan = scan_of(classes);
    BOOST_CHECK_EXCEPTION(rename_classes(scan, read(text)), Error,
                          table_error(ErrorCode::kInvalidArgument, "classes: " + found));
  };
  check({"a", "b"}, "a,cat\n", "t.csv:3: expected a class that n.txt knows, found 'b'");
  check({"0", "2"}, "cat\ndog\n", "t.csv:3: expected a class that n.txt knows, found '2'");
  check({"cow"}, "cat\ndog\n", "t.csv:2: expected a class that n.txt knows, found 'cow'");
  SourceScan folders = scan_of({"b"});
  folders.class_where.clear();
  BOOST_CHECK_EXCEPTION(rename_classes(folders, read("a,cat\n")), Error,
                        table_error(ErrorCode::kInvalidArgument,
                                    "classes: expected a class that n.txt knows, found 'b'"));
}

// ImageNet's n02012849 and n03126707 are both a crane.
BOOST_AUTO_TEST_CASE(two_classes_do_not_become_one) {
  SourceScan scan = scan_of({"n02012849", "n03126707"});
  BOOST_CHECK_EXCEPTION(
      rename_classes(scan, read("n02012849 crane\nn03126707 crane\n")), Error,
      table_error(ErrorCode::kInvalidArgument,
                  "classes: n.txt:2: expected different names, found a second 'crane'"));
  SourceScan one = scan_of({"n02012849"});
  BOOST_CHECK_NO_THROW(rename_classes(one, read("n02012849 crane\nn03126707 crane\n")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
