// Runs the program as a user types it, without a shell, and keeps what it says.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace penstock::tests {

struct CommandResult {
  int exit_code = -1;  // 128 + signal when a signal ended it
  std::string out;
  std::string err;
  std::uint64_t peak_rss_bytes = 0;
};

/// Variables that differ from this process's environment; an empty value removes one.
using EnvironmentChanges = std::map<std::string, std::string>;

/// Runs `penstock` with `arguments` and waits for it. Standard input is empty.
CommandResult run_penstock(const std::vector<std::string>& arguments,
                           const EnvironmentChanges& changes = {});
/// The same with `input` on standard input.
CommandResult run_penstock_on(const std::string& input, const std::vector<std::string>& arguments);
/// The same for another program, named by its path.
CommandResult run_program(const std::filesystem::path& program,
                          const std::vector<std::string>& arguments,
                          const EnvironmentChanges& changes = {});

/// A running program, `penstock` if no other is named, for tests that send it signals.
class RunningCommand {
 public:
  explicit RunningCommand(const std::vector<std::string>& arguments,
                          const EnvironmentChanges& changes = {},
                          const std::filesystem::path& program = {}, const std::string& input = {});
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;
  ~RunningCommand();  // kills it when nobody waited

  void send(int signal_number) const;
  /// Whether such a signal was sent and has not been taken yet.
  bool is_pending(int signal_number) const;
  /// Whether it has ended; waits for that as long as told. wait() says how.
  bool has_ended_within(std::chrono::milliseconds most) const;
  /// Time on processors so far.
  std::chrono::milliseconds cpu_time() const;
  /// What it has said so far on standard error.
  std::string err_so_far() const;
  CommandResult wait();

 private:
  int pid_ = -1;
  std::filesystem::path folder_;  // holds what it says; a full pipe would stop the program
};

}  // namespace penstock::tests
