#include "train/loop/training_checkpoints.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/core/utf8.h"
#include "train/loop/checkpoint_tensors.h"
#include "train/store/checkpoint_writer.h"
#include "train/store/part_reader.h"
#include "train/store/resume_verdict.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// The part that is the program's, and what stands where a run names its dataset.
constexpr const char* kOwn = "own";
/// state.json takes 16 MiB, and JSON up to six bytes for one of them.
constexpr std::size_t kMaxOwnBytes = 1u << 20;

void check_own(const std::string& own) {
  const bool is_short = own.size() <= kMaxOwnBytes;
  if (is_short && is_utf8(own)) return;
  throw Error(ErrorCode::kInvalidArgument,
              "checkpoint: own: expected UTF-8 of at most " + std::to_string(kMaxOwnBytes) +
                  " bytes, found " +
                  (is_short ? "other bytes" : std::to_string(own.size()) + " bytes"));
}

/// What does not change from step to step.
CheckpointState facts(const CheckpointedTraining& training) {
  const OptimizerKind optimizer = training.program.lowering().optimizer.kind;
  return {.configuration = "",
          .settings = {{"optimizer", std::string(optimizer_name(optimizer))}},
          .dataset_id = kOwn,
          .model_identity = training.graph.identity(),
          .backend = training.backend.description(),
          .plans = training.backend.plans(),
          .instruction_set = training.backend.instruction_set()};
}

CheckpointState state_of(const CheckpointedTraining& training, const TrainingPlace& place) {
  const OptimizerProgress optimizer = OptimizerProgress::of(training.program);
  const std::uint64_t most =
      optimizer.num_steps.empty() ? 0 : std::ranges::max(optimizer.num_steps);
  CheckpointState state = facts(training);
  state.epoch_idx = place.num_epochs;
  state.step = place.loop.trainer.num_steps;
  state.num_finite_steps = std::min(most, state.step);
  state.parts = {{std::string(kLoopStatePart), format_loop_state(place.loop)},
                 {std::string(kOptimizerPart), format_optimizer_progress(optimizer)},
                 {kOwn, Json{{"text", place.own}}.dump()}};
  return state;
}

TrainingPlace place_in(const CheckpointReader& checkpoint) {
  const std::string where = checkpoint.path().native();
  const Json own = Json::parse(checkpoint.part(kOwn), nullptr, false);
  return {.loop = parse_loop_state(checkpoint.part(kLoopStatePart), where),
          .num_epochs = checkpoint.state().epoch_idx,
          .own = PartReader(own, "checkpoint: " + where + ": parts: own").text("text")};
}

/// Refuses another graph or optimizer. A line when bits are others than the unbroken training's, else none.
std::vector<std::string> judged(const CheckpointReader& checkpoint,
                                const CheckpointedTraining& training) {
  const RunFacts stored = facts_of(checkpoint.state());
  const RunFacts present = facts_of(facts(training));
  ResumeVerdict verdict = judge_resume({.stored = stored, .present = present});
  if (verdict.outcome == ResumeOutcome::kRefused) {
    throw Error(ErrorCode::kInvalidArgument,
                "checkpoint: " + checkpoint.path().native() + ": " + verdict.text(),
                "begin another training in another folder");
  }
  if (!training.backend.keeps_float32()) {
    verdict.outcome = ResumeOutcome::kNoLongerBitForBit;
    verdict.reasons.push_back("the backend computes in double, and checkpoints hold float32");
  }
  if (!training.backend.is_deterministic()) {
    verdict.outcome = ResumeOutcome::kNoLongerBitForBit;
    verdict.reasons.push_back("the GPU may add up in another order each time");
  }
  if (verdict.outcome == ResumeOutcome::kBitForBit) return {};
  return {verdict.text()};
}

}  // namespace

TrainingCheckpoints::TrainingCheckpoints(const CheckpointedTraining& training)
    : training_(training) {
  KeepPolicy{.num_newest = training.num_kept}.validate();
  const fs::path parent = fs::absolute(training.folder / "..").lexically_normal();
  std::error_code ignored;
  if (fs::is_directory(parent, ignored)) return;
  // Now, and not when an epoch is to be stored.
  throw Error(ErrorCode::kNotFound,
              "checkpoint: " + training.folder.native() +
                  ": expected a folder to make it in, found no " + parent.native(),
              "mkdir -p " + shell_quoted(parent.native()));
}

std::string stored_plans(const fs::path& folder) {
  if (list_checkpoints(folder).empty()) return {};
  return find_resumable(folder).checkpoint.state().plans;
}

std::optional<TrainingPlace> TrainingCheckpoints::restore() {
  if (list_checkpoints(training_.folder).empty()) return std::nullopt;
  const ResumableCheckpoint found = find_resumable(training_.folder);
  const CheckpointReader& checkpoint = found.checkpoint;
  std::vector<std::string> notes = judged(checkpoint, training_);
  TrainingPlace place = place_in(checkpoint);
  const OptimizerProgress optimizer =
      parse_optimizer_progress(checkpoint.part(kOptimizerPart), checkpoint.path().native());
  const StateChange change = restore_tensors(training_.program, checkpoint);
  optimizer.restore(training_.program);
  notes_.clear();
  damaged_.clear();
  for (const DamagedCheckpoint& one : found.damaged) {
    damaged_.push_back(one.name);
    notes_.push_back(one.note());
  }
  std::ranges::move(notes, std::back_inserter(notes_));
  std::ranges::move(notes_of(change), std::back_inserter(notes_));
  return place;
}

void TrainingCheckpoints::store(const TrainingPlace& place) {
  check_own(place.own);
  Program& program = training_.program;
  CheckpointContent content{.state = state_of(training_, place),
                            .model = tensor_source(program, TensorGroup::kModel),
                            .optimizer = tensor_source(program, TensorGroup::kOptimizer)};
  if (keeps_ema(program)) content.ema = tensor_source(program, TensorGroup::kEma);
  const CheckpointEntry entry = write_checkpoint(training_.folder, std::move(content));
  remove_superseded(training_.folder, entry,
                    {.num_newest = training_.num_kept, .damaged = damaged_});
  damaged_.clear();
}

}  // namespace penstock::train
