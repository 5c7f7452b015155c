#include "streamer/core/file.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(file)

BOOST_AUTO_TEST_CASE(a_published_file_replaces_the_old_one_and_leaves_nothing_else) {
  const tests::TemporaryFolder folder;
  publish_file(folder.path() / "a.json", "old");
  publish_file(folder.path() / "a.json", "new");
  BOOST_TEST(read_text_file(folder.path() / "a.json") == "new");
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_take_its_name_leaves_no_temporary_one) {
  const tests::TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "a.json");  // a folder stands in the way
  BOOST_CHECK_THROW(publish_file(folder.path() / "a.json", "new"), Error);
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_named) {
  BOOST_CHECK_EXCEPTION(open_for_reading("/nowhere/x"), Error, [](const Error& error) {
    return error.code() == ErrorCode::kNotFound &&
           std::string(error.what()) == "open: /nowhere/x: No such file or directory";
  });
}

BOOST_AUTO_TEST_CASE(a_fifo_is_refused_without_hanging) {
  const tests::TemporaryFolder folder;
  BOOST_REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  BOOST_CHECK_THROW(open_for_reading(folder.path() / "pipe"), Error);
}

BOOST_AUTO_TEST_CASE(a_limit_of_open_files_is_named_with_the_way_to_raise_it) {
  const tests::TemporaryFolder folder;
  publish_file(folder.path() / "a", "x");
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  std::string what;
  std::string hint;
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  try {
    open_for_reading(folder.path() / "a");
  } catch (const Error& error) {
    what = error.what();
    hint = error.hint();
  }
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  BOOST_TEST(what == "open: " + (folder.path() / "a").native() +
                         ": expected a free file descriptor, found the limit of this process "
                         "reached");
  BOOST_TEST(hint == "raise the limit of open files: ulimit -n 65536");
}

BOOST_AUTO_TEST_CASE(reading_past_the_end_returns_what_is_there) {
  const tests::TemporaryFolder folder;
  publish_file(folder.path() / "a", "0123456789");
  const UniqueFd file = open_for_reading(folder.path() / "a");
  std::array<std::byte, 8> bytes{};
  BOOST_TEST(read_at(file, 6, bytes, "a") == 4u);
  BOOST_TEST(static_cast<char>(bytes[0]) == '6');
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
