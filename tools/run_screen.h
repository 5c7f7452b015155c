// A training run as a user sees it: what is about to happen, one line per epoch, how it ended.
#pragma once

#include <memory>
#include <string>

#include "tools/terminal.h"
#include "train/run/session.h"

namespace penstock::tools {

/// "3,068 of 3,068 samples, each once, 0 skipped"; "each once" only when the tally says so.
std::string samples_text(const train::PassReport& pass);

/// "76.9 %"; "-" when nothing was counted.
std::string percent_text(double share);

/// "top-5 94.1 %, macro F1 0.7123": what a validation adds to loss and top-1; top-5 of more classes only.
std::string more_metrics_text(const train::MetricTable& metrics);

/// "0.7891"; "-" when nothing was counted.
std::string loss_text(double loss);

/// What the run holds, against its limit.
struct MemoryUse {
  std::uint64_t held_bytes = 0;
  std::uint64_t limit_bytes = 0;
};

/// "epoch 3/30 [####....] 1,234/3,068 412/s loss 1.234 acc 56.7% 12m05s left 812M/2.0G wait 3%": the bar
/// takes what the rest leaves of `width` columns. Where it leaves too little there is none; then the memory
/// goes too.
std::string train_progress_text(const train::EpochReport& so_far, const MemoryUse& memory,
                                std::size_t width);

/// "[#####.....] 1,234/3,068  412 images/s", without what the pass has come to.
std::string progress_text(const train::PassReport& pass);

/// "skipped   sample 17 of split train (...): ..."; whatever its name holds, for a terminal.
std::string skipped_line(const train::SkippedSample& sample);

class RunScreen final : public train::RunObserver {
 public:
  explicit RunScreen(Verbosity verbosity);

  void on_start(const train::RunOverview& overview) override;
  void on_train_step(const train::EpochReport& so_far) override;
  void on_validation_step(const train::EpochReport& train_done,
                          const train::PassReport& so_far) override;
  void on_epoch(const train::EpochReport& report) override;
  void on_skipped(const train::SkippedSample& sample) override;
  void on_skipped_step(const train::SkippedStep& step) override;
  void on_note(const std::string& text) override;
  void on_validation(const train::EpochReport& so_far, const train::MetricTable& metrics) override;
  void on_warning(const std::string& text) override;

  const train::RunOverview& overview() const noexcept { return overview_; }

 private:
  ProgressLine& line();
  /// What the process holds beyond what it held before the run.
  std::uint64_t held_bytes() const;

  Verbosity verbosity_;
  std::uint64_t bytes_before_;
  train::RunOverview overview_;
  std::string verdict_;                 // on learning, told when another epoch begins
  std::unique_ptr<ProgressLine> line_;  // of the epoch under way
};

}  // namespace penstock::tools
