// How far the epochs of a run are, and the same as JSON: the parts of a checkpoint that only a run
// understands.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "streamer/shard/dataset.h"
#include "train/loop/pass_report.h"
#include "train/run/data/skipped_samples.h"
#include "train/run/epoch/epoch_report.h"

namespace penstock::train {

struct RunProgress {
  /// Epochs whose training pass was done in full.
  std::uint32_t num_epochs = 0;
  /// The last epoch done in full, its validation included; none before the first.
  std::optional<EpochReport> last = {};
  /// The epoch under way: its sums so far. One of an epoch below num_epochs lacks its validation only.
  std::optional<EpochReport> under_way = {};
  /// Where the training loader goes on.
  StreamPlace place = {};
  /// Steps of the run after which it was last validated within an epoch.
  std::uint64_t num_validated_steps = 0;
  SkippedSamples skipped = {};
  /// Why the run ended before its last epoch; empty when it did not.
  std::string end_reason = {};

  bool is_validation_left() const noexcept {
    return under_way.has_value() && under_way->epoch_idx < num_epochs;
  }
  std::uint32_t num_whole_epochs() const noexcept {
    return is_validation_left() ? num_epochs - 1 : num_epochs;
  }
  bool is_mid_epoch() const noexcept { return place.next_position > 0; }
};

/// Writes the parts "epochs" and "skipped".
std::map<std::string, std::string> progress_parts(const RunProgress& progress);

/// Reads what progress_parts() wrote; `split_of` finds a split by its name, or null.
///
/// Errors  CorruptData naming the part, when it is missing or something else; `where` names the checkpoint
RunProgress read_progress(const std::map<std::string, std::string>& parts,
                          const std::function<const DatasetSplit*(std::string_view)>& split_of,
                          const std::string& where);

}  // namespace penstock::train
