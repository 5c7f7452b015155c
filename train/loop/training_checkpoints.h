// Checkpoints of a training on batches of one's own: weights, optimizer state and the place in the loop,
// stored whole or not at all. `penstock train` and train_run() have theirs, which know more (train/run).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/backend/backend.h"
#include "train/graph/model_graph.h"
#include "train/loop/loop_state.h"

namespace penstock::train {

/// What is stored of, and where. All of it outlives the checkpoints.
struct CheckpointedTraining {
  /// Of the checkpoints alone; made with the first one, in a folder that is there. One process writes it at a
  /// time.
  std::filesystem::path folder;
  const ModelGraph& graph;
  const Backend& backend;
  /// A bound training program of the graph: ProgramSet::any_program(), or that of a loop of one's own.
  Program& program;
  /// Newest checkpoints that stay, 1 to 1000.
  std::uint32_t num_kept = 2;
};

/// BackendSettings::plans of the newest whole checkpoint in a folder: with them a device computes as it did. Empty
/// where there is none, or no backend with a choice.
///
/// Errors  CorruptData when all are damaged; Unsupported for a newer version; Io
std::string stored_plans(const std::filesystem::path& folder);

/// Where a training is between two steps.
struct TrainingPlace {
  /// `loop.trainer` is Trainer::state(), and Trainer::restore() takes it; a loop of one's own has its number
  /// of steps there. States of a plateau or of early stopping may stand beside it.
  LoopState loop = {};
  /// Epochs done in full.
  std::uint64_t num_epochs = 0;
  /// What else the program needs to go on, as UTF-8 text of at most 1 MiB. Where a BatchSource of its own
  /// goes on is for the program to know: write it here (of a Loader: to_json(loader.state_after(batch))), or
  /// store after whole epochs only.
  std::string own = {};
};

/// Memory   the largest tensor, in float32, while it stores or restores
/// Threads  one caller at a time, between two steps: on_epoch's place, or PassObserver::on_settled()
class TrainingCheckpoints {
 public:
  /// Errors  InvalidArgument; NotFound for a folder in a folder that there is not
  explicit TrainingCheckpoints(const CheckpointedTraining& training);

  /// Sets all parameters and the optimizer's state to those of the newest whole checkpoint, and returns its
  /// place. Nothing when there is no checkpoint yet; a damaged one is passed over for the one before. Called
  /// once, after initialize_params(). Bits are those of the unbroken training when backend, threads and
  /// settings are.
  ///
  /// Errors  InvalidArgument when it is of another graph or optimizer, with the difference; CorruptData when
  ///         all are damaged; Unsupported for a newer version; Io
  std::optional<TrainingPlace> restore();

  /// Of restore(): damaged checkpoints, optimizer state that is new or left out, why bits are others. Lines
  /// for a user; none when there is nothing to say.
  const std::vector<std::string>& notes() const noexcept { return notes_; }

  /// Stores the parameters and states as they are, and removes checkpoints that are no longer kept. Those
  /// that are no numbers are stored as well: Trainer::has_diverged() says so beforehand.
  ///
  /// Errors  Io, a full disk among it: those before stay, and a training may go on; InvalidArgument for an
  ///         `own` that is no UTF-8 or too long
  void store(const TrainingPlace& place);

 private:
  CheckpointedTraining training_;
  std::vector<std::string> damaged_;  // passed over; they go with the next one stored
  std::vector<std::string> notes_;
};

}  // namespace penstock::train
