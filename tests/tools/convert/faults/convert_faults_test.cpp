// Every call by which a conversion reads its source and writes its dataset fails once, in a fresh
// process: the dataset is the same, or the error has a name and the same command mends it. Never a crash,
// never half a dataset that looks whole, never a good picture lost for another's fault.
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>

#include "streamer/core/file.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/folder_contents.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

constexpr int kCrash = 128;  // and above: ended by a signal
constexpr int kMaxNumber = 20;

struct Fault {
  std::string call;
  int number = 0;
  int what = 0;  // an errno value; 0: a short count
};

struct Outcome {
  CommandResult result;
  bool was_bent = false;  // the call was made
};

// In the words of the operating system, or in better ones.
std::string words_of(int what) {
  return what == EMFILE ? "expected a free file descriptor" : std::strerror(what);
}

struct Place {
  Place() {
    write_cats_and_dogs(source, 8);
    const std::vector<std::byte> whole = picture_jpeg({.seed = 77});
    write_file(source / "cat/cut.jpg", std::span(whole).first(whole.size() / 2));
    write_file(source / "dog/empty.jpg", "");
    BOOST_REQUIRE(run_penstock(arguments()).exit_code == 0);
    expected = contents(dataset);
    BOOST_REQUIRE(expected.contains("quarantine.csv"));
    fs::remove_all(dataset);
  }

  std::vector<std::string> arguments() const {
    return {
        "convert",  source.native(), dataset.native(), "--validation-split", "0.3", "--jobs", "2",
        "--memory", "256M"};
  }

  Outcome run(const Fault& fault, const fs::path& files) const {
    const char* const sanitizer = std::getenv("ASAN_OPTIONS");
    Outcome outcome{run_penstock(
        arguments(),
        {{"LD_PRELOAD", PENSTOCK_FAULTY_CALLS},
         {"PENSTOCK_FAULT",
          fault.call + ":" + std::to_string(fault.number) + ":" + std::to_string(fault.what)},
         {"PENSTOCK_FAULT_FOLDER", files.native()},
         // AddressSanitizer wants to be the first library of all.
         {"ASAN_OPTIONS", (sanitizer == nullptr ? std::string() : std::string(sanitizer) + ":") +
                              "verify_asan_link_order=0"}})};
    const std::string& said = outcome.result.err;
    BOOST_REQUIRE_MESSAGE(contains(said, "calls bent: "), "no faulty calls were there: " << said);
    outcome.was_bent = !contains(said, "calls bent: 0\n");
    ++num_runs;
    return outcome;
  }

  // What every fault must come to; then a place as at first.
  void check(const Fault& fault, const Outcome& outcome) {
    BOOST_TEST_CONTEXT(fault.call << " number " << fault.number << ": "
                                  << (fault.what == 0 ? "short" : std::strerror(fault.what)) << "\n"
                                  << outcome.result.err) {
      BOOST_TEST(outcome.result.exit_code < kCrash);
      if (outcome.result.exit_code != 0) {
        ++num_errors;
        BOOST_TEST(outcome.was_bent);
        BOOST_TEST(outcome.result.exit_code == 1);
        BOOST_TEST(contains(outcome.result.err, words_of(fault.what)));
        BOOST_TEST(contains(outcome.result.err, folder.path().native()));
        // After the last step there may be a dataset already; then it is whole.
        if (!fs::exists(dataset)) {
          const CommandResult again = run_penstock(arguments());
          BOOST_TEST(again.exit_code == 0, again.err);
        }
      }
      BOOST_TEST((contents(dataset) == expected));
      BOOST_TEST(!fs::exists(folder.path() / "ds.partial"));
    }
    fs::remove_all(dataset);
    fs::remove_all(folder.path() / "ds.partial");
  }

  void print_counts(const char* harness) const {
    std::cout << "{\"harness\": \"" << harness << "\", \"runs\": " << num_runs
              << ", \"typed_errors\": " << num_errors << "}\n";
  }

  TemporaryFolder folder{fs::is_directory("/dev/shm") ? fs::path("/dev/shm")
                                                      : fs::temp_directory_path()};
  fs::path source = folder.path() / "photos";
  fs::path dataset = folder.path() / "ds";
  std::map<std::string, std::string> expected;
  mutable int num_runs = 0;
  int num_errors = 0;
};

BOOST_FIXTURE_TEST_SUITE(convert_faults, Place)

BOOST_AUTO_TEST_CASE(reads_and_writes_that_are_short_or_interrupted_change_nothing) {
  const std::vector<std::pair<std::string, int>> faults = {
      {"pread", 0}, {"pread", EINTR}, {"pread", EAGAIN}, {"open", EINTR}};
  for (const auto& [call, what] : faults) {
    for (int n = 1; n <= kMaxNumber; n += 4) {
      const Fault fault{.call = call, .number = n, .what = what};
      const Outcome outcome = run(fault, source);
      BOOST_TEST(outcome.was_bent);
      BOOST_TEST(outcome.result.exit_code == 0, outcome.result.err);
      check(fault, outcome);
    }
  }
  for (const int what : {0, EINTR}) {
    for (int n = 1; n <= kMaxNumber; n += 4) {
      const Fault fault{.call = "pwrite", .number = n, .what = what};
      const Outcome outcome = run(fault, dataset);
      BOOST_TEST(outcome.result.exit_code == 0, outcome.result.err);
      check(fault, outcome);
    }
  }
  print_counts("convert_short_eintr_eagain");
}

// EIO, ESTALE, EMFILE: a disk, a server, this process. What would meet every file ends the conversion; nothing
// is quarantined for it.
BOOST_AUTO_TEST_CASE(a_source_that_fails_ends_the_conversion_and_the_same_command_mends_it) {
  for (const auto& [call, what] : std::vector<std::pair<std::string, int>>{
           {"pread", EIO}, {"pread", ESTALE}, {"open", EIO}, {"open", EMFILE}, {"fstat", EIO}}) {
    for (int n = 1; n <= kMaxNumber; n += 6) {
      const Fault fault{.call = call, .number = n, .what = what};
      const Outcome outcome = run(fault, source);
      BOOST_TEST(outcome.was_bent);
      BOOST_TEST(outcome.result.exit_code == 1);
      check(fault, outcome);
    }
  }
  print_counts("convert_source_faults");
}

BOOST_AUTO_TEST_CASE(a_disk_that_fails_or_is_full_ends_it_and_the_same_command_mends_it) {
  const std::vector<std::string> calls = {"pwrite", "fsync",     "open",
                                          "rename", "fallocate", "ftruncate"};
  for (const std::string& call : calls) {
    for (int n = 1; n <= kMaxNumber; ++n) {
      const Fault fault{.call = call, .number = n, .what = n % 2 == 0 ? EIO : ENOSPC};
      const Outcome outcome = run(fault, dataset);
      check(fault, outcome);
      if (!outcome.was_bent) break;
    }
  }
  BOOST_TEST(num_errors > 30);
  print_counts("convert_disk_faults");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
