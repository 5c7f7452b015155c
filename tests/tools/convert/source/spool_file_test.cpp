#include "tools/convert/source/spool_file.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <vector>

#include "streamer/core/error.h"
#include "tests/temporary_folder.h"

namespace penstock::convert {
namespace {

std::vector<std::byte> counted(std::size_t num_bytes) {
  std::vector<std::byte> bytes(num_bytes);
  for (std::size_t i = 0; i < num_bytes; ++i) bytes[i] = static_cast<std::byte>(i * 7);
  return bytes;
}

BOOST_AUTO_TEST_SUITE(spool_file)

BOOST_AUTO_TEST_CASE(what_was_appended_is_read_at_any_place_and_no_name_is_seen) {
  const tests::TemporaryFolder folder;
  SpoolFile spool({.folder = folder.path(), .limit_bytes = 10'000});
  const std::vector<std::byte> bytes = counted(5000);
  spool.append(std::span(bytes).first(3000));
  spool.append(std::span(bytes).subspan(3000));
  BOOST_TEST(spool.size_bytes() == 5000u);
  BOOST_TEST(tests::count_entries(folder.path()) == 0u);
  std::vector<std::byte> read(100);
  BOOST_TEST(spool.read_at(2950, read) == 100u);
  BOOST_TEST(std::equal(read.begin(), read.end(), bytes.begin() + 2950));
  BOOST_TEST(spool.read_at(4950, read) == 50u);
  BOOST_TEST(spool.read_at(6000, read) == 0u);
}

BOOST_AUTO_TEST_CASE(a_cut_forgets_and_the_next_bytes_take_the_place) {
  const tests::TemporaryFolder folder;
  SpoolFile spool({.folder = folder.path(), .limit_bytes = 10'000});
  spool.append(counted(100));
  spool.cut(10);
  spool.append(counted(20));
  BOOST_TEST(spool.size_bytes() == 30u);
  std::vector<std::byte> read(20);
  BOOST_TEST(spool.read_at(10, read) == 20u);
  BOOST_CHECK(read == counted(20));
}

BOOST_AUTO_TEST_CASE(more_than_the_limit_is_refused_as_a_full_disk_is) {
  const tests::TemporaryFolder folder;
  SpoolFile spool({.folder = folder.path(), .limit_bytes = 1000});
  spool.append(counted(1000));
  BOOST_CHECK_EXCEPTION(spool.append(counted(1)), Error, [](const Error& error) {
    return error.code() == ErrorCode::kIo && error.os_error() == ENOSPC && !error.hint().empty();
  });
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_there_is_named) {
  BOOST_CHECK_EXCEPTION(
      SpoolFile({.folder = "/nowhere/at/all", .limit_bytes = 1}), Error, [](const Error& error) {
        return std::string(error.what()).find("/nowhere/at/all") != std::string::npos;
      });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
