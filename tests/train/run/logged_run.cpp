// A training run that tells line by line which samples its steps take: a program of its own so that it can be
// killed.
//
//   logged_run RUN_FILE OUT HOLD_AT
//
// Begins the run of RUN_FILE in OUT, or goes on with it. Behind the line of number HOLD_AT it holds still until
// a signal comes; 0 stands for none. Exits with 0 when the run is done, with 4 when it was stopped.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "tools/stop_signals.h"
#include "train/run/session.h"
#include "train/run/settings/run_file.h"

using namespace penstock;

namespace {

/// Writes each event as one line to standard output, a pipe.
class LineLog final : public train::RunObserver {
 public:
  LineLog(std::stop_token stop, std::uint64_t hold_at)
      : stop_(std::move(stop)), hold_at_(hold_at) {}

  void on_train_batch(const BatchView& batch) override {
    std::string line = "batch " + std::to_string(batch.epoch);
    for (std::uint32_t i = 0; i < batch.num_valid; ++i) {
      line += " " + std::to_string(batch.positions[i]) + ":" + std::to_string(batch.sample_ids[i]);
    }
    write_line(line);
  }
  void on_train_step(const train::EpochReport&) override { write_line("step"); }
  void on_validation_step(const train::EpochReport&, const train::PassReport&) override {
    write_line("validation");
  }
  void on_epoch(const train::EpochReport&) override { write_line("epoch"); }
  void on_checkpoint(std::uint64_t) override { write_line("checkpoint"); }
  void on_start(const train::RunOverview&) override {}
  void on_skipped(const train::SkippedSample&) override {}

 private:
  void write_line(std::string line) {
    line += "\n";
    // So short a write to a pipe is whole or not there (pipe(7), PIPE_BUF), and outlives the process.
    const auto num_written = ::write(STDOUT_FILENO, line.data(), line.size());
    if (num_written != static_cast<ssize_t>(line.size())) {
      throw Error(ErrorCode::kIo, "log: expected a reader, found none");
    }
    if (++num_lines_ == hold_at_) hold();
  }
  void hold() {
    std::mutex mutex;
    std::condition_variable_any condition;
    std::unique_lock lock(mutex);
    condition.wait(lock, stop_, [] { return false; });
  }

  std::stop_token stop_;
  std::uint64_t hold_at_;
  std::uint64_t num_lines_ = 0;
};

int run_logged(const char* run_file, const char* out, std::uint64_t hold_at,
               const std::stop_token& stop) {
  try {
    train::RunConfig config = train::read_run_file(run_file);
    config.out = out;
    LineLog log(stop, hold_at);
    return train::train_run(config, log, stop, train::RunStart::kResume).was_stopped ? 4 : 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "logged_run: %s\n", error.what());
    return 3;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: logged_run RUN_FILE OUT HOLD_AT\n");
    return 2;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // one that holds still would outlive a test that was killed
  const tools::StopSignals signals;
  const int exit_code = run_logged(argv[1], argv[2], std::stoull(argv[3]), signals.token());
  ::_exit(exit_code);  // while signals are heard: one that comes too late changes nothing
}
