// An old dataset where a new one is published: exchanged, put aside, put back, or left alone.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>

#include "streamer/core/error.h"
#include "streamer/shard/manifest.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/write/refused_as.h"
#include "tests/tools/forbidden_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/write/folder_lock.h"
#include "tools/convert/write/partial_folder.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::refused_as;
using tests::write_file;

// From now on renameat2(2) fails in this thread as in a kernel, a sandbox or a file system without
// it. Source: Documentation/userspace-api/seccomp_filter.rst of Linux.
bool deny_renameat2(int error_number) {
  sock_filter program[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_renameat2},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error_number)},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

void publish_dataset(const fs::path& dataset, const char* text, ExistingTarget existing) {
  PartialFolder partial(dataset);
  write_file(partial.path() / kManifestName, text);
  partial.publish(existing);
}

BOOST_AUTO_TEST_SUITE(replaced_dataset)

BOOST_AUTO_TEST_CASE(what_a_publication_leaves_that_the_system_refuses_is_taken_over) {
  const tests::TemporaryFolder folder;
  const fs::path dataset = folder.path() / "ds";
  write_file(dataset / "dataset.json", "old one");
  bool is_denied = false;
  std::string failure;
  std::thread([&] {
    is_denied = deny_renameat2(EIO);
    if (!is_denied) return;
    try {
      PartialFolder partial(dataset);
      write_file(partial.path() / "journal", "x");
      write_file(partial.path() / "dataset.json", "new");
      partial.set_kept(true);
      partial.publish(ExistingTarget::kReplace);
    } catch (const Error& error) {
      failure = error.what();
    }
  }).join();
  if (!is_denied) {
    std::cout << "SKIPPED: what_a_publication_leaves_that_the_system_refuses_is_taken_over: no "
                 "seccomp here\n";
    return;
  }
  BOOST_TEST(failure.find("exchange for") == 0u, failure);
  BOOST_TEST(fs::file_size(dataset / "dataset.json") == 7u);
  BOOST_REQUIRE(fs::exists(folder.path() / "ds.partial/dataset.json"));
  BOOST_CHECK_NO_THROW(PartialFolder{dataset});
  // Moved to where another dataset is made, it is a dataset that somebody calls so.
  fs::rename(folder.path() / "ds.partial", folder.path() / "other.partial");
  BOOST_CHECK_THROW(PartialFolder{folder.path() / "other"}, Error);
}

// What a file system without an exchange in one step gets instead.
BOOST_AUTO_TEST_CASE(two_renames_put_the_old_folder_aside) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "ds/old", "x");
  write_file(folder.path() / "ds.partial/new", "x");
  BOOST_TEST(replace_by_renames(folder.path() / "ds.partial", folder.path() / "ds") ==
             folder.path() / "ds.replaced");
  BOOST_TEST(fs::exists(folder.path() / "ds/new"));
  BOOST_TEST(fs::exists(folder.path() / "ds.replaced/old"));
  BOOST_TEST(tests::count_entries(folder.path()) == 2u);
}

BOOST_AUTO_TEST_CASE(a_replacement_that_fails_puts_the_old_one_back) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "ds/old", "x");
  BOOST_CHECK_THROW(replace_by_renames(folder.path() / "nowhere", folder.path() / "ds"), Error);
  BOOST_TEST(fs::exists(folder.path() / "ds/old"));
  write_file(folder.path() / "ds.replaced/mine", "x");
  write_file(folder.path() / "ds.partial/new", "x");
  BOOST_CHECK_THROW(replace_by_renames(folder.path() / "ds.partial", folder.path() / "ds"), Error);
  BOOST_TEST(fs::exists(folder.path() / "ds/old"));
  BOOST_TEST(fs::exists(folder.path() / "ds.replaced/mine"));
}

// Once the first of the two renames is made, the path through ds/.. leads nowhere, there and back.
BOOST_AUTO_TEST_CASE(an_old_dataset_that_cannot_be_put_back_is_told_with_where_it_lies) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "ds/dataset.json", "old");
  write_file(folder.path() / "ds.partial/dataset.json", "new");
  const fs::path winding = folder.path() / "ds/../ds";
  BOOST_CHECK_EXCEPTION(
      replace_by_renames(folder.path() / "ds.partial", winding), Error, [&](const Error& error) {
        const std::string what = error.what();
        return what.find("; the old dataset lies in " + winding.native() + ".replaced") !=
                   std::string::npos &&
               error.hint() == "mv " + winding.native() + ".replaced " + winding.native();
      });
  BOOST_TEST(fs::exists(folder.path() / "ds.replaced/dataset.json"));
}

auto refused_with_hint(const std::string& hint) {
  return [hint](const Error& error) {
    BOOST_TEST(error.hint() == hint);
    return error.code() == ErrorCode::kAlreadyExists;
  };
}

// Told before the conversion, not after it.
BOOST_AUTO_TEST_CASE(a_dataset_that_was_put_aside_and_left_is_named_with_the_line_to_remove_it) {
  const tests::TemporaryFolder folder;
  const fs::path dataset = folder.path() / "ds";
  write_file(dataset / "dataset.json", "x");
  write_file(folder.path() / "ds.replaced/dataset.json", "x");
  BOOST_CHECK_EXCEPTION(
      check_target(dataset, ExistingTarget::kReplace), Error,
      refused_with_hint("look at it, then: rm -r " + dataset.native() + ".replaced"));
}

// What a crash between the two renames leaves. A conversion would pass over the only copy.
BOOST_AUTO_TEST_CASE(a_dataset_that_was_only_put_aside_is_named_with_the_line_that_brings_it_back) {
  const tests::TemporaryFolder folder;
  const fs::path dataset = folder.path() / "my ds";
  write_file(folder.path() / "my ds.replaced/dataset.json", "x");
  write_file(folder.path() / "my ds.replaced/train-00000.h5", "x");
  const std::string hint = "mv '" + dataset.native() + ".replaced' '" + dataset.native() + "'";
  for (const ExistingTarget existing : {ExistingTarget::kRefuse, ExistingTarget::kReplace}) {
    BOOST_CHECK_EXCEPTION(check_target(dataset, existing), Error, refused_with_hint(hint));
  }
  fs::rename(folder.path() / "my ds.replaced", dataset);  // the hint
  BOOST_CHECK_NO_THROW(check_target(dataset, ExistingTarget::kReplace));
}

BOOST_AUTO_TEST_CASE(what_a_user_calls_replaced_is_no_dataset_put_aside) {
  for (const char* file : {"", "/notes.txt", "/train-00000.h5"}) {
    BOOST_TEST_CONTEXT("ds.replaced" << file) {
      const tests::TemporaryFolder folder;
      write_file(folder.path() / (std::string("ds.replaced") + file), "x");
      BOOST_CHECK_NO_THROW(check_target(folder.path() / "ds", ExistingTarget::kRefuse));
      write_file(folder.path() / "ds/dataset.json", "x");
      BOOST_CHECK_NO_THROW(check_target(folder.path() / "ds", ExistingTarget::kReplace));
    }
  }
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "ds.replaced/dataset.json", "x");
  write_file(folder.path() / "ds.replaced/notes.txt", "x");
  BOOST_CHECK_NO_THROW(check_target(folder.path() / "ds", ExistingTarget::kRefuse));
}

BOOST_AUTO_TEST_CASE(a_folder_called_replaced_that_may_not_be_read_is_ignored) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "ds.replaced/dataset.json", "x");
  const tests::ForbiddenFolder kept(folder.path() / "ds.replaced", fs::perms::none);
  BOOST_CHECK_NO_THROW(check_target(folder.path() / "ds", ExistingTarget::kRefuse));
}

BOOST_AUTO_TEST_CASE(an_old_dataset_that_cannot_be_removed_is_named_and_the_new_one_stays) {
  const tests::TemporaryFolder folder;
  const fs::path dataset = folder.path() / "ds";
  write_file(dataset / "dataset.json", "old one");
  PartialFolder partial(dataset);
  write_file(partial.path() / "dataset.json", "new");
  {
    const tests::ForbiddenFolder old(dataset, fs::perms::owner_read | fs::perms::owner_exec);
    BOOST_CHECK_EXCEPTION(
        partial.publish(ExistingTarget::kReplace), Error, [&](const Error& error) {
          return error.hint() ==
                 "the new dataset is in place; rm -r " + dataset.native() + ".partial";
        });
  }
  fs::permissions(folder.path() / "ds.partial", fs::perms::owner_all);
  BOOST_TEST(fs::file_size(dataset / "dataset.json") == 3u);
}

BOOST_AUTO_TEST_CASE(replacing_leaves_the_new_dataset_only) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "ds/dataset.json", "old");
  write_file(folder.path() / "ds/test-00007.h5", "old");
  {
    PartialFolder partial(folder.path() / "ds");
    write_file(partial.path() / "dataset.json", "new");
    partial.publish(ExistingTarget::kReplace);
  }
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
  BOOST_TEST(tests::count_entries(folder.path() / "ds") == 1u);
  BOOST_TEST(fs::file_size(folder.path() / "ds/dataset.json") == 3u);
}

BOOST_AUTO_TEST_CASE(a_system_with_plain_renames_only_publishes_too) {
  for (const int error_number : {EINVAL, ENOSYS}) {
    const tests::TemporaryFolder folder;
    const fs::path dataset = folder.path() / "ds";
    bool is_denied = false;
    std::string failure;
    std::thread([&] {
      is_denied = deny_renameat2(error_number);
      if (!is_denied) return;
      try {
        publish_dataset(dataset, "old one", ExistingTarget::kRefuse);
        publish_dataset(dataset, "new", ExistingTarget::kReplace);
      } catch (const Error& error) {
        failure = error.what();
      }
    }).join();
    if (!is_denied) {
      std::cout << "SKIPPED: a_system_with_plain_renames_only_publishes_too: no seccomp here\n";
      return;
    }
    BOOST_TEST(failure == "");
    BOOST_TEST(fs::file_size(dataset / kManifestName) == 3u);
    BOOST_TEST(tests::count_entries(folder.path()) == 1u);
  }
}

// A parent that cannot be opened cannot be synced: the new name may not have reached the disk.
BOOST_AUTO_TEST_CASE(the_old_dataset_is_kept_until_the_new_one_is_safe) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "ds/dataset.json", "old one");
  PartialFolder partial(folder.path() / "ds");
  write_file(partial.path() / "dataset.json", "new");
  {
    const tests::ForbiddenFolder parent(folder.path(),
                                        fs::perms::owner_write | fs::perms::owner_exec);
    BOOST_CHECK_THROW(partial.publish(ExistingTarget::kReplace), Error);
  }
  BOOST_TEST(fs::file_size(folder.path() / "ds/dataset.json") == 3u);
  BOOST_REQUIRE(fs::exists(folder.path() / "ds.partial/dataset.json"));
  BOOST_TEST(fs::file_size(folder.path() / "ds.partial/dataset.json") == 7u);
}

BOOST_AUTO_TEST_CASE(an_old_dataset_that_a_replacement_left_is_no_obstacle_to_the_next_one) {
  const tests::TemporaryFolder folder;
  const fs::path dataset = folder.path() / "ds";
  write_file(dataset / "dataset.json", "old one");
  {
    PartialFolder partial(dataset);
    write_file(partial.path() / "dataset.json", "new");
    const tests::ForbiddenFolder parent(folder.path(),
                                        fs::perms::owner_write | fs::perms::owner_exec);
    BOOST_CHECK_THROW(partial.publish(ExistingTarget::kReplace), Error);
  }
  {
    BOOST_CHECK_NO_THROW(check_target(dataset, ExistingTarget::kReplace));
    PartialFolder partial(dataset);
    partial.remove_all_but({});
    write_file(partial.path() / "dataset.json", "newer");
    partial.publish(ExistingTarget::kReplace);
  }
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
  BOOST_TEST(tests::count_entries(dataset) == 1u);
  BOOST_TEST(fs::file_size(dataset / "dataset.json") == 5u);
}

BOOST_AUTO_TEST_CASE(a_dataset_that_somebody_changes_is_not_replaced) {
  const tests::TemporaryFolder folder;
  const fs::path dataset = folder.path() / "ds";
  write_file(dataset / "dataset.json", "old one");
  PartialFolder partial(dataset);
  write_file(partial.path() / "dataset.json", "new");
  write_file(partial.path() / "journal", "x");
  {
    const DatasetLock change(dataset);
    BOOST_CHECK_EXCEPTION(partial.publish(ExistingTarget::kReplace), Error,
                          refused_as(ErrorCode::kAlreadyExists));
    BOOST_TEST(fs::file_size(dataset / "dataset.json") == 7u);
    BOOST_TEST(fs::exists(partial.path() / "journal"));
  }
  partial.publish(ExistingTarget::kReplace);
  BOOST_TEST(fs::file_size(dataset / "dataset.json") == 3u);
}

BOOST_AUTO_TEST_CASE(nobody_changes_a_dataset_once_it_is_to_be_replaced) {
  const tests::TemporaryFolder folder;
  const fs::path dataset = folder.path() / "ds";
  write_file(dataset / "dataset.json", "old one");
  PartialFolder partial(dataset);
  partial.lock_old();
  BOOST_CHECK_EXCEPTION(DatasetLock{dataset}, Error, refused_as(ErrorCode::kAlreadyExists));
}

BOOST_AUTO_TEST_CASE(
    a_folder_that_took_the_place_of_the_locked_one_is_neither_published_nor_replaced) {
  const tests::TemporaryFolder folder;
  const fs::path dataset = folder.path() / "ds";
  write_file(dataset / "dataset.json", "old one");
  PartialFolder partial(dataset);
  write_file(partial.path() / "dataset.json", "new");
  partial.lock_old();
  const auto refused = refused_as(ErrorCode::kAlreadyExists);
  fs::rename(dataset, folder.path() / "aside");
  write_file(dataset / "dataset.json", "another");
  BOOST_CHECK_EXCEPTION(partial.publish(ExistingTarget::kReplace), Error, refused);
  fs::remove_all(dataset);
  fs::rename(folder.path() / "aside", dataset);
  fs::rename(partial.path(), folder.path() / "aside");
  write_file(partial.path() / "dataset.json", "another");
  BOOST_CHECK_EXCEPTION(partial.publish(ExistingTarget::kReplace), Error, refused);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
