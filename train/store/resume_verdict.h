// Whether a run may go on from a checkpoint, and whether it will be the run that it would have been. A
// pure function of names and values; knows neither files nor configurations.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/store/checkpoint_state.h"

namespace penstock::train {

/// What a run is and what computes it, by name. Keys of the run file stand under "run.".
using RunFacts = std::map<std::string, std::string>;

/// Makes facts of a state: its settings under "run.", and "dataset.id", "model.identity", "seed",
/// "backend", "plans", "micro_batch", "num_compute_threads", "num_loader_threads", "instruction_set".
RunFacts facts_of(const CheckpointState& state);

/// What it means when a fact differs.
enum class FactEffect : std::uint8_t {
  kNone,               // the weights do not depend on it
  kLosesBits,          // the run goes on, to other weights
  kRefusesInMidEpoch,  // samples would come twice or not at all; after a whole epoch it loses bits
  kRefuses,            // the stored tensors mean nothing here
};

/// One line of the table.
struct FactRule {
  /// A name, or with a dot at its end the beginning of names.
  std::string_view name;
  FactEffect effect = FactEffect::kLosesBits;
  /// The setting that brings and takes this one: what only one side has goes unsaid where that one differs. Empty:
  /// none.
  std::string_view owner = {};
};

/// The table of the facts that this program knows. A name that is not in it loses bits.
std::span<const FactRule> resume_rules() noexcept;

enum class ResumeOutcome : std::uint8_t { kBitForBit, kNoLongerBitForBit, kRefused };

struct ResumeVerdict {
  ResumeOutcome outcome = ResumeOutcome::kBitForBit;
  /// The differences that decided, by name: "run.batch_size: expected 32, found 64". Expected is what the
  /// checkpoint says. Of texts of several lines the first line that differs.
  std::vector<std::string> reasons = {};

  /// One line for a user: "continues bit for bit", "continues, no longer bit for bit, because ...",
  /// "cannot continue: ...".
  std::string text() const;
};

/// What is compared.
struct ResumeQuestion {
  const RunFacts& stored;
  const RunFacts& present;
  /// Whether the checkpoint lies between two epochs or inside one.
  bool is_mid_epoch = false;
};

/// Compares by `rules`, of which the longest that fits a name counts.
ResumeVerdict judge_resume(const ResumeQuestion& question,
                           std::span<const FactRule> rules = resume_rules());

}  // namespace penstock::train
