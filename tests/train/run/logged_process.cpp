#include "tests/train/run/logged_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace penstock::train::tests {
namespace {

void require(bool is_done, int error, const char* what) {
  if (!is_done) throw std::system_error(error, std::generic_category(), what);
}

/// The program with its standard output as a pipe; killed where nobody waited for it.
class LoggedProcess {
 public:
  explicit LoggedProcess(std::vector<std::string> words) {
    std::array<int, 2> ends{};
    require(::pipe2(ends.data(), O_CLOEXEC) == 0, errno, "pipe2");
    lines_ = ::fdopen(ends[0], "r");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const int error =
        ::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    require(error == 0, error, "posix_spawn");
  }
  LoggedProcess(const LoggedProcess&) = delete;
  LoggedProcess& operator=(const LoggedProcess&) = delete;
  ~LoggedProcess() {
    std::fclose(lines_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  /// Waits for the next line; nothing when the process has ended.
  std::optional<std::string> next_line() {
    std::string line;
    for (int character = std::fgetc(lines_); character != EOF; character = std::fgetc(lines_)) {
      if (character == '\n') return line;
      line += static_cast<char>(character);
    }
    return std::nullopt;
  }
  void send(int signal_number) const { ::kill(pid_, signal_number); }
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) require(errno == EINTR, errno, "waitpid");
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  std::FILE* lines_ = nullptr;
};

}  // namespace

EndedProcess run_logged(const std::filesystem::path& run_file, const std::filesystem::path& out,
                        const std::optional<Ending>& ending) {
  const std::uint64_t hold_at = ending && ending->holds_still ? ending->num_lines : 0;
  LoggedProcess process({PENSTOCK_PROGRAM, run_file, out, std::to_string(hold_at)});
  EndedProcess ended;
  while (auto line = process.next_line()) {
    ended.lines.push_back(std::move(*line));
    if (ending && ended.lines.size() == ending->num_lines) process.send(ending->signal_number);
  }
  ended.exit_code = process.wait();
  return ended;
}

}  // namespace penstock::train::tests
