#include "train/run/run_resume.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "train/loop/checkpoint_tensors.h"
#include "train/run/folder/run_hints.h"
#include "train/run/folder/stored_settings.h"
#include "train/run/run_facts.h"
#include "train/run/run_setup.h"
#include "train/store/model_record.h"
#include "train/store/resume_verdict.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

bool has_weights(const fs::path& run) {
  std::error_code ignored;
  return fs::exists(run / kModelRecordName, ignored);
}

std::string samples_and_classes(const Manifest& manifest) {
  std::uint64_t num_samples = 0;
  for (const ManifestSplit& split : manifest.splits) num_samples += split.num_samples;
  return std::to_string(num_samples) + " samples of " +
         std::to_string(manifest.class_names.size()) + " classes";
}

/// Ids are names for nobody: where the two datasets are, and what is in them now.
std::string dataset_change(const RunSetup& setup) {
  const fs::path stored = read_stored_settings(setup.config.out).config.dataset;
  const std::string present =
      setup.config.dataset.native() + " of " + samples_and_classes(setup.dataset.manifest());
  if (stored == setup.config.dataset) {
    return "; " + present + " was converted again since";
  }
  std::string before = stored.native();
  try {
    before += " of " + samples_and_classes(Dataset::open(stored).manifest());
  } catch (const Error&) {
    before += ", which cannot be opened";
  }
  return "; the run's dataset is " + before + ", the one to go on with " + present;
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

std::optional<RunResume> RunResume::open(const fs::path& run) {
  const fs::path folder = run / kCheckpointsName;
  try {
    if (!has_weights(run) && list_checkpoints(folder).empty()) return std::nullopt;
    return RunResume(find_resumable(folder));
  } catch (const Error& error) {
    const bool is_no_folder = error.os_error() == ENOTDIR;
    const bool is_lost = error.code() == ErrorCode::kNotFound ||
                         error.code() == ErrorCode::kCorruptData || is_no_folder;
    if (!is_lost) throw;
    throw Error(error.code(), error.what(), hint_without_checkpoint(run), error.os_error());
  }
}

RunProgress RunResume::stored_progress() const {
  return read_progress(
      found_.checkpoint.state().parts, [](std::string_view) { return nullptr; },
      found_.checkpoint.path().native());
}

LoopState RunResume::loop(const RunSetup& setup) const {
  LoopState loop =
      parse_loop_state(found_.checkpoint.part(kLoopStatePart), found_.checkpoint.path().native());
  // Between two epochs the schedule goes on where the epochs are: another batch size has other steps.
  if (!progress_.under_way || progress_.is_validation_left()) {
    loop.trainer.num_steps = setup.steps_per_epoch() * progress_.num_epochs;
  }
  // The rate is the run's own unless a plateau has lowered it.
  if (!setup.config.reduces_on_plateau()) {
    loop.trainer.peak_learning_rate = setup.config.optimizer.learning_rate;
  }
  return loop;
}

void RunResume::join(RunSetup& setup) {
  judge(setup);
  const CheckpointReader& checkpoint = found_.checkpoint;
  progress_ = read_progress(
      checkpoint.state().parts,
      [&](std::string_view name) -> const DatasetSplit* {
        if (name == setup.train_split.name()) return &setup.train_split;
        const bool is_validation = setup.validation_split && name == setup.validation_split->name();
        return is_validation ? &*setup.validation_split : nullptr;
      },
      checkpoint.path().native());
  num_steps_ = checkpoint.state().step;
  check_epochs(setup.config);
  // Other settings, or more epochs, are another chance.
  const bool has_more_epochs = progress_.last && setup.config.epochs > progress_.last->num_epochs;
  if (!goes_on_bit_for_bit_ || has_more_epochs) progress_.end_reason.clear();
  const std::uint32_t num_passes = setup.pipeline.num_epochs;
  setup.pipeline.num_epochs =
      std::max(num_passes - std::min(num_passes, progress_.place.epoch), 1u);
  setup.pipeline.first_epoch = progress_.place.epoch;
  if (!progress_.is_mid_epoch()) return;
  setup.pipeline.resume_from = loader_state_from_json(checkpoint.part("loader"));
  mark_taken(setup);
}

/// What was trained cannot be taken back: the record would tell of epochs that the weights do not have.
void RunResume::check_epochs(const RunConfig& config) const {
  const bool has_begun = progress_.under_way && !progress_.is_validation_left();
  const std::uint32_t num_begun = progress_.num_epochs + (has_begun ? 1 : 0);
  if (config.epochs >= num_begun) return;
  const std::uint32_t num_done = progress_.num_whole_epochs();
  const std::string done = std::to_string(num_done) + (num_done == 1 ? " is" : " are") + " done";
  throw Error(ErrorCode::kInvalidArgument,
              "run: epochs: expected at least " + std::to_string(num_begun) + ", found " +
                  std::to_string(config.epochs) + ": " + done +
                  (num_begun > num_done ? " and one is begun" : ""),
              "--epochs " + std::to_string(num_begun) +
                  ", or another run with another -o; the weights so far are in " +
                  shell_quoted(config.out.native()));
}

void RunResume::judge(const RunSetup& setup) {
  const RunFacts stored = facts_of(found_.checkpoint.state());
  const RunFacts present = facts_of(run_facts(setup));
  ResumeVerdict verdict = judge_resume({.stored = stored,
                                        .present = present,
                                        .is_mid_epoch = found_.checkpoint.state().is_mid_epoch()});
  if (verdict.outcome != ResumeOutcome::kRefused && !setup.backend->keeps_float32()) {
    verdict.outcome = ResumeOutcome::kNoLongerBitForBit;
    verdict.reasons.push_back("the backend computes in double, and checkpoints hold float32");
  }
  if (verdict.outcome != ResumeOutcome::kRefused && !setup.backend->is_deterministic()) {
    verdict.outcome = ResumeOutcome::kNoLongerBitForBit;
    verdict.reasons.push_back(
        "the GPU may add up in another order each time (--deterministic true would not)");
  }
  verdict_ = verdict.text();
  goes_on_bit_for_bit_ = verdict.outcome == ResumeOutcome::kBitForBit;
  if (verdict.outcome != ResumeOutcome::kRefused) return;
  const bool is_other_dataset = found_.checkpoint.state().dataset_id != setup.dataset.manifest().id;
  throw Error(ErrorCode::kInvalidArgument,
              "run: " + setup.config.out.native() + ": " + verdict_ +
                  (is_other_dataset ? dataset_change(setup) : std::string()),
              "set these as they were, or start another run with another -o");
}

/// The order says which samples stood at the positions that were taken.
void RunResume::mark_taken(const RunSetup& setup) {
  const OrderPlan plan(pipeline_order(setup.train_split, setup.pipeline, PipelineUse::kTrain));
  const EpochOrder order = plan.epoch(progress_.place.epoch);
  tally_.emplace(setup.train_split.num_samples());
  const std::uint64_t end = std::min(progress_.place.next_position, plan.num_positions());
  for (std::uint64_t position = 0; position < end; ++position) {
    const std::uint64_t sample_id = order.sample_at(position);
    tally_->add({&sample_id, 1});
  }
}

void RunResume::restore(RunSetup& setup) {
  Program& program = setup.programs->any_program();
  state_notes_ = notes_of(restore_tensors(program, found_.checkpoint));
  parse_optimizer_progress(found_.checkpoint.part(kOptimizerPart),
                           found_.checkpoint.path().native())
      .restore(program);
}

std::string RunResume::initial_weights_digest() const {
  const auto& settings = found_.checkpoint.state().settings;
  const auto found = settings.find(std::string(kInitialWeightsFact));
  return found == settings.end() ? std::string() : found->second;
}

CheckpointHistory RunResume::history() const {
  CheckpointHistory history{.best = found_.checkpoint.state().best};
  for (const DamagedCheckpoint& one : found_.damaged) history.damaged.push_back(one.name);
  return history;
}

std::vector<std::string> RunResume::notes() const {
  std::vector<std::string> lines;
  for (const DamagedCheckpoint& one : found_.damaged) {
    lines.push_back(one.note());
  }
  const CheckpointState& state = found_.checkpoint.state();
  std::string place = counted(state.epoch_idx, "epoch");
  if (state.epoch_position_samples > 0) {
    place += " and " + counted(state.epoch_position_samples, "sample");
  }
  lines.push_back("after step " + std::to_string(state.step) + " (" + place + "): " + verdict_);
  lines.insert(lines.end(), state_notes_.begin(), state_notes_.end());
  return lines;
}

}  // namespace penstock::train
