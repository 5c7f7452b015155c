// A removal that is killed, or that a disk fails, is ended by the same command: what was asked to go is gone
// from every file, the rest is there once, and at no moment is there no whole dataset.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <iostream>
#include <random>

#include "streamer/shard/dataset.h"
#include "tests/contains.h"
#include "tests/tools/care/cared_dataset.h"
#include "tests/tools/care/restart/broken_command.h"
#include "tests/tools/folder_contents.h"
#include "tools/care/dataset_change.h"
#include "tools/care/repair_job.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

struct RemovePlace : ChangePlace {
  RemovePlace() {
    const Dataset open = Dataset::open(base);
    names = {open.split("train").read_name(1), open.split("validation").read_name(0), "cat/bad.jpg",
             "dog/twin a.jpg"};
    std::string text;
    for (const std::string& name : names) text += name + "\n";
    write_file(folder.path() / "list.txt", text);
    write_file(folder.path() / "other.txt", "dog/twin b.jpg\n");
    expect({"remove", dataset, "--list", folder.path() / "list.txt"});
  }

  // A removal that is done already does not find its names.
  std::vector<int> exit_codes() const {
    return {fs::exists(dataset / care::kUnfinishedChangeName) || !is_changed() ? 0 : 1};
  }

  std::vector<std::string> names;
};

BOOST_FIXTURE_TEST_SUITE(remove_restart, RemovePlace)

// What all other cases are held against.
BOOST_AUTO_TEST_CASE(unbroken_it_takes_out_what_was_asked_for_and_nothing_else) {
  for (const auto& [file, bytes] : expected) {
    for (const std::string& name : names) {
      BOOST_TEST(bytes.find(name) == std::string::npos, file << " has " << name);
      if (name == "dog/twin a.jpg") continue;  // its bytes stay as those of twin b
      const std::string picture = read_text_file(source / name);
      if (name != "cat/bad.jpg") BOOST_TEST(bytes.find(picture) == std::string::npos, file);
    }
  }
  BOOST_TEST(expected_samples.size() == 17u);
  BOOST_REQUIRE(run_penstock({"extract", dataset, folder.path() / "out"}).exit_code == 0);
  auto files = files_below(source);
  for (const std::string& name : names) files.erase(name);
  files.erase("dog/worse.jpg");
  BOOST_TEST((files_below(folder.path() / "out") == files));
}

BOOST_AUTO_TEST_CASE(killed_at_any_change_on_disk_it_is_ended_by_the_same_command) {
  const int num_kills =
      for_each_break(*this, {.what = kKill}, 1, [this](const CommandResult& killed) {
        BOOST_TEST(killed.exit_code == kKilled);
        check_goes_on(*this, exit_codes());
      });
  std::cout << "{\"harness\": \"remove_kills\", \"kills\": " << num_kills << "}\n";
  BOOST_TEST(num_kills > 20);
}

BOOST_AUTO_TEST_CASE(a_call_that_fails_costs_no_sample_and_the_same_command_ends_it) {
  int num_errors = 0;
  for (const bool is_lasting : {false, true}) {
    for_each_break(*this, {.what = EIO, .is_lasting = is_lasting}, is_lasting ? 4 : 1,
                   [&](const CommandResult& failed) {
                     BOOST_TEST((failed.exit_code == 0 || failed.exit_code == 1));
                     num_errors += failed.exit_code;
                     if (failed.exit_code == 0) {
                       BOOST_TEST(is_changed());
                     } else {
                       check_goes_on(*this, exit_codes());
                     }
                   });
  }
  std::cout << "{\"harness\": \"remove_faults\", \"typed_errors\": " << num_errors << "}\n";
  BOOST_TEST(num_errors > 40);
}

BOOST_AUTO_TEST_CASE(when_the_new_manifest_cannot_be_flushed_both_shards_stay_and_it_is_said) {
  bool was_switched = false;
  for_each_break(*this, {.call = "fsync", .what = EIO, .is_lasting = true}, 1,
                 [&](const CommandResult& failed) {
                   const auto found = contents(dataset);
                   if (found.at("dataset.json") != expected.at("dataset.json")) return;
                   if (is_changed()) return;
                   was_switched = true;
                   BOOST_TEST(failed.exit_code == 1);
                   BOOST_TEST(contains(failed.err, "the same command again"));
                   BOOST_TEST(is_whole());
                   for (const auto& [file, bytes] : contents(base)) {
                     if (file.ends_with(".h5") && !found.contains(file)) {
                       BOOST_TEST(contains(failed.err, file));
                     }
                   }
                 });
  BOOST_TEST(was_switched);
}

BOOST_AUTO_TEST_CASE(the_one_that_ends_it_may_be_killed_too) {
  const unsigned seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 10; ++i) {
    const int first = 1 + static_cast<int>(random() % 40);
    const int second = 1 + static_cast<int>(random() % 20);
    BOOST_TEST_CONTEXT("seed " << seed << ": killed at " << first << ", then at " << second) {
      make_anew();
      run({.number = first, .what = kKill});
      run({.number = second, .what = kKill});
      BOOST_TEST(is_whole());
      check_goes_on(*this, exit_codes());
    }
  }
}

BOOST_AUTO_TEST_CASE(repair_without_the_manifest_neither_brings_back_nor_doubles_a_sample) {
  make_anew();
  const std::vector<std::string> all = sample_names();
  int num_ended = 0;
  for_each_break(*this, {.what = kKill}, 2, [&](const CommandResult&) {
    const bool is_switched =
        read_text_file(dataset / "dataset.json") != read_text_file(base / "dataset.json");
    fs::remove(dataset / "dataset.json");
    care::repair_dataset({.dataset = dataset}, no_progress, {});
    BOOST_TEST(is_whole());
    const std::vector<std::string> found = sample_names();
    num_ended += found == expected_samples ? 1 : 0;
    BOOST_TEST((found == expected_samples || (found == all && !is_switched)));
  });
  BOOST_TEST(num_ended > 5);
}

// What was asked for before is known no more, so what is done must not depend on it.
BOOST_AUTO_TEST_CASE(another_removal_ends_it_first) {
  const std::vector<std::string> other = {"remove", dataset, "--list", folder.path() / "other.txt"};
  make_anew();
  BOOST_REQUIRE(run().exit_code == 0);
  BOOST_REQUIRE(run_penstock(other).exit_code == 0);
  const auto both = contents(dataset);
  for_each_break(*this, {.what = kKill}, 4, [&](const CommandResult&) {
    const bool is_switched =
        read_text_file(dataset / "dataset.json") != read_text_file(base / "dataset.json");
    const CommandResult done = run_penstock(other);
    BOOST_TEST(done.exit_code == 0, done.err);
    BOOST_TEST(is_whole());
    if (is_switched) BOOST_TEST((contents(dataset) == both));
  });
}

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_read_stops_a_change_and_removes_nothing) {
  make_anew();
  for (const char* text :
       {"", "{}", "[1]",
        "{\"format\": \"penstock unfinished change 1\", \"kind\": \"remove\", \"manifest_xxh3\": "
        "\"0\", "
        "\"new_shards\": [], \"old_shards\": [\"../base.ds/train-00000.h5\"], \"lists\": [], "
        "\"removed_names\": []}"}) {
    write_file(dataset / care::kUnfinishedChangeName, text);
    const CommandResult refused = run();
    BOOST_TEST(refused.exit_code == 3);
    BOOST_TEST(contains(refused.err, care::kUnfinishedChangeName));
    fs::remove(dataset / care::kUnfinishedChangeName);
    BOOST_TEST((contents(dataset) == contents(base)));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
