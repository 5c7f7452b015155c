#include "train/loop/program_set.h"

#include <string>

#include "streamer/core/error.h"

namespace penstock::train {

ProgramSet::ProgramSet(Backend& backend, const ModelGraph& graph, const ProgramSetConfig& config)
    : backend_(backend), num_logits_(std::size_t{config.evaluation_batch} * graph.num_classes()) {
  const auto lower = [&](std::uint32_t batch, Mode mode) {
    programs_.push_back(backend.lower(
        graph, {.batch = batch,
                .mode = mode,
                .nesterov = config.nesterov,
                .label_smoothing = mode == Mode::kTrain ? config.label_smoothing : 0.0,
                .share_with = programs_.empty() ? nullptr : programs_.front().get()}));
    return programs_.back().get();
  };
  if (config.train_batch > 0) lower(config.train_batch, Mode::kTrain);
  if (config.train_batch > 0 && config.tail_batch > 0) lower(config.tail_batch, Mode::kTrain);
  if (config.evaluation_batch > 0) evaluation_ = lower(config.evaluation_batch, Mode::kEvaluate);
  check_internal(!programs_.empty(), "a program set without programs");

  plan_ = plan_programs(pointers());
}

void ProgramSet::bind() {
  arena_.emplace(backend_, pointers(), plan_);
}

std::vector<Program*> ProgramSet::pointers() const {
  std::vector<Program*> pointers;
  for (const auto& program : programs_) pointers.push_back(program.get());
  return pointers;
}

Program& ProgramSet::train_program(std::uint32_t num_samples) const {
  for (const auto& program : programs_) {
    const Lowering& lowering = program->lowering();
    if (lowering.mode == Mode::kTrain && lowering.batch == num_samples) return *program;
  }
  throw Error(ErrorCode::kInternal, "train: no program was prepared for a batch of " +
                                        std::to_string(num_samples) + " samples");
}

Program& ProgramSet::evaluation_program() const {
  check_internal(evaluation_ != nullptr, "no evaluation program was prepared");
  return *evaluation_;
}

}  // namespace penstock::train
