#include "tools/convert/write/partial_folder.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include "streamer/core/error.h"
#include "streamer/shard/manifest.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/write/refused_as.h"
#include "tests/tools/picture_folder.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::refused_as;
using tests::write_file;

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
