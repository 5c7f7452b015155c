#include "train/run/memory/step_probe.h"

#include <memory>

#include "train/loop/loop_state.h"
#include "train/loop/open_step.h"
#include "train/plan/batch_parts.h"
#include "train/run/data/unlabelled_batch.h"

namespace penstock::train {
namespace {

/// Of a run without samples nothing is counted; what an update moves is set again before the first step.
void probe_training(ProgramSet& programs, const BatchSpec& spec) {
  const auto batch = std::make_shared<UnlabelledBatch>(spec);
  const BatchParts parts(spec.batch, programs.micro_batch());
  OpenStep step(programs.backend());
  step.upload(lease_of(batch, spec.batch));
  for (std::uint32_t part_idx = 0; part_idx < parts.size(); part_idx += parts.size() - 1) {
    step.set_scalars({.first_sample = parts[part_idx].first_sample});
    step.forward(programs.train_program(parts[part_idx].num_samples));
    step.backward();
    if (parts.size() == 1) break;
  }
  step.update();
}

void probe_evaluation(ProgramSet& programs, BatchSpec spec) {
  Program& program = programs.evaluation_program();
  spec.batch = program.lowering().batch;
  spec.label_form = LabelForm::kClassIndex;
  spec.num_targets = 0;
  const auto batch = std::make_shared<UnlabelledBatch>(spec);
  OpenStep step(programs.backend());
  step.upload(lease_of(batch, spec.batch));
  step.set_scalars({});
  step.forward(program);
}

void drain_reports(Backend& backend) {
  backend.finish();
  while (backend.poll()) {
  }
  while (backend.poll_update()) {
  }
}

}  // namespace

void probe_step(ProgramSet& programs, const BatchSpec& spec) {
  Program& program = programs.any_program();
  const OptimizerProgress start = OptimizerProgress::of(program);
  for (int round = 0; round < 2; ++round) {
    probe_training(programs, spec);
    drain_reports(programs.backend());
    probe_evaluation(programs, spec);
    drain_reports(programs.backend());
  }
  start.restore(program);
}

}  // namespace penstock::train
