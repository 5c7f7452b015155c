// A writer that is killed, or that a disk fails, costs no checkpoint but its own.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>

#include "streamer/core/error.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/train/store/small_checkpoint.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using tests::contains;
using tests::small_checkpoint;

/// As tests/streamer/faults/faulty_calls.cpp takes it.
struct Fault {
  std::string call;
  int number = 1;
  int what = 0;
  bool is_lasting = false;
};
constexpr int kKill = -1;
constexpr int kKilled = 128 + SIGKILL;
constexpr int kFailed = 3;

// Everything by which a checkpoint is written, published and removed.
constexpr const char* kCalls[] = {"mkdir", "open", "pwrite", "fsync", "rename", "unlink"};

struct Place {
  tests::TemporaryFolder disk{tests::quick_disk()};
  fs::path base = disk.path() / "base";
  fs::path folder = disk.path() / "checkpoints";

  Place() {
    write_checkpoint(base, small_checkpoint(100));
    write_checkpoint(base, small_checkpoint(200));
  }

  /// Two checkpoints, of the steps 100 and 200.
  void make_anew() const {
    fs::remove_all(folder);
    fs::copy(base, folder, fs::copy_options::recursive);
  }
  tests::CommandResult store(std::uint64_t step, const Fault& fault = {}) const {
    tests::EnvironmentChanges changes;
    if (!fault.call.empty()) {
      const char* const sanitizer = std::getenv("ASAN_OPTIONS");
      changes = {
          {"LD_PRELOAD", PENSTOCK_FAULTY_CALLS},
          {"PENSTOCK_FAULT", fault.call + ":" + std::to_string(fault.number) +
                                 (fault.is_lasting ? "+:" : ":") + std::to_string(fault.what)},
          {"PENSTOCK_FAULT_FOLDER", folder.native()},
          // AddressSanitizer wants to be the first library of all.
          {"ASAN_OPTIONS", (sanitizer == nullptr ? std::string() : std::string(sanitizer) + ":") +
                               "verify_asan_link_order=0"}};
    }
    return tests::run_program(PENSTOCK_PROGRAM, {folder.native(), std::to_string(step)}, changes);
  }
  std::vector<std::uint64_t> steps() const {
    std::vector<std::uint64_t> found;
    for (const CheckpointEntry& entry : list_checkpoints(folder)) {
      found.push_back(entry.numbers.step);
    }
    return found;
  }
  /// Whatever happened, nothing is half: the newest one is whole, and so are all.
  void check_resumable() const {
    const ResumableCheckpoint found = find_resumable(folder);
    BOOST_TEST(found.damaged.empty());
    BOOST_TEST((found.checkpoint.state().step == 200u || found.checkpoint.state().step == 300u));
    for (const CheckpointEntry& entry : list_checkpoints(folder)) {
      BOOST_TEST(tests::difference_from_small(CheckpointReader::open(entry.path)) == "");
    }
  }
  /// The next one is stored as if nothing had been.
  void check_goes_on() const {
    const std::uint64_t newest = steps().front();
    const tests::CommandResult next = store(400);
    BOOST_TEST(next.exit_code == 0, next.out);
    BOOST_TEST(steps() == (std::vector<std::uint64_t>{400, newest}),
               boost::test_tools::per_element());
    BOOST_TEST(tests::count_entries(folder) == 2u);
  }
  /// Breaks the call with ever higher numbers until the program makes no such call.
  int for_each_break(Fault fault,
                     const std::function<void(const tests::CommandResult&)>& check) const {
    constexpr int kMaxCalls = 200;
    for (; fault.number <= kMaxCalls; ++fault.number) {
      make_anew();
      const tests::CommandResult broken = store(300, fault);
      BOOST_TEST_CONTEXT(fault.call << " number " << fault.number << ": " << broken.out
                                    << broken.err) {
        if (contains(broken.err, "calls bent: 0\n")) {
          BOOST_TEST(broken.exit_code == 0);
          BOOST_TEST(steps() == (std::vector<std::uint64_t>{300, 200}),
                     boost::test_tools::per_element());
          return fault.number - 1;
        }
        check_resumable();
        check(broken);
      }
    }
    BOOST_FAIL("a program without an end");
    return kMaxCalls;
  }
};

/// Runs `action` in a child; returns what it returns.
int in_child(const std::function<int()>& action) {
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    try {
      ::_exit(action());
    } catch (const std::exception&) {
      ::_exit(99);
    }
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

BOOST_FIXTURE_TEST_SUITE(checkpoint_restart, Place)

BOOST_AUTO_TEST_CASE(killed_at_any_call_the_one_before_is_there) {
  int num_kills = 0;
  bool was_published = false;
  for (const char* call : kCalls) {
    const int num = for_each_break({.call = call, .what = kKill}, [&](const auto& killed) {
      BOOST_TEST(killed.exit_code == kKilled);
      was_published |= steps().front() == 300u;
      check_goes_on();
    });
    BOOST_TEST(num > 0, call);
    num_kills += num;
  }
  std::cout << "{\"harness\": \"checkpoint_kills\", \"kills\": " << num_kills << "}\n";
  BOOST_TEST(num_kills > 30);
  BOOST_TEST(was_published);
}

BOOST_AUTO_TEST_CASE(a_call_that_fails_is_an_error_and_leaves_nothing_half) {
  int num_errors = 0;
  for (const char* call : kCalls) {
    for (const int what : {ENOSPC, EIO}) {
      for_each_break({.call = call, .what = what}, [&](const tests::CommandResult& failed) {
        const bool is_published = steps().front() == 300u;
        BOOST_TEST(failed.exit_code == kFailed);
        BOOST_TEST(contains(failed.out, "Io: "));
        BOOST_TEST(contains(failed.out, std::strerror(what)));
        num_errors += failed.exit_code == kFailed ? 1 : 0;
        // An old one that could be removed in part only is left to the next writer.
        if (!is_published) BOOST_TEST(tests::count_entries(folder) == 2u);
        check_goes_on();
      });
    }
  }
  std::cout << "{\"harness\": \"checkpoint_faults\", \"typed_errors\": " << num_errors << "}\n";
  BOOST_TEST(num_errors > 70);
}

BOOST_AUTO_TEST_CASE(a_disk_that_stays_full_keeps_the_one_before) {
  int num_errors = 0;
  for_each_break({.call = "pwrite", .what = ENOSPC, .is_lasting = true}, [&](const tests::
                                                                                 CommandResult&
                                                                                     failed) {
    ++num_errors;
    BOOST_TEST(failed.exit_code == kFailed);
    BOOST_TEST(contains(failed.out, "Io: write: "));
    BOOST_TEST(contains(failed.out, ": No space left on device"));
    BOOST_TEST(steps() == (std::vector<std::uint64_t>{200, 100}), boost::test_tools::per_element());
    BOOST_TEST(tests::count_entries(folder) == 2u);
  });
  BOOST_TEST(num_errors > 10);
}

// From one below the smallest file to one above the largest, state.json.
BOOST_AUTO_TEST_CASE(every_limit_of_file_size_keeps_the_one_before) {
  int num_failed = 0;
  const std::uint64_t largest = fs::file_size(list_checkpoints(base).front().path / "state.json");
  for (std::uint64_t max_bytes = 1; max_bytes < largest + 200; max_bytes += 100) {
    make_anew();
    const int outcome = in_child([&] {
      std::signal(SIGXFSZ, SIG_IGN);  // as the program does
      const rlimit limit{.rlim_cur = max_bytes, .rlim_max = RLIM_INFINITY};
      if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 98;
      try {
        write_checkpoint(folder, small_checkpoint(300));
        return 0;
      } catch (const Error& error) {
        return error.code() == ErrorCode::kIo && error.os_error() == EFBIG ? 1 : 97;
      }
    });
    BOOST_TEST_CONTEXT("at most " << max_bytes << " bytes a file") {
      BOOST_TEST((outcome == 1 || (outcome == 0 && max_bytes >= largest)));
      num_failed += outcome;
      check_resumable();
      BOOST_TEST(tests::count_entries(folder) == (outcome == 0 ? 3u : 2u));
    }
  }
  BOOST_TEST(num_failed > 5);
}

// Only the superuser mounts.
BOOST_AUTO_TEST_CASE(a_full_file_system_keeps_the_one_before_and_has_its_room_again) {
  constexpr int kSkipped = 77;
  fs::create_directory(folder);
  const int outcome = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", folder.c_str(), "tmpfs", 0, "size=128k") != 0) {
      return kSkipped;
    }
    // 80 kB: there is room for one of them.
    const auto large = [](std::uint64_t step) {
      CheckpointContent content = small_checkpoint(step);
      content.model.tensors = {{"w", {20'000}}};
      content.model.fill = [](std::size_t, std::span<float> values) {
        std::fill(values.begin(), values.end(), 1.0f);
      };
      return content;
    };
    write_checkpoint(folder, large(100));
    try {
      write_checkpoint(folder, large(200));
      return 1;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kIo || error.os_error() != ENOSPC) return 2;
    }
    if (tests::count_entries(folder) != 1) return 3;
    if (find_resumable(folder).checkpoint.state().step != 100) return 4;
    write_checkpoint(folder, small_checkpoint(300));
    return find_resumable(folder).checkpoint.state().step == 300 ? 0 : 5;
  });
  if (outcome == kSkipped) {
    std::cout << "SKIPPED: a file system of its own needs the right to mount\n";
    return;
  }
  BOOST_TEST(outcome == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
