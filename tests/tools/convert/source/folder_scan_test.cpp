#include "tools/convert/source/folder_scan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <iostream>

#include "streamer/core/error.h"
#include "tests/temporary_folder.h"
#include "tests/tools/forbidden_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::convert {
namespace {

using tests::write_file;
namespace fs = std::filesystem;

// Paths and sizes; when a file was written depends on when this test runs.
std::vector<ScannedFile> files_of(const FolderScan& scan) {
  std::vector<ScannedFile> files = scan.files;
  for (ScannedFile& file : files) file.modified_ns = 0;
  return files;
}

BOOST_AUTO_TEST_SUITE(folder_scan)

BOOST_AUTO_TEST_CASE(the_time_of_the_last_write_is_told_to_the_nanosecond) {
  const tests::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.jpg";
  write_file(path, "1");
  const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1'700'000'000, .tv_nsec = 7}};
  BOOST_REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  BOOST_TEST(scan_folder(folder.path(), {}).files.at(0).modified_ns == 1'700'000'000'000'000'007);
}

BOOST_AUTO_TEST_CASE(files_are_listed_by_the_bytes_of_their_paths) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "b/1.jpg", "12345");
  write_file(folder.path() / "a/x/2.jpg", "123");
  write_file(folder.path() / "a/\xff\n.jpg", "");
  const FolderScan scan = scan_folder(folder.path(), {});
  const std::vector<ScannedFile> expected = {{.path = "a/x/2.jpg", .size_bytes = 3},
                                             {.path = "a/\xff\n.jpg", .size_bytes = 0},
                                             {.path = "b/1.jpg", .size_bytes = 5}};
  BOOST_CHECK(files_of(scan) == expected);
  BOOST_CHECK((scan.folders == std::vector<std::string>{"a", "a/x", "b"}));
  BOOST_TEST(scan.total_bytes() == 8u);
  BOOST_TEST(scan.skipped.total() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_no_picture_is_counted_by_kind) {
  const tests::TemporaryFolder folder;
  for (const char* name : {"a/.DS_Store", "a/Thumbs.db", "a/._1.jpg", "__MACOSX/a/1.jpg"}) {
    write_file(folder.path() / name, "x");
  }
  for (const char* name : {".git/config", "a/.hidden.jpg"}) write_file(folder.path() / name, "x");
  BOOST_REQUIRE(::mkfifo((folder.path() / "a/pipe.jpg").c_str(), 0600) == 0);
  fs::create_symlink("1.jpg", folder.path() / "a/link.jpg");
  fs::create_directory_symlink("..", folder.path() / "a/loop");
  const FolderScan scan = scan_folder(folder.path(), {});
  BOOST_TEST(scan.files.empty());
  BOOST_TEST(scan.skipped.num_system == 4u);
  BOOST_TEST(scan.skipped.num_hidden == 2u);
  BOOST_TEST(scan.skipped.num_special == 1u);
  BOOST_TEST(scan.skipped.num_symlinks == 2u);
}

// Opening one could block for ever, or do something.
BOOST_AUTO_TEST_CASE(a_device_is_counted_and_never_opened) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "a/1.jpg", "x");
  // null(4): character device 1, 3.
  if (::mknod((folder.path() / "a/null.jpg").c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0) {
    std::cout << "SKIPPED: no device may be made here\n";
    return;
  }
  const FolderScan scan = scan_folder(folder.path(), {});
  BOOST_TEST(scan.files.size() == 1u);
  BOOST_TEST(scan.skipped.num_special == 1u);
}

BOOST_AUTO_TEST_CASE(a_folder_that_may_not_be_read_is_listed_and_the_others_are_read) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "cat/1.jpg", "x");
  write_file(folder.path() / "dog/old/1.jpg", "x");
  write_file(folder.path() / "fox/1.jpg", "x");
  // Listed but not entered, as a folder without its x is.
  for (const fs::perms left : {fs::perms::none, fs::perms::owner_read}) {
    const tests::ForbiddenFolder dog(folder.path() / "dog", left);
    const FolderScan scan = scan_folder(folder.path(), {});
    BOOST_CHECK(
        (files_of(scan) == std::vector<ScannedFile>{{.path = "cat/1.jpg", .size_bytes = 1},
                                                    {.path = "fox/1.jpg", .size_bytes = 1}}));
    BOOST_CHECK((scan.folders == std::vector<std::string>{"cat", "dog", "fox"}));
    BOOST_REQUIRE(scan.unreadable_folders.size() == 1u);
    BOOST_TEST(scan.unreadable_folders[0].path == "dog");
    BOOST_TEST(scan.unreadable_folders[0].why == "Permission denied");
  }
}

BOOST_AUTO_TEST_CASE(a_source_that_may_not_be_read_is_named_with_a_hint) {
  const tests::TemporaryFolder folder;
  fs::create_directory(folder.path() / "photos");
  const tests::ForbiddenFolder photos(folder.path() / "photos");
  BOOST_CHECK_EXCEPTION(scan_folder(folder.path() / "photos", {}), Error, [&](const Error& error) {
    BOOST_TEST(error.what() ==
               "open folder: " + (folder.path() / "photos/").string() + ": Permission denied");
    BOOST_TEST(error.hint() ==
               "see who may do what there: namei -l " + (folder.path() / "photos/").string());
    return error.code() == ErrorCode::kIo;
  });
}

BOOST_AUTO_TEST_CASE(a_stop_is_heard) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "a/1.jpg", "x");
  std::stop_source stop;
  stop.request_stop();
  BOOST_CHECK_EXCEPTION(scan_folder(folder.path(), stop.get_token()), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kStopped; });
}

BOOST_AUTO_TEST_CASE(a_missing_folder_is_named) {
  BOOST_CHECK_EXCEPTION(scan_folder("/nowhere/photos", {}), Error, [](const Error& error) {
    return error.code() == ErrorCode::kNotFound &&
           std::string(error.what()).find("/nowhere/photos") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_list_that_outgrows_its_room_is_refused) {
  const tests::TemporaryFolder folder;
  for (int i = 0; i < 100; ++i) write_file(folder.path() / (std::to_string(i) + ".jpg"), "x");
  BOOST_CHECK_NO_THROW(scan_folder(folder.path(), {}, 100 * 300));
  BOOST_CHECK_EXCEPTION(scan_folder(folder.path(), {}, 50 * 100), Error, [](const Error& error) {
    return error.code() == ErrorCode::kOutOfMemory && !error.hint().empty();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
