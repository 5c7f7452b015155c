#include "tools/convert/source/combined_source.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/source/any_source.h"
#include "tools/convert/source/source_check.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(combined_source)

BOOST_AUTO_TEST_CASE(sources_are_called_by_the_last_names_of_their_paths) {
  const std::vector<fs::path> paths = {"/a/photos", "/b/photos/", "/c/photos-2", "/d/list.txt"};
  BOOST_CHECK((source_names(paths) == Lines{"photos", "photos-2", "photos-2-2", "list.txt"}));
}

BOOST_AUTO_TEST_CASE(classes_are_merged_and_names_say_the_source) {
  const tests::TemporaryFolder folder;
  const fs::path a = folder.path() / "a";
  const fs::path b = folder.path() / "b";
  tests::write_picture(a / "cat/1.jpg", {.seed = 1});
  tests::write_picture(a / "dog/1.jpg", {.seed = 2});
  tests::write_picture(b / "bee/1.jpg", {.seed = 3});
  tests::write_picture(b / "cat/1.jpg", {.seed = 4});
  tests::write_file(b / "t.csv", "path,label\nbee/1.jpg,bee\ncat/1.jpg,cat\nx.jpg,cat\n");
  const std::vector<SourceRequest> requests = {{.path = a}, {.path = b / "t.csv"}};
  check_sources(requests);
  const SourceScan scan = scan_sources(requests, {});
  BOOST_CHECK((scan.class_names == Lines{"bee", "cat", "dog"}));
  BOOST_REQUIRE(scan.pictures.size() == 4u);
  const Lines names = {"a/cat/1.jpg", "a/dog/1.jpg", "t.csv/bee/1.jpg", "t.csv/cat/1.jpg"};
  const std::vector<std::uint32_t> classes = {1, 2, 0, 1};
  for (std::uint32_t i = 0; i < 4; ++i) {
    BOOST_TEST(scan.pictures[i].name == names[i]);
    BOOST_TEST(scan.pictures[i].class_idx == classes[i]);
    SourcePicture picture;
    scan.source->read(scan.pictures[i], picture);
    BOOST_CHECK(picture.bytes == tests::picture_jpeg({.seed = i + 1}));
  }
  BOOST_TEST(scan.source->where(scan.pictures[3]) == (b / "cat/1.jpg").string());
  BOOST_REQUIRE(scan.findings.size() == 1u);
  BOOST_TEST(scan.findings[0].path == "t.csv/x.jpg");
  BOOST_TEST(scan.settings.at("sources") == "a, t.csv");
  BOOST_TEST(scan.settings.at("a.layout") == "class_folders");
  BOOST_TEST(scan.class_where[0] == "t.csv: t.csv:2");
  BOOST_TEST(scan.class_where[2] == "a");
}

BOOST_AUTO_TEST_CASE(one_source_stays_as_it_is) {
  const tests::TemporaryFolder folder;
  tests::write_cats_and_dogs(folder.path() / "a", 1);
  const std::vector<SourceRequest> one = {{.path = folder.path() / "a"}};
  const SourceScan scan = scan_sources(one, {});
  BOOST_TEST(scan.pictures[0].name == "cat/0.jpg");
  BOOST_TEST(!scan.settings.contains("sources"));
}

BOOST_AUTO_TEST_CASE(a_source_within_another_is_refused) {
  const tests::TemporaryFolder folder;
  tests::write_cats_and_dogs(folder.path() / "a", 1);
  const std::string a = (folder.path() / "a").string();
  const std::vector<SourceRequest> nested = {{.path = a}, {.path = a + "/cat"}};
  BOOST_CHECK_EXCEPTION(check_sources(nested), Error, [&](const Error& error) {
    return error.what() ==
           "source: " + a + "/cat: expected a place outside of " + a + ", found one inside";
  });
  const std::vector<SourceRequest> twice = {{.path = a}, {.path = a + "/../a/"}};
  BOOST_CHECK_THROW(check_sources(twice), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
