#include "tools/convert/source/enclosing_folder.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "fixtures/tar_maker.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/source/archive_listing.h"

namespace penstock::convert {
namespace {

using fixtures::make_tar;
using fixtures::TarEntry;
using Texts = std::vector<std::string>;

// What an archive lists, with the folder around it dropped.
StoredFiles dropped_files(const std::vector<TarEntry>& entries) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "photos.tar";
  tests::write_file(path, make_tar(entries));
  StoredFiles files =
      list_archives({{.path = path, .name = "photos.tar"}}, {.folder = folder.path()}, {});
  drop_enclosing_folder(files);
  return files;
}

BOOST_AUTO_TEST_SUITE(enclosing_folder)

BOOST_AUTO_TEST_CASE(a_folder_around_everything_is_taken_away) {
  const auto dropped = [](const std::vector<TarEntry>& entries) {
    Texts names;
    for (const ScannedFile& file : dropped_files(entries).scan.files) names.push_back(file.path);
    return names;
  };
  BOOST_CHECK(
      (dropped({{"photos/cat/1.jpg", ""}, {"photos/README", ""}}) == Texts{"README", "cat/1.jpg"}));
  BOOST_CHECK((dropped({{"train/cat/1.jpg", ""}}) == Texts{"train/cat/1.jpg"}));
  BOOST_CHECK((dropped({{"a/cat/1.jpg", ""}, {"b/1.jpg", ""}}) == Texts{"a/cat/1.jpg", "b/1.jpg"}));
  BOOST_CHECK(
      (dropped({{"cat/old/1.jpg", ""}, {"cat/2.jpg", ""}}) == Texts{"cat/2.jpg", "cat/old/1.jpg"}));
}

BOOST_AUTO_TEST_CASE(findings_are_called_as_the_samples_would_be) {
  const StoredFiles files =
      dropped_files({{"./hl/cat/1.jpg", ""},
                     {.name = "./hl/cat//2.jpg", .type = '2', .link_target = "1.jpg"},
                     {.name = "hl/cat/3.jpg", .type = '1', .link_target = "hl/4.jpg"},
                     {"hl/../../5.jpg", ""}});
  Texts found;
  for (const QuarantineEntry& entry : files.findings) {
    found.push_back(std::string(reason_code_name(entry.reason)) + " " + entry.path);
  }
  std::ranges::sort(found);
  BOOST_CHECK((found == Texts{"archive_link cat/2.jpg", "archive_link cat/3.jpg",
                              "unsafe_path hl/../../5.jpg"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
