#include "train/loop/trainer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "train/loop/open_step.h"
#include "train/loop/pass_clock.h"
#include "train/loop/report_drain.h"
#include "train/loop/stream_cut.h"
#include "train/loss/batch_loss.h"
#include "train/plan/batch_parts.h"

namespace penstock::train {
namespace {

float inverse_or_zero(double sum) {
  return sum > 0 ? static_cast<float>(1.0 / sum) : 0.0f;
}

/// The denominator of a batch's loss; `program` is any that it runs on.
double weight_sum(const ProgramSet& programs, const Program& program, const BatchView& batch) {
  return batch_weight_sum(program.lowering().loss, {batch.num_valid, programs.num_classes()},
                          labels_of(batch, batch.num_valid));
}

[[noreturn]] void refuse_scores(std::uint64_t step) {
  throw Error(ErrorCode::kInvalidArgument,
              "loss: evaluation step " + std::to_string(step) +
                  ": expected a finite number, found none: the weights give scores that are no "
                  "numbers",
              "train again with a lower --learning-rate");
}

/// Samples of the steps that a piece of a stream takes, those before this process included.
std::uint64_t samples_of_piece(const ProgramSet& programs, const PassInput& input,
                               const PassReport& before) {
  check_internal(input.tally != nullptr, "a piece of a stream without the tally of its pass");
  return before.num_samples +
         samples_of_steps({.num_samples = input.num_samples,
                           .samples_per_step =
                               std::min<std::uint64_t>(programs.train_batch(), input.num_samples),
                           .num_taken = input.tally->num_added()},
                          input.num_steps - std::min(input.num_steps, before.num_steps));
}

/// Closes a pass: unless it was stopped, it delivered every sample of the split, each once.
PassReport finish_pass(PassClock& clock, bool has_ended, const std::stop_token& stop) {
  PassReport& report = clock.report();
  report.was_stopped = !has_ended && stop.stop_requested();
  if (!report.was_stopped) check_each_once(report);
  return report;
}

/// The next batch of a pass; an empty lease when the stream has ended, or when the stop that the pass
/// looks for reached the source while it waited.
BatchLease next_batch(PassClock& clock, const std::stop_token& stop) {
  try {
    return clock.next();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kStopped || !stop.stop_requested()) throw;
    return {};
  }
}

StepOutcome outcome_of(const UpdateReport& update) {
  return update.is_finite ? StepOutcome::kFinite : StepOutcome::kNotFinite;
}

}  // namespace

/// A pass under way.
struct Trainer::Pass {
  /// Sums of a step whose update has not been reported.
  struct StepSums {
    std::uint64_t step_idx = 0;
    StepTotals totals = {};
  };

  PassClock& clock;
  PassObserver* observer;
  const std::stop_token& stop;
  std::vector<StepSums> unjudged = {};  // in the order of the steps
};

/// A step under way, and what it has taken so far.
struct Trainer::Step {
  OpenStep runs;
  double learning_rate = 0;
  std::uint32_t num_samples = 0;
  double weight_sum = 0;
};

Trainer::Trainer(ProgramSet& programs, const TrainerConfig& config)
    : programs_(programs),
      config_(config),
      state_{.peak_learning_rate = config.optimizer.learning_rate} {
  config_.optimizer.validate();
  config_.schedule.validate();
  config_.nan_guard.validate();
}

bool Trainer::has_diverged() const noexcept {
  constexpr std::uint32_t kWeightsFault = 2;
  const NanGuardState& guard = state_.nan_guard;
  return guard.num_in_a_row >= kWeightsFault || should_stop(config_.nan_guard, guard);
}

PassReport Trainer::train_epoch(const PassInput& input) {
  const ReportDrain drain(programs_.backend(), [this](const UpdateReport& update) {
    NanGuardState& guard = state_.nan_guard;
    if (should_stop(config_.nan_guard, guard)) return;  // what ended the run stays
    guard = after_step(guard, outcome_of(update));
  });
  PassClock clock(input.source, {input.num_samples, input.num_left_out}, input.observer,
                  input.tally, input.start);
  if (input.num_steps > 0) {
    clock.report().num_expected = samples_of_piece(programs_, input, clock.report());
  }
  Pass pass{.clock = clock, .observer = input.observer, .stop = input.stop};
  bool has_ended = false;
  while (!has_ended && !input.stop.stop_requested()) {
    const StepEnd end = take_step(pass);
    if (end == StepEnd::kDropped) break;
    collect_reports(pass);
    has_ended = input.num_steps > 0 ? clock.report().num_steps >= input.num_steps
                                    : end == StepEnd::kEndsEpoch;
    if (input.observer == nullptr) continue;
    input.observer->on_step(clock.report());
    if (has_ended || !input.observer->wants_settled(clock.report())) continue;
    settle(pass);
    const PassReport so_far = clock.report();
    clock.pause([&] { input.observer->on_settled(so_far); });
  }
  settle(pass);
  return finish_pass(clock, has_ended, input.stop);
}

/// Takes one step, unless a stop, or the end of the stream, comes before it is whole.
Trainer::StepEnd Trainer::take_step(Pass& pass) {
  Step step{.runs = OpenStep(programs_.backend()),
            .learning_rate = learning_rate_of(state_.num_steps)};
  do {
    BatchLease lease = next_batch(pass.clock, pass.stop);
    if (!lease) break;
    const bool ends_epoch = lease->ends_epoch;
    if (lease->num_valid > 0 && !add_batch(std::move(lease), step, pass)) break;
    if (ends_epoch || !programs_.steps_span_batches() ||
        step.num_samples >= programs_.train_batch()) {
      update(step, pass);
      return ends_epoch ? StepEnd::kEndsEpoch : StepEnd::kTaken;
    }
    if (pass.observer != nullptr) pass.observer->on_part();
  } while (!pass.stop.stop_requested());
  pass.clock.drop_step();
  return StepEnd::kDropped;
}

/// Waits until all that was run has finished, and takes its reports.
void Trainer::settle(Pass& pass) {
  programs_.backend().finish();
  collect_reports(pass);
}

/// Adds the gradients of one batch to the step's; false when a stop came between two of its parts.
bool Trainer::add_batch(BatchLease lease, Step& step, Pass& pass) {
  const std::uint32_t num_samples = lease->num_valid;
  const BatchParts parts(num_samples, programs_.micro_batch());
  const double sum =
      weight_sum(programs_, programs_.train_program(parts[0].num_samples), lease.view());
  step.weight_sum += sum;
  step.runs.upload(std::move(lease));
  // Of a step over several batches the labels are not all there yet: the update puts its sum right.
  const bool is_whole = add_parts(
      num_samples,
      {.learning_rate = step.learning_rate,
       .inv_weight_sum = programs_.steps_span_batches() ? inverse_or_zero(programs_.train_batch())
                                                        : inverse_or_zero(sum),
       .num_samples_before = step.num_samples,
       .step = state_.num_steps,
       .seed = config_.seed},
      step, pass);
  step.num_samples += num_samples;
  return is_whole;
}

bool Trainer::add_parts(std::uint32_t num_samples, StepScalars scalars, Step& step, Pass& pass) {
  const BatchParts parts(num_samples, programs_.micro_batch());
  for (std::uint32_t part_idx = 0; part_idx < parts.size(); ++part_idx) {
    const BatchPart part = parts[part_idx];
    scalars.first_sample = part.first_sample;
    step.runs.set_scalars(scalars);
    step.runs.forward(programs_.train_program(part.num_samples));
    step.runs.backward();
    collect_reports(pass);
    if (part_idx + 1 == parts.size()) break;
    if (pass.observer != nullptr) pass.observer->on_part();
    if (pass.stop.stop_requested()) return false;
  }
  return true;
}

/// Ends a step whose samples are all there; one without samples changes nothing.
void Trainer::update(Step& step, Pass& pass) {
  if (step.runs.has_run()) {
    if (programs_.steps_span_batches()) {
      step.runs.set_scalars(
          {.learning_rate = step.learning_rate,
           .gradient_scale = step.weight_sum > 0 ? programs_.train_batch() / step.weight_sum : 0.0,
           .step = state_.num_steps,
           .seed = config_.seed});
    }
    step.runs.update();
    ++state_.num_steps;
    ++pass.clock.report().num_steps;
    pass.clock.report().learning_rate = step.learning_rate;
  }
  pass.clock.end_step();
}

double Trainer::learning_rate_of(std::uint64_t step_idx) const {
  return learning_rate_at(config_.schedule, state_.peak_learning_rate,
                          {step_idx, config_.num_steps, config_.steps_per_epoch});
}

void Trainer::collect_reports(Pass& pass) {
  collect_losses(pass);
  while (const auto update = programs_.backend().poll_update()) {
    collect_losses(pass);  // of its step there may be more: the backend ran on meanwhile
    note_update(*update, pass);
  }
}

void Trainer::collect_losses(Pass& pass) {
  while (const auto run = programs_.backend().poll()) {
    if (!run->is_finite) continue;  // nor will the update be
    if (pass.unjudged.empty() || pass.unjudged.back().step_idx != run->step) {
      pass.unjudged.push_back({.step_idx = run->step});
    }
    pass.unjudged.back().totals.add(*run);
  }
}

/// The totals of a step count once its update is known to have changed weights.
void Trainer::note_update(const UpdateReport& update, Pass& pass) {
  const auto judged = std::ranges::find(pass.unjudged, update.step, &Pass::StepSums::step_idx);
  if (judged != pass.unjudged.end()) {
    if (update.is_finite) pass.clock.report().totals.add(judged->totals);
    pass.unjudged.erase(judged);
  }
  NanGuardState& guard = state_.nan_guard;
  guard = after_step(guard, outcome_of(update));
  if (update.is_finite) return;
  ++pass.clock.report().num_skipped_steps;
  const double learning_rate = learning_rate_of(update.step);
  if (pass.observer != nullptr) {
    pass.observer->on_skipped_step({update.step, learning_rate, guard.num_in_a_row});
  }
  if (!should_stop(config_.nan_guard, guard)) return;
  throw Error(ErrorCode::kInvalidArgument,
              "training: " + nan_guard_reason(guard, update.step, learning_rate) +
                  ": the training diverged",
              "lower --learning-rate");
}

namespace {

/// Keeps what is needed of a batch after its lease has gone to the backend.
struct BatchLabels {
  explicit BatchLabels(const BatchView& view)
      : class_idx(view.class_idx.begin(), view.class_idx.begin() + view.num_valid),
        weights(view.weights.begin(), view.weights.begin() + view.num_valid),
        sample_ids(view.sample_ids.begin(), view.sample_ids.begin() + view.num_valid) {}

  std::vector<std::uint32_t> class_idx;
  std::vector<float> weights;
  std::vector<std::uint64_t> sample_ids;
};

void hand_out_scores(const Program& program, const BatchLabels& labels,
                     std::span<const float> logits, ScoreObserver& scores) {
  const std::size_t num_classes = logits.size() / program.lowering().batch;
  scores.on_scores({.logits = logits.first(labels.class_idx.size() * num_classes),
                    .class_idx = labels.class_idx,
                    .weights = labels.weights,
                    .sample_ids = labels.sample_ids,
                    .num_classes = static_cast<std::uint32_t>(num_classes)});
}

}  // namespace

PassReport evaluate_epoch(ProgramSet& programs, const PassInput& input, ScoreObserver* scores) {
  Program& program = programs.evaluation_program();
  Backend& backend = programs.backend();
  const ReportDrain drain(backend);
  std::vector<float> logits(scores != nullptr ? programs.num_logits() : 0);
  PassClock clock(input.source, {input.num_samples, input.num_left_out}, input.observer);
  const auto collect = [&] {
    while (const auto step = backend.poll()) {
      if (!step->is_finite) refuse_scores(step->step);
      clock.report().totals.add(*step);
    }
  };
  bool ends_epoch = false;
  while (!ends_epoch && !input.stop.stop_requested()) {
    BatchLease lease = next_batch(clock, input.stop);
    if (!lease) break;
    ends_epoch = lease->ends_epoch;
    std::optional<BatchLabels> labels;
    if (scores != nullptr) labels.emplace(lease.view());
    const float inv_weight_sum = inverse_or_zero(weight_sum(programs, program, lease.view()));
    OpenStep step(backend);
    step.upload(std::move(lease));
    step.set_scalars({.inv_weight_sum = inv_weight_sum, .step = clock.report().num_steps++});
    step.forward(program);
    step.end();
    clock.end_step();
    if (labels) {
      // Waits: the report is there, and refuses scores that are no numbers.
      program.read_logits(logits);
      collect();
      hand_out_scores(program, *labels, logits, *scores);
    }
    collect();
    if (input.observer != nullptr) input.observer->on_step(clock.report());
  }
  backend.finish();
  collect();
  return finish_pass(clock, ends_epoch, input.stop);
}

}  // namespace penstock::train
