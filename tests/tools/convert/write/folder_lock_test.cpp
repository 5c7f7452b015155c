#include "tools/convert/write/folder_lock.h"

#include <fcntl.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/temporary_folder.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

auto refused_with(const std::string& words) {
  return [words](const Error& error) {
    BOOST_TEST(!error.hint().empty());
    return error.code() == ErrorCode::kAlreadyExists &&
           std::string(error.what()).find(words) != std::string::npos;
  };
}

BOOST_AUTO_TEST_SUITE(folder_lock)

BOOST_AUTO_TEST_CASE(a_second_one_is_refused_while_the_first_lives) {
  const tests::TemporaryFolder folder;
  {
    const DatasetLock first(folder.path());
    BOOST_CHECK_EXCEPTION(DatasetLock{folder.path()}, Error,
                          refused_with("expected nobody else who changes it, found one"));
  }
  BOOST_CHECK_NO_THROW(DatasetLock{folder.path()});
}

// Somebody had it, gave its place to another folder, and ended: the lock is free, and worth nothing.
BOOST_AUTO_TEST_CASE(a_folder_that_was_replaced_between_opening_and_lock_is_refused) {
  const tests::TemporaryFolder folder;
  const fs::path path = folder.path() / "ds";
  fs::create_directory(path);
  UniqueFd opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  fs::rename(path, folder.path() / "aside");
  fs::create_directory(path);
  BOOST_CHECK_EXCEPTION(
      FolderLock(std::move(opened), path, Error(ErrorCode::kAlreadyExists, "busy")), Error,
      refused_with("found it moved or replaced by another"));
}

BOOST_AUTO_TEST_CASE(one_that_is_replaced_or_removed_later_is_not_in_place) {
  const tests::TemporaryFolder folder;
  const fs::path path = folder.path() / "ds";
  fs::create_directory(path);
  const DatasetLock lock(path);
  BOOST_CHECK_NO_THROW(lock.check_in_place());
  fs::rename(path, folder.path() / "aside");
  BOOST_CHECK_EXCEPTION(lock.check_in_place(), Error, refused_with("found it moved"));
  fs::create_directory(path);
  BOOST_CHECK_EXCEPTION(lock.check_in_place(), Error, refused_with("found it moved"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
