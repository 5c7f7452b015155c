// Every call by which a dataset is opened and read fails once, in a fresh process: the bytes are
// the same, or the error has a type and a name. Never a crash, never a hang.
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>
#include <iostream>

#include "tests/cli/run_command.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

constexpr int kCrash = 128;  // and above: ended by a signal

struct Fault {
  std::string call;
  int number = 0;
  int what = 0;  // an errno value; 0: a short count
  bool is_lasting = false;
};

struct Outcome {
  tests::CommandResult result;
  bool was_bent = false;  // the call was made

  bool is_error(const std::string& code) const {
    return result.exit_code == 3 && result.out.starts_with(code + ": ");
  }
  bool names(const std::string& text) const { return result.out.find(text) != std::string::npos; }
};

struct DatasetSize {
  std::uint64_t num_raw = 8;  // beside 20 others
  std::size_t samples_per_shard = 14;
};

struct Fixture {
  explicit Fixture(const DatasetSize& size = {}, std::vector<std::string> more = {})
      : more_arguments(std::move(more)) {
    std::vector<tests::SmallSample> samples = tests::mixed_samples(20);
    for (std::uint64_t i = 0; i < size.num_raw; ++i) samples.push_back(tests::raw_sample(9, 5, i));
    tests::write_small_dataset(dataset, samples, size.samples_per_shard);
    expected = tests::run_program(PENSTOCK_STREAM_DATASET, arguments(1)).out;
    BOOST_REQUIRE(expected.starts_with("bytes "));
    BOOST_REQUIRE(expected.find("failed") == std::string::npos);
  }

  std::vector<std::string> arguments(int num_readers) const {
    std::vector<std::string> all = {dataset.native(), std::to_string(num_readers)};
    all.insert(all.end(), more_arguments.begin(), more_arguments.end());
    return all;
  }

  Outcome run(const Fault& fault, int num_readers = 1) const {
    const char* const sanitizer = std::getenv("ASAN_OPTIONS");
    const tests::EnvironmentChanges changes = {
        {"LD_PRELOAD", PENSTOCK_FAULTY_CALLS},
        {"PENSTOCK_FAULT", fault.call + ":" + std::to_string(fault.number) +
                               (fault.is_lasting ? "+:" : ":") + std::to_string(fault.what)},
        {"PENSTOCK_FAULT_FOLDER", dataset.native()},
        // AddressSanitizer wants to be the first library of all.
        {"ASAN_OPTIONS", (sanitizer == nullptr ? std::string() : std::string(sanitizer) + ":") +
                             "verify_asan_link_order=0"}};
    Outcome outcome{tests::run_program(PENSTOCK_STREAM_DATASET, arguments(num_readers), changes)};
    BOOST_REQUIRE_MESSAGE(outcome.result.err.find("calls bent: ") != std::string::npos,
                          "the faulty calls were not there: " << outcome.result.err);
    outcome.was_bent = outcome.result.err.find("calls bent: 0\n") == std::string::npos;
    return outcome;
  }

  // Runs it and holds what every fault must come to.
  Outcome checked(const Fault& fault) {
    const Outcome outcome = run(fault, 1 + fault.number % 2);
    BOOST_TEST_INFO(fault.call << " number " << fault.number << ": " << std::strerror(fault.what)
                               << (fault.is_lasting ? ", from then on" : ""));
    BOOST_TEST_INFO(outcome.result.out << outcome.result.err);
    BOOST_TEST(outcome.result.exit_code < kCrash);
    const bool is_same = outcome.result.out == expected;
    BOOST_TEST((is_same || outcome.result.exit_code == 3));
    BOOST_TEST((outcome.was_bent || is_same));
    ++(is_same ? num_identical : num_errors);
    return outcome;
  }

  void print_counts(const char* harness) const {
    std::cout << "{\"harness\": \"" << harness << "\", \"runs\": " << num_identical + num_errors
              << ", \"identical\": " << num_identical << ", \"typed_errors\": " << num_errors
              << "}\n";
  }

  const std::vector<std::string> more_arguments;
  tests::TemporaryFolder folder;
  std::filesystem::path dataset = folder.path() / "d";
  std::string expected;
  int num_identical = 0;
  int num_errors = 0;
};

BOOST_FIXTURE_TEST_SUITE(faults, Fixture)

// Up to 20 of the design's promise, and on in steps to the last sample's read.
std::vector<int> call_numbers() {
  std::vector<int> numbers;
  for (int n = 1; n <= 20; ++n) numbers.push_back(n);
  for (int n = 25; n <= 60; n += 5) numbers.push_back(n);
  return numbers;
}

BOOST_AUTO_TEST_CASE(a_read_that_is_short_or_interrupted_changes_no_byte) {
  for (const int what : {0, EINTR, EAGAIN}) {
    int num_bent = 0;
    for (const int n : call_numbers()) {
      const Outcome outcome = checked({.call = "pread", .number = n, .what = what});
      BOOST_TEST(outcome.result.out == expected);
      num_bent += outcome.was_bent;
    }
    BOOST_TEST(num_bent > 20);
  }
  print_counts("pread_short_eintr_eagain");
}

BOOST_AUTO_TEST_CASE(a_read_that_fails_names_the_file_and_later_the_sample) {
  for (const int what : {EIO, ESTALE, ENOSPC}) {
    int num_samples = 0;
    for (const int n : call_numbers()) {
      const Outcome outcome = checked({.call = "pread", .number = n, .what = what});
      if (!outcome.was_bent) continue;
      BOOST_TEST(outcome.is_error("Io"));
      BOOST_TEST(outcome.names(std::strerror(what)));
      BOOST_TEST(outcome.names(dataset.native() + "/"));
      BOOST_TEST(outcome.names(" at offset "));
      BOOST_TEST((what == ENOSPC || !outcome.names("hint: \n")));
      num_samples += outcome.result.out.starts_with("Io: sample ");
    }
    BOOST_TEST(num_samples > 2);
  }
  print_counts("pread_eio_estale_enospc");
}

BOOST_AUTO_TEST_CASE(opening_fails_with_a_name_or_is_tried_again) {
  for (const char* call : {"open", "stat", "fstat"}) {
    int num_bent = 0;
    for (const int what : {EIO, ESTALE, EINTR, EAGAIN, ENOSPC}) {
      for (int n = 1; n <= 8; ++n) {
        const Outcome outcome = checked({.call = call, .number = n, .what = what});
        num_bent += outcome.was_bent;
        if (outcome.result.exit_code != 3) continue;
        BOOST_TEST(outcome.is_error("Io"));
        BOOST_TEST(outcome.names(std::strerror(what)));
        BOOST_TEST(outcome.names(dataset.native()));
      }
    }
    BOOST_TEST(num_bent > 0);
  }
  BOOST_TEST(checked({.call = "open", .number = 2, .what = EINTR}).result.out == expected);
  print_counts("open_stat_fstat");
}

BOOST_AUTO_TEST_CASE(a_disk_that_never_answers_again_ends_the_run) {
  for (const int what : {EIO, EAGAIN}) {
    for (const int n : {1, 9, 20}) {
      const Outcome outcome =
          checked({.call = "pread", .number = n, .what = what, .is_lasting = true});
      BOOST_TEST(outcome.is_error("Io"));
    }
  }
  const Outcome slow = checked({.call = "pread", .number = 2, .what = 0, .is_lasting = true});
  BOOST_TEST(slow.result.out == expected);  // half of what is asked for, again and again
}

// 1,170 samples: 19 pages, of which 16 are kept within the least memory.
struct PagedFixture : Fixture {
  PagedFixture() : Fixture({.num_raw = 1150, .samples_per_shard = 400}, {"least"}) {}
};

BOOST_FIXTURE_TEST_CASE(a_page_of_the_index_that_cannot_be_read_names_the_sample, PagedFixture) {
  for (const int what : {EIO, 0}) {
    int num_pages = 0;
    for (int n = 12; n <= 40; n += 2) {
      const Outcome outcome = checked({.call = "pread", .number = n, .what = what});
      BOOST_TEST(outcome.was_bent);
      if (what == 0) {
        BOOST_TEST(outcome.result.out == expected);
        continue;
      }
      BOOST_TEST(outcome.is_error("Io"));
      if (!outcome.names(": index: ")) continue;
      ++num_pages;
      BOOST_TEST(outcome.result.out.starts_with("Io: sample "));
      BOOST_TEST(outcome.names(dataset.native() + "/train-0000"));
      BOOST_TEST(outcome.names(" at offset "));
    }
    BOOST_TEST((what == 0 || num_pages > 2));
  }
  print_counts("pread_of_index_pages");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
