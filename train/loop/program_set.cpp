#include "train/loop/program_set.h"

#include <algorithm>
#include <string>

#include "streamer/core/error.h"
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

/// What an evaluation measures: not what a training leans on.
LossSpec evaluation_loss(LossSpec loss) {
  loss.label_smoothing = 0;
  loss.class_weights.clear();
  loss.positive_weights.clear();
  return loss;
}

/// Says that only the last batch of an epoch, of one sample, does not fit, and which size would.
[[noreturn]] void refuse_last_sample(const Error& error, std::uint64_t batch,
                                     std::uint64_t num_samples) {
  throw Error(error.code(),
              std::string(error.what()) + ": the last batch of an epoch has 1 sample (" +
                  std::to_string(num_samples) + " = " + std::to_string(num_samples / batch) +
                  " x " + std::to_string(batch) + " + 1)",
              "--batch-size " + std::to_string(without_remainder_of_one(batch, num_samples)));
}

}  // namespace

ProgramSet::ProgramSet(Backend& backend, const ModelGraph& graph, const ProgramSetConfig& config)
    : backend_(backend),
      num_classes_(graph.num_classes()),
      num_logits_(std::size_t{config.evaluation_batch} * num_classes_) {
  if (config.train_batch > 0) lower_training(graph, config);
  if (config.evaluation_batch > 0) {
    evaluation_ = lower(graph, config, Mode::kEvaluate, config.evaluation_batch);
  }
  check_internal(!programs_.empty(), "a program set without programs");
  plan_ = plan_programs(pointers());
}

Program* ProgramSet::lower(const ModelGraph& graph, const ProgramSetConfig& config, Mode mode,
                           std::uint32_t batch) {
  programs_.push_back(backend_.lower(
      graph, {.batch = batch,
              .mode = mode,
              .compute = config.compute,
              .optimizer = config.optimizer,
              .reads_ema = mode == Mode::kEvaluate && config.optimizer.ema_decay > 0,
              .loss = mode == Mode::kTrain ? config.loss : evaluation_loss(config.loss),
              .label_form = mode == Mode::kTrain ? config.label_form : LabelForm::kClassIndex,
              .accumulates = mode == Mode::kTrain && accumulates_,
              .share_with = programs_.empty() ? nullptr : programs_.front().get()}));
  return programs_.back().get();
}

void ProgramSet::lower_training(const ModelGraph& graph, const ProgramSetConfig& config) {
  const std::uint64_t num_samples = config.num_train_samples;
  const auto at_most_all = [&](std::uint32_t batch) {
    return num_samples == 0
               ? batch
               : static_cast<std::uint32_t>(std::min<std::uint64_t>(batch, num_samples));
  };
  train_batch_ = at_most_all(config.train_batch);
  const std::uint32_t lease =
      config.lease_batch == 0 ? train_batch_ : at_most_all(config.lease_batch);
  check_internal(
      lease <= train_batch_ && (train_batch_ % lease == 0 || train_batch_ == num_samples),
      "a batch is delivered that two steps would share");
  micro_batch_ = config.micro_batch == 0 ? lease : std::min(config.micro_batch, lease);
  steps_span_batches_ = lease < train_batch_;
  accumulates_ = steps_span_batches_ || micro_batch_ < lease;
  lower_parts(graph, config, lease);
  const auto tail = static_cast<std::uint32_t>(num_samples % lease);
  if (tail == 0) return;
  try {
    lower_parts(graph, config, tail);
  } catch (const Error& error) {
    // The whole batch was lowered: what is refused here is a batch norm over a single value.
    if (error.code() != ErrorCode::kInvalidArgument || tail != 1) throw;
    refuse_last_sample(error, lease, num_samples);
  }
}

/// One program for each size that the parts of a batch have: two at most.
void ProgramSet::lower_parts(const ModelGraph& graph, const ProgramSetConfig& config,
                             std::uint32_t batch) {
  const BatchParts parts(batch, micro_batch_);
  // The last part is the largest.
  for (const std::uint32_t part_idx : {parts.size() - 1, 0u}) {
    const std::uint32_t num_samples = parts[part_idx].num_samples;
    if (!has_train_program(num_samples)) lower(graph, config, Mode::kTrain, num_samples);
  }
}

void ProgramSet::bind() {
  arena_.emplace(backend_, pointers(), plan_);
}

std::vector<Program*> ProgramSet::pointers() const {
  std::vector<Program*> pointers;
  for (const auto& program : programs_) pointers.push_back(program.get());
  return pointers;
}

namespace {

bool trains(const Program& program, std::uint32_t num_samples) {
  return program.lowering().mode == Mode::kTrain && program.lowering().batch == num_samples;
}

}  // namespace

bool ProgramSet::has_train_program(std::uint32_t num_samples) const {
  return std::ranges::any_of(programs_,
                             [&](const auto& program) { return trains(*program, num_samples); });
}

Program& ProgramSet::train_program(std::uint32_t num_samples) const {
  for (const auto& program : programs_) {
    if (trains(*program, num_samples)) return *program;
  }
  throw Error(ErrorCode::kInternal, "train: no program was prepared for a batch of " +
                                        std::to_string(num_samples) + " samples");
}

Program& ProgramSet::evaluation_program() const {
  check_internal(evaluation_ != nullptr, "no evaluation program was prepared");
  return *evaluation_;
}

}  // namespace penstock::train
