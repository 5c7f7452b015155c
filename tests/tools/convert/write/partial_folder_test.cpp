#include "tools/convert/write/partial_folder.h"

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
#include "tests/tools/forbidden_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::write_file;

auto refused_as(ErrorCode code) {
  return [code](const Error& error) {
    BOOST_TEST(!error.hint().empty());
    return error.code() == code;
  };
}

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

BOOST_AUTO_TEST_SUITE(partial_folder)

BOOST_AUTO_TEST_CASE(it_is_gone_when_nothing_was_published) {
  const tests::TemporaryFolder folder;
  {
    const PartialFolder partial(folder.path() / "ds");
    write_file(partial.path() / "train-00000.h5", "x");
    BOOST_TEST(fs::exists(folder.path() / "ds.partial"));
  }
  BOOST_TEST(tests::count_entries(folder.path()) == 0u);
}

BOOST_AUTO_TEST_CASE(publishing_makes_it_appear_under_its_name) {
  const tests::TemporaryFolder folder;
  {
    PartialFolder partial(folder.path() / "ds/");
    write_file(partial.path() / kManifestName, "x");
    partial.publish(ExistingTarget::kRefuse);
  }
  BOOST_TEST(fs::exists(folder.path() / "ds" / kManifestName));
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(a_second_conversion_is_kept_out) {
  const tests::TemporaryFolder folder;
  const PartialFolder first(folder.path() / "ds");
  write_file(first.path() / "train-00000.h5", "x");
  BOOST_CHECK_EXCEPTION(PartialFolder(folder.path() / "ds"), Error,
                        refused_as(ErrorCode::kAlreadyExists));
  BOOST_TEST(fs::exists(first.path() / "train-00000.h5"));
}

BOOST_AUTO_TEST_CASE(what_a_killed_conversion_left_is_taken_over) {
  const tests::TemporaryFolder folder;
  for (const char* name : {"train-00000.h5.tmp", "train-00001.h5", "journal", "journal.sources"}) {
    write_file(folder.path() / "ds.partial" / name, "x");
  }
  PartialFolder partial(folder.path() / "ds");
  BOOST_TEST(tests::count_entries(partial.path()) == 4u);
  partial.remove_all_but({"journal", "train-00001.h5"});
  BOOST_TEST(tests::count_entries(partial.path()) == 2u);
  BOOST_TEST(fs::exists(partial.path() / "train-00001.h5"));
}

// "penstock convert a x.partial", then "penstock convert a x".
BOOST_AUTO_TEST_CASE(a_dataset_that_is_called_so_is_refused_and_left_alone) {
  const tests::TemporaryFolder folder;
  for (const char* name : {"dataset.json", "train-00000.h5", "quarantine.csv"}) {
    write_file(folder.path() / "ds.partial" / name, "x");
  }
  BOOST_CHECK_EXCEPTION(PartialFolder(folder.path() / "ds"), Error,
                        refused_as(ErrorCode::kAlreadyExists));
  BOOST_TEST(tests::count_entries(folder.path() / "ds.partial") == 3u);
}

BOOST_AUTO_TEST_CASE(what_was_there_stays_until_it_is_known_what_it_is) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "ds.partial/train-00000.h5", "x");
  { const PartialFolder partial(folder.path() / "ds"); }
  BOOST_TEST(fs::exists(folder.path() / "ds.partial/train-00000.h5"));
}

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

BOOST_AUTO_TEST_CASE(it_stays_when_it_is_to_be_kept) {
  const tests::TemporaryFolder folder;
  {
    PartialFolder partial(folder.path() / "ds");
    write_file(partial.path() / "train-00000.h5", "x");
    partial.set_kept(true);
  }
  BOOST_TEST(fs::exists(folder.path() / "ds.partial/train-00000.h5"));
}

BOOST_AUTO_TEST_CASE(the_journal_is_no_part_of_the_dataset) {
  const tests::TemporaryFolder folder;
  {
    PartialFolder partial(folder.path() / "ds");
    for (const char* name : {"journal", "journal.sources", "dataset.json"}) {
      write_file(partial.path() / name, "x");
    }
    partial.publish(ExistingTarget::kRefuse);
  }
  BOOST_TEST(tests::count_entries(folder.path() / "ds") == 1u);
}

BOOST_AUTO_TEST_CASE(a_folder_of_that_name_with_other_files_is_left_alone) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "ds.partial/thesis.tex", "x");
  BOOST_CHECK_EXCEPTION(PartialFolder(folder.path() / "ds"), Error,
                        refused_as(ErrorCode::kAlreadyExists));
  BOOST_TEST(fs::exists(folder.path() / "ds.partial/thesis.tex"));
}

BOOST_AUTO_TEST_CASE(only_a_dataset_and_nothing_else_may_be_replaced) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "photos/1.jpg", "x");
  write_file(folder.path() / "file", "x");
  write_file(folder.path() / "ds/dataset.json", "x");
  write_file(folder.path() / "mixed/dataset.json", "x");
  write_file(folder.path() / "mixed/notes.txt", "x");
  const auto refused = refused_as(ErrorCode::kAlreadyExists);
  for (const char* name : {"photos", "file", "mixed"}) {
    BOOST_CHECK_EXCEPTION(check_target(folder.path() / name, ExistingTarget::kReplace), Error,
                          refused);
  }
  BOOST_CHECK_EXCEPTION(check_target(folder.path() / "ds", ExistingTarget::kRefuse), Error,
                        refused);
  BOOST_CHECK_NO_THROW(check_target(folder.path() / "ds", ExistingTarget::kReplace));
  BOOST_CHECK_NO_THROW(check_target(folder.path() / "new", ExistingTarget::kRefuse));
  BOOST_CHECK_EXCEPTION(check_target(folder.path() / "no/such/ds", ExistingTarget::kRefuse), Error,
                        refused_as(ErrorCode::kNotFound));
}

// The link stays one; what it leads to is replaced on its own disk.
BOOST_AUTO_TEST_CASE(a_link_to_a_dataset_stands_for_the_dataset) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "disk/ds/dataset.json", "old");
  fs::create_directory_symlink("disk/ds", folder.path() / "link");
  fs::create_directory_symlink("nowhere", folder.path() / "dangling");
  const auto refused = refused_as(ErrorCode::kAlreadyExists);
  for (const char* name : {"link", "link/", "disk/ds/.", "dangling"}) {
    BOOST_CHECK_EXCEPTION(check_target(folder.path() / name, ExistingTarget::kRefuse), Error,
                          refused);
  }
  BOOST_CHECK_EXCEPTION(check_target(folder.path() / "dangling", ExistingTarget::kReplace), Error,
                        refused);
  check_target(folder.path() / "link", ExistingTarget::kReplace);
  {
    PartialFolder partial(folder.path() / "link");
    BOOST_TEST(fs::exists(folder.path() / "disk/ds.partial"));
    write_file(partial.path() / "dataset.json", "new");
    partial.publish(ExistingTarget::kReplace);
  }
  BOOST_TEST(fs::is_symlink(folder.path() / "link"));
  BOOST_TEST(read_text_file(folder.path() / "link/dataset.json") == "new");
}

// Every name here looks like a dataset's own and is not.
BOOST_AUTO_TEST_CASE(a_users_file_beside_the_shards_is_not_taken_for_one_of_them) {
  for (const char* name : {"model.h5", "train-00000.h5.bak", "train-0000.h5", "train-000x0.h5",
                           "train.h5", "old-00000.h5", "x-train-00000.h5", "train-00000.h5.tmp.tmp",
                           "dataset.json.bak", "quarantine.csv.old", "dataset.json5", "journals"}) {
    BOOST_TEST_CONTEXT(name) {
      const tests::TemporaryFolder folder;
      write_file(folder.path() / "ds/dataset.json", "x");
      write_file(folder.path() / "ds" / name, "x");
      BOOST_CHECK_EXCEPTION(check_target(folder.path() / "ds", ExistingTarget::kReplace), Error,
                            refused_as(ErrorCode::kAlreadyExists));
      write_file(folder.path() / "ds.partial" / name, "x");
      BOOST_CHECK_EXCEPTION(PartialFolder(folder.path() / "ds"), Error,
                            refused_as(ErrorCode::kAlreadyExists));
      BOOST_TEST(fs::exists(folder.path() / "ds.partial" / name));
    }
  }
}

BOOST_AUTO_TEST_CASE(all_that_conversion_writes_is_the_datasets_own) {
  const tests::TemporaryFolder folder;
  for (const char* name :
       {"dataset.json", "dataset.json.tmp", "quarantine.csv", "quarantine.csv.tmp",
        "train-00000.h5", "validation-12345.h5", "test-1234567.h5.tmp"}) {
    write_file(folder.path() / "ds" / name, "x");
  }
  BOOST_CHECK_NO_THROW(check_target(folder.path() / "ds", ExistingTarget::kReplace));
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

BOOST_AUTO_TEST_CASE(a_folder_to_be_made_first_is_named_as_it_can_be_typed) {
  const tests::TemporaryFolder folder;
  BOOST_CHECK_EXCEPTION(check_target(folder.path() / "my sets/ds", ExistingTarget::kRefuse), Error,
                        [&](const Error& error) {
                          return error.hint() ==
                                 "mkdir -p '" + (folder.path() / "my sets").string() + "'";
                        });
}

BOOST_AUTO_TEST_CASE(a_disk_too_small_is_named_with_both_numbers) {
  const tests::TemporaryFolder folder;
  BOOST_CHECK_NO_THROW(check_free_space(folder.path() / "ds", 1));
  BOOST_CHECK_EXCEPTION(check_free_space(folder.path() / "ds", 1ull << 62), Error,
                        [](const Error& error) {
                          const std::string what = error.what();
                          return error.code() == ErrorCode::kIo && what.find("disk space") == 0 &&
                                 what.find("free, found") != std::string::npos;
                        });
  // Of a folder that is there, its own disk: of one that is mounted, not that around it.
  BOOST_CHECK_NO_THROW(check_room_in(folder.path(), 1, "free some"));
  BOOST_CHECK_EXCEPTION(
      check_room_in(folder.path(), 1ull << 62, "free some"), Error, [&](const Error& error) {
        const std::string where = "disk space: " + folder.path().string() + ": ";
        return std::string(error.what()).starts_with(where) && error.hint() == "free some";
      });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
