#include "train/loop/program_set.h"

#include <algorithm>
#include <string>
#include <variant>

#include "streamer/core/error.h"
#include "train/graph/train_draws.h"
#include "train/plan/batch_parts.h"

namespace penstock::train {

namespace {

/// The batch size next to `batch` that does not leave one sample over; smaller ones come first.
std::uint64_t without_remainder_of_one(std::uint64_t batch, std::uint64_t num_samples) {
  for (std::uint64_t smaller = batch - 1; smaller >= 2; --smaller) {
    if (num_samples % smaller != 1) return smaller;
  }
  std::uint64_t larger = batch + 1;
  while (num_samples % larger == 1) ++larger;
  return larger;
}

/// Whether parts of at most so many samples leave none with a single sample, in a step and in an epoch's last
/// one.
bool suits_step(std::uint32_t micro_batch, std::uint32_t step_samples, std::uint64_t num_samples) {
  const auto smallest = [&](std::uint32_t batch) { return BatchParts(batch, micro_batch)[0]; };
  const std::uint32_t lease_batch = step_samples % micro_batch == 0 ? micro_batch : step_samples;
  const auto tail = static_cast<std::uint32_t>(num_samples % lease_batch);
  return smallest(lease_batch).num_samples > 1 && (tail == 0 || smallest(tail).num_samples > 1);
}

/// The nearest --micro-batch that keeps the step; else a --batch-size.
std::string other_parts(std::uint32_t micro_batch, std::uint32_t step_samples,
                        std::uint64_t num_samples) {
  for (std::uint32_t smaller = micro_batch - 1; smaller >= 2; --smaller) {
    if (suits_step(smaller, step_samples, num_samples)) {
      return "--micro-batch " + std::to_string(smaller);
    }
  }
  for (std::uint32_t larger = micro_batch + 1; larger <= step_samples; ++larger) {
    if (suits_step(larger, step_samples, num_samples)) {
      return "--micro-batch " + std::to_string(larger);
    }
  }
  return "--batch-size " + std::to_string(without_remainder_of_one(step_samples, num_samples));
}

/// What an evaluation measures: not what a training leans on.
LossSpec evaluation_loss(LossSpec loss) {
  loss.label_smoothing = 0;
  loss.class_weights.clear();
  loss.positive_weights.clear();
  return loss;
}

/// Says that only the last batch of an epoch, of one sample, does not fit.
[[noreturn]] void refuse_last_sample(const Error& error, std::uint64_t batch,
                                     std::uint64_t num_samples, const std::string& hint) {
  throw Error(error.code(),
              std::string(error.what()) + ": the last batch of an epoch has 1 sample (" +
                  std::to_string(num_samples) + " = " + std::to_string(num_samples / batch) +
                  " x " + std::to_string(batch) + " + 1)",
              hint);
}

/// Beyond, two samples of a step would draw the same.
void check_dropout(const ModelGraph& graph, std::uint32_t step_samples) {
  if (step_samples <= kMaxDropoutSamples) return;
  for (const Node& node : graph.nodes()) {
    if (!std::holds_alternative<DropoutOp>(node.op)) continue;
    throw Error(ErrorCode::kInvalidArgument,
                "model: " + node.name + ": expected at most " + std::to_string(kMaxDropoutSamples) +
                    " samples in a step with dropout, found " + std::to_string(step_samples),
                "a smaller --batch-size, or no dropout");
  }
}

}  // namespace

ProgramSet::ProgramSet(Backend& backend, const ModelGraph& graph, const ProgramSetConfig& config)
    : backend_(backend),
      num_classes_(graph.num_classes()),
      num_logits_(std::size_t{config.evaluation_batch} * num_classes_) {
  std::vector<LearningStage> stages = config.stages;
  if (stages.empty()) stages.emplace_back();
  check_internal(stages.front().first_epoch == 0, "a program set without a stage for epoch 0");
  if (config.train_batch > 0) {
    decide_parts(config);
    check_dropout(graph, train_batch_);
    // From the last one on: its programs have all that any stage keeps, and the others share that.
    for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
      lower_training(graph, config, *stage);
    }
    begin_epoch(0);
  }
  if (config.evaluation_batch > 0) {
    evaluation_ = lower(graph, config, stages.back(), config.evaluation_batch, Mode::kEvaluate);
  }
  check_internal(!programs_.empty(), "a program set without programs");
  plan_ = plan_programs(pointers());
}

Program* ProgramSet::lower(const ModelGraph& graph, const ProgramSetConfig& config,
                           const LearningStage& stage, std::uint32_t batch, Mode mode) {
  programs_.push_back(backend_.lower(
      graph, {.batch = batch,
              .mode = mode,
              .lease_batch = mode == Mode::kTrain ? lease_batch_ : batch,
              .pixel_norm = config.pixel_norm,
              .compute = config.compute,
              .optimizer = config.optimizer,
              .param_rates = config.param_rates,
              .reads_ema = mode == Mode::kEvaluate && config.optimizer.ema_decay > 0,
              .loss = mode == Mode::kTrain ? config.loss : evaluation_loss(config.loss),
              .label_form = mode == Mode::kTrain ? config.label_form : LabelForm::kClassIndex,
              .accumulates = mode == Mode::kTrain && accumulates_,
              .frozen_params = stage.frozen_params,
              .fixed_norms = stage.fixed_norms,
              .recomputed = mode == Mode::kTrain ? config.recomputed : std::vector<bool>{},
              .runs_trials = config.runs_trials,
              .grad_reducer = mode == Mode::kTrain ? config.grad_reducer : nullptr,
              .share_with = programs_.empty() ? nullptr : programs_.front().get()}));
  return programs_.back().get();
}

/// How the batches of a step come and are run.
void ProgramSet::decide_parts(const ProgramSetConfig& config) {
  const std::uint64_t num_samples = config.num_train_samples;
  const auto at_most_all = [&](std::uint32_t batch) {
    return num_samples == 0
               ? batch
               : static_cast<std::uint32_t>(std::min<std::uint64_t>(batch, num_samples));
  };
  train_batch_ = at_most_all(config.train_batch);
  lease_batch_ = config.lease_batch == 0 ? train_batch_ : at_most_all(config.lease_batch);
  check_internal(lease_batch_ <= train_batch_ &&
                     (train_batch_ % lease_batch_ == 0 || train_batch_ == num_samples),
                 "a batch is delivered that two steps would share");
  micro_batch_ =
      config.micro_batch == 0 ? lease_batch_ : std::min(config.micro_batch, lease_batch_);
  steps_span_batches_ = lease_batch_ < train_batch_;
  accumulates_ = steps_span_batches_ || micro_batch_ < lease_batch_;
}

void ProgramSet::lower_training(const ModelGraph& graph, const ProgramSetConfig& config,
                                const LearningStage& stage) {
  stages_.push_back({stage.first_epoch, {}});
  lower_parts(graph, config, stage, lease_batch_);
  const auto tail = static_cast<std::uint32_t>(config.num_train_samples % lease_batch_);
  if (tail == 0) return;
  try {
    lower_parts(graph, config, stage, tail);
  } catch (const Error& error) {
    // The whole batch was lowered: what is refused here is a batch norm over a single value.
    if (error.code() != ErrorCode::kInvalidArgument || tail != 1) throw;
    std::string hint = steps_span_batches_
                           ? other_parts(micro_batch_, train_batch_, config.num_train_samples)
                           : "--batch-size " + std::to_string(without_remainder_of_one(
                                                   lease_batch_, config.num_train_samples));
    // Of an epoch that is one step, nothing would be left.
    if (train_batch_ < config.num_train_samples) hint += ", or --drop-remainder true";
    refuse_last_sample(error, lease_batch_, config.num_train_samples, hint);
  }
}

/// One program for each size that the parts of a batch have: two at most.
void ProgramSet::lower_parts(const ModelGraph& graph, const ProgramSetConfig& config,
                             const LearningStage& stage, std::uint32_t batch) {
  const BatchParts parts(batch, micro_batch_);
  // The last part is the largest.
  for (const std::uint32_t part_idx : {parts.size() - 1, 0u}) {
    const std::uint32_t num_samples = parts[part_idx].num_samples;
    if (stages_.back().find(num_samples) != nullptr) continue;
    stages_.back().programs.push_back(lower(graph, config, stage, num_samples, Mode::kTrain));
  }
}

std::uint64_t ProgramSet::largest_workspace_bytes() const {
  std::uint64_t most = 0;
  for (const auto& program : programs_) {
    for (const Buffer& buffer : program->buffers()) {
      if (buffer.role == Role::kWorkspace) most = std::max<std::uint64_t>(most, buffer.bytes);
    }
  }
  return most;
}

void ProgramSet::bind() {
  arena_.emplace(backend_, pointers(), plan_);
}

std::vector<Program*> ProgramSet::pointers() const {
  std::vector<Program*> pointers;
  for (const auto& program : programs_) pointers.push_back(program.get());
  return pointers;
}

Program* ProgramSet::StagePrograms::find(std::uint32_t num_samples) const {
  const auto found = std::ranges::find_if(
      programs, [&](const Program* one) { return one->lowering().batch == num_samples; });
  return found == programs.end() ? nullptr : *found;
}

void ProgramSet::begin_epoch(std::uint32_t epoch_idx) {
  const auto found = std::ranges::find_if(
      stages_, [&](const StagePrograms& stage) { return stage.first_epoch <= epoch_idx; });
  check_internal(found != stages_.end(), "an epoch of a program set without training");
  stage_idx_ = static_cast<std::size_t>(found - stages_.begin());
}

Program& ProgramSet::train_program(std::uint32_t num_samples) const {
  Program* program = stages_.empty() ? nullptr : stages_[stage_idx_].find(num_samples);
  if (program != nullptr) return *program;
  throw Error(ErrorCode::kInternal, "train: no program was prepared for a batch of " +
                                        std::to_string(num_samples) + " samples");
}

Program& ProgramSet::evaluation_program() const {
  check_internal(evaluation_ != nullptr, "no evaluation program was prepared");
  return *evaluation_;
}

}  // namespace penstock::train
