#include "tests/cli/run_command.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

namespace penstock::tests {
namespace {

std::string read_all(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> changed_environment(const EnvironmentChanges& changes) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (changes.count(text.substr(0, text.find('='))) == 0) environment.push_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (!value.empty()) environment.push_back(name + "=" + value);
  }
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

void require(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

std::filesystem::path make_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "penstock-cli-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
  return pattern;
}

}  // namespace

RunningCommand::RunningCommand(const std::vector<std::string>& arguments,
                               const EnvironmentChanges& changes,
                               const std::filesystem::path& program, const std::string& input)
    : folder_(make_folder()) {
  std::vector<std::string> words = {program.empty() ? PENSTOCK_PROGRAM : program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = changed_environment(changes);
  const std::string out = folder_ / "out";
  const std::string err = folder_ / "err";
  const std::string in = folder_ / "in";
  std::ofstream(in, std::ios::binary) << input;
  constexpr int kCreate = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_t actions;
  require(::posix_spawn_file_actions_init(&actions), "posix_spawn_file_actions_init");
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, in.c_str(), O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), kCreate, 0600);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), kCreate, 0600);
  const int error = ::posix_spawn(&pid_, words.front().c_str(), &actions, nullptr,
                                  pointers(words).data(), pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  require(error, ("posix_spawn " + words.front()).c_str());
}

RunningCommand::~RunningCommand() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;  // a destructor has nobody to tell
  std::filesystem::remove_all(folder_, ignored);
}

void RunningCommand::send(int signal_number) const {
  ::kill(pid_, signal_number);
}

bool RunningCommand::is_pending(int signal_number) const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("ShdPnd:")) continue;  // proc(5): of the process, in hexadecimal
    return (std::stoull(line.substr(7), nullptr, 16) >> (signal_number - 1) & 1u) != 0;
  }
  return false;
}

bool RunningCommand::has_ended_within(std::chrono::milliseconds most) const {
  const auto end = std::chrono::steady_clock::now() + most;
  while (true) {
    siginfo_t info{};
    const int options = WEXITED | WNOHANG | WNOWAIT;
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, options) == 0 && info.si_pid == pid_) {
      return true;
    }
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

std::chrono::milliseconds RunningCommand::cpu_time() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::milliseconds(time.tv_sec * 1000 + time.tv_nsec / 1'000'000);
}

std::string RunningCommand::err_so_far() const {
  return read_all(folder_ / "err");
}

CommandResult RunningCommand::wait() {
  int status = 0;
  rusage used{};
  while (::wait4(pid_, &status, 0, &used) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "wait4");
  }
  pid_ = -1;
  CommandResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.peak_rss_bytes =
      static_cast<std::uint64_t>(used.ru_maxrss) * 1024;  // getrusage(2): in KiB
  result.out = read_all(folder_ / "out");
  result.err = read_all(folder_ / "err");
  return result;
}

CommandResult run_penstock(const std::vector<std::string>& arguments,
                           const EnvironmentChanges& changes) {
  return RunningCommand(arguments, changes).wait();
}

CommandResult run_penstock_on(const std::string& input, const std::vector<std::string>& arguments) {
  return RunningCommand(arguments, {}, {}, input).wait();
}

CommandResult run_program(const std::filesystem::path& program,
                          const std::vector<std::string>& arguments,
                          const EnvironmentChanges& changes) {
  return RunningCommand(arguments, changes, program).wait();
}

}  // namespace penstock::tests
