// A run that goes on: its newest whole checkpoint, held against what is to go on, and put back into it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/loop/loop_state.h"
#include "train/run/run_checkpoints.h"
#include "train/run/run_progress.h"
#include "train/store/checkpoint_folder.h"

namespace penstock::train {

struct RunSetup;

/// Order of use  open(), then RunSetup with it, which calls join() and restore(), then what is left of it
class RunResume {
 public:
  /// Opens the newest whole checkpoint of the run in the folder `run`. Nothing when the run has not come to
  /// its first.
  ///
  /// Errors  NotFound when it has weights and no checkpoint: a run of an earlier version; CorruptData when
  ///         all are damaged; Unsupported; Io
  static std::optional<RunResume> open(const std::filesystem::path& run);

  /// Judges whether the setup may go on from here, and lets its loaders begin there. Called before they are
  /// made.
  ///
  /// Errors  InvalidArgument with the differences that matter, or for fewer epochs than were begun; CorruptData
  void join(RunSetup& setup);
  /// Sets all parameters. Called when the programs are bound.
  void restore(RunSetup& setup);

  /// How far it is, by the checkpoint alone, without the samples that were skipped. Before join().
  RunProgress stored_progress() const;
  /// Steps that it has taken, by the checkpoint alone.
  std::uint64_t stored_step() const { return found_.checkpoint.state().step; }
  /// Steps that were taken. After join().
  std::uint64_t num_steps() const noexcept { return num_steps_; }
  /// Steps of the epoch under way up to which metrics.jsonl says nothing that comes again; 0 between epochs.
  std::uint64_t num_logged_steps() const noexcept {
    if (!progress_.under_way) return 0;
    return progress_.is_validation_left() && num_steps_ > 0 ? num_steps_ - 1 : num_steps_;
  }
  const RunProgress& progress() const noexcept { return progress_; }
  /// As the loop goes on in `setup`: a schedule and a rate of other settings are heeded. After join().
  LoopState loop(const RunSetup& setup) const;
  /// Which samples of the epoch under way were taken; nothing between two epochs. Is handed over.
  std::optional<SampleTally> take_tally() { return std::exchange(tally_, std::nullopt); }
  /// Of the file that the run began with; empty for none. It need not be there any more.
  std::string initial_weights_digest() const;
  /// BackendSettings::plans of the run so far.
  const std::string& plans() const noexcept { return found_.checkpoint.state().plans; }
  CheckpointHistory history() const;
  /// Where it goes on, whether bit for bit, and what was passed over: lines for a user.
  std::vector<std::string> notes() const;

 private:
  explicit RunResume(ResumableCheckpoint found) : found_(std::move(found)) {}
  void judge(const RunSetup& setup);
  void check_epochs(const RunConfig& config) const;
  void mark_taken(const RunSetup& setup);

  ResumableCheckpoint found_;
  std::string verdict_;
  std::vector<std::string> state_notes_;
  bool goes_on_bit_for_bit_ = true;
  RunProgress progress_;
  std::uint64_t num_steps_ = 0;
  std::optional<SampleTally> tally_;
};

}  // namespace penstock::train
