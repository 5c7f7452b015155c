// A command that changes a dataset, broken at one of its system calls, and what must come of it.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/cli/run_command.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {

/// As tests/streamer/faults/faulty_calls.cpp takes it.
struct Fault {
  std::string call = "change";  // a rename, link, unlink or fsync
  int number = 1;
  int what = 0;  // an errno value, or kKill
  bool is_lasting = false;
};
inline constexpr int kKill = -1;
inline constexpr int kKilled = 128 + 9;  // the exit code that RunningCommand gives a SIGKILL

/// Calls on files whose path begins as `files` are the ones that break.
CommandResult run_broken(const std::vector<std::string>& arguments, const Fault& fault,
                         const std::filesystem::path& files);

/// A command on a dataset that is made anew for each run, and the dataset that it makes unbroken.
struct ChangePlace {
  ChangePlace();

  /// Runs the command unbroken and keeps what it makes of the dataset.
  void expect(std::vector<std::string> command);
  /// Makes the dataset as it is before the command.
  void make_anew() const;
  CommandResult run() const { return run_penstock(arguments); }
  CommandResult run(const Fault& fault) const { return run_broken(arguments, fault, dataset); }
  bool is_changed() const;
  /// Checksums and counts hold, by the library.
  bool is_whole() const;
  /// Names in the dataset's folder and in the one that it lies in, and the names of all samples.
  std::set<std::string> names_beside() const;
  std::vector<std::string> sample_names() const;

  TemporaryFolder folder;
  std::filesystem::path source = folder.path() / "photos";
  std::filesystem::path base = folder.path() / "base.ds";
  std::filesystem::path dataset = folder.path() / "photos.ds";
  std::vector<std::string> arguments;
  std::map<std::string, std::string> expected;
  std::set<std::string> expected_beside;
  std::vector<std::string> expected_samples;
};

/// The command is broken by `fault` with its number, one `step` more and so on until it makes no such call; each
/// time `check` looks at what is there. Returns how often it was broken.
int for_each_break(const ChangePlace& place, Fault fault, int step,
                   const std::function<void(const CommandResult&)>& check);

/// The same command once more: now all is as an unbroken one leaves it.
void check_goes_on(const ChangePlace& place, const std::vector<int>& exit_codes = {0});

}  // namespace penstock::tests
