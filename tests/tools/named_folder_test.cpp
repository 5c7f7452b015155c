#include "tools/named_folder.h"

#include <boost/test/unit_test.hpp>

#include "tests/temporary_folder.h"

namespace penstock::tools {
namespace {

namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(named_folder_suite)

BOOST_AUTO_TEST_CASE(a_folder_has_one_name_however_it_is_typed) {
  const tests::TemporaryFolder place;
  const fs::path folder = fs::canonical(place.path()) / "photos.ds";
  fs::create_directories(folder / "in");
  fs::create_directory_symlink("photos.ds", place.path() / "link");
  fs::create_directory_symlink("link", place.path() / "link of a link");
  for (const char* typed :
       {"photos.ds", "photos.ds/", "photos.ds//", "photos.ds/.", "photos.ds/./", "photos.ds/in/..",
        "link", "link/", "link/.", "link/in/..", "link of a link"}) {
    BOOST_TEST(named_folder(folder.parent_path() / typed) == folder, typed);
    BOOST_TEST(folder_around(folder.parent_path() / typed) == folder.parent_path(), typed);
  }
}

// Messages name it so.
BOOST_AUTO_TEST_CASE(what_has_its_own_name_stays_as_typed_and_so_does_what_is_not_there) {
  const tests::TemporaryFolder place;
  fs::create_directory_symlink("nowhere", place.path() / "link");
  for (const char* typed : {"new.ds", "a/../new.ds"}) BOOST_TEST(named_folder(typed) == typed);
  BOOST_TEST(named_folder("new.ds/") == "new.ds");
  BOOST_TEST(named_folder("none/new.ds/.") == "none/new.ds");
  BOOST_TEST(named_folder(place.path() / "link") == place.path() / "link");
  BOOST_TEST(folder_around("new.ds") == ".");
  BOOST_TEST(named_folder("/") == "/");
  BOOST_TEST(named_folder(".") == fs::canonical("."));
  BOOST_TEST(named_folder("..") == fs::canonical(".."));
}

BOOST_AUTO_TEST_CASE(a_folder_lies_within_itself_and_what_is_above_it_links_followed) {
  const tests::TemporaryFolder place;
  const fs::path folder = place.path() / "photos";
  fs::create_directories(folder / "cat");
  fs::create_directory_symlink("photos", place.path() / "link");
  for (const char* inner : {"photos", "photos/", "photos/cat", "photos/cat/none", "link/cat"}) {
    for (const char* outer : {"photos", "photos/", "link", "photos/cat/.."}) {
      BOOST_TEST(lies_within(place.path() / inner, place.path() / outer), inner << " " << outer);
    }
  }
  BOOST_TEST(!lies_within(folder, folder / "cat"));
  BOOST_TEST(!lies_within(place.path() / "photos-2", folder));
  BOOST_TEST(!lies_within(folder / "..", folder));
}

BOOST_AUTO_TEST_CASE(where_something_is_mounted_is_told) {
  const tests::TemporaryFolder place;
  BOOST_TEST(is_mount_point("/proc"));
  BOOST_TEST(!is_mount_point("/proc/self"));
  BOOST_TEST(!is_mount_point(place.path()));
  BOOST_TEST(!is_mount_point(place.path() / "none"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
