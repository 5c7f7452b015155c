// An addition that is killed, or that a disk fails, is ended by the same command: every sample of before and
// every new one is there once, and at no moment is there no whole dataset.
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <iostream>
#include <random>

#include "tests/contains.h"
#include "tests/tools/care/cared_dataset.h"
#include "tests/tools/care/restart/broken_command.h"
#include "tests/tools/folder_contents.h"
#include "tools/care/repair_job.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

struct AddPlace : ChangePlace {
  AddPlace() {
    for (std::uint32_t i = 0; i < 6; ++i) {
      write_picture(more / "cat" / ("new" + std::to_string(i) + ".jpg"), {.seed = 900 + i});
    }
    write_picture(more / "dog/as 3.jpg", {.height_px = 20, .seed = 103});  // dog/3.jpg
    write_picture(more / "dog/bad.jpg", {.seed = 950});
    write_file(more / "dog/new bad.jpg", "\xFF\xD8\xFF broken");
    write_picture(more / "dog/worse.jpg", {.seed = 951});  // mended
    expect({"add", dataset, more, "--jobs", "1", "--memory", "256M"});
  }

  const fs::path more = folder.path() / "more";
};

BOOST_FIXTURE_TEST_SUITE(add_restart, AddPlace)

BOOST_AUTO_TEST_CASE(unbroken_it_brings_what_is_new_and_keeps_the_rest) {
  BOOST_TEST(expected_samples.size() == 20u + 9u);
  BOOST_REQUIRE(run_penstock({"extract", dataset, folder.path() / "out"}).exit_code == 0);
  auto files = files_below(source);
  for (const auto& [name, bytes] : files_below(more)) files[name] = bytes;
  files.erase("cat/bad.jpg");
  files.erase("dog/new bad.jpg");
  BOOST_TEST((files_below(folder.path() / "out") == files));
}

BOOST_AUTO_TEST_CASE(killed_at_any_change_on_disk_it_is_ended_by_the_same_command) {
  const int num_kills =
      for_each_break(*this, {.what = kKill}, 1, [this](const CommandResult& killed) {
        BOOST_TEST(killed.exit_code == kKilled);
        check_goes_on(*this);
      });
  std::cout << "{\"harness\": \"add_kills\", \"kills\": " << num_kills << "}\n";
  BOOST_TEST(num_kills > 30);
}

BOOST_AUTO_TEST_CASE(a_call_that_fails_costs_no_sample_and_the_same_command_ends_it) {
  int num_errors = 0;
  for (const bool is_lasting : {false, true}) {
    // Conversion, which comes first, has such tests of its own.
    for_each_break(*this, {.what = EIO, .is_lasting = is_lasting}, is_lasting ? 7 : 3,
                   [&](const CommandResult& failed) {
                     BOOST_TEST((failed.exit_code == 0 || failed.exit_code == 1));
                     num_errors += failed.exit_code;
                     if (failed.exit_code != 0) check_goes_on(*this);
                   });
  }
  std::cout << "{\"harness\": \"add_faults\", \"typed_errors\": " << num_errors << "}\n";
  BOOST_TEST(num_errors > 20);
}

BOOST_AUTO_TEST_CASE(the_one_that_ends_it_may_be_killed_too) {
  const unsigned seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 10; ++i) {
    const int first = 1 + static_cast<int>(random() % 90);
    const int second = 1 + static_cast<int>(random() % 90);
    BOOST_TEST_CONTEXT("seed " << seed << ": killed at " << first << ", then at " << second) {
      make_anew();
      run({.number = first, .what = kKill});
      run({.number = second, .what = kKill});
      BOOST_TEST(is_whole());
      check_goes_on(*this);
    }
  }
}

BOOST_AUTO_TEST_CASE(repair_without_the_manifest_doubles_no_sample) {
  make_anew();
  const std::vector<std::string> before = sample_names();
  int num_ended = 0;
  for_each_break(*this, {.what = kKill}, 3, [&](const CommandResult&) {
    fs::remove(dataset / "dataset.json");
    care::repair_dataset({.dataset = dataset}, no_progress, {});
    BOOST_TEST(is_whole());
    const std::vector<std::string> found = sample_names();
    num_ended += found == expected_samples ? 1 : 0;
    BOOST_TEST((found == expected_samples || found == before));
  });
  BOOST_TEST(num_ended > 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
