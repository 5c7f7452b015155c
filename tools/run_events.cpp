#include "tools/run_events.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/run_report.h"
#include "tools/terminal.h"
#include "train/run/epoch/metrics_log.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kStepInterval{1};

/// A reader waits for the line: nothing stays in a buffer.
void print_line(const std::string& line) {
  print_result(line);
  std::fflush(stdout);
}

void print_event(const Json& event) {
  print_line(event.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// JSON has no NaN: a figure that there is none of is null.
Json figure(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

}  // namespace

void RunEvents::on_start(const train::RunOverview& overview) {
  next_.on_start(overview);
  print_line(start_event(overview));
}

void RunEvents::on_train_step(const train::EpochReport& so_far) {
  next_.on_train_step(so_far);
  const auto now = std::chrono::steady_clock::now();
  if (now < next_step_event_) return;
  next_step_event_ = now + kStepInterval;
  const train::PassReport& pass = so_far.train;
  print_event({{"event", "step"},
               {"epoch", so_far.epoch_idx + 1},
               {"num_epochs", so_far.num_epochs},
               {"num_steps", pass.num_steps},
               {"num_samples", pass.num_samples},
               {"num_expected", pass.num_expected},
               {"loss", figure(pass.totals.loss())},
               {"top1", figure(pass.totals.top1())},
               {"learning_rate", figure(pass.learning_rate)},
               {"images_per_s", figure(pass.images_per_s())},
               {"waiting_share", figure(pass.waiting_share())}});
}

void RunEvents::on_train_batch(const BatchView& batch) {
  next_.on_train_batch(batch);
}

void RunEvents::on_validation_step(const train::EpochReport& train_done,
                                   const train::PassReport& so_far) {
  next_.on_validation_step(train_done, so_far);
}

void RunEvents::on_epoch(const train::EpochReport& report) {
  next_.on_epoch(report);
  if (report.validation) {
    print_line(train::validation_event(report, *report.validation, report.metrics));
  }
  print_line(train::epoch_event(report));
}

void RunEvents::on_validation(const train::EpochReport& so_far, const train::MetricTable& metrics) {
  next_.on_validation(so_far, metrics);
  print_line(train::validation_event(so_far, *so_far.validation, metrics));
}

void RunEvents::on_skipped(const train::SkippedSample& sample) {
  next_.on_skipped(sample);
  print_event({{"event", "skipped_sample"},
               {"epoch", sample.epoch_idx + 1},
               {"split", sample.split},
               {"sample_id", sample.sample_id},
               {"name", sample.name},
               {"shard", sample.shard},
               {"text", train::skipped_text(sample)}});
}

void RunEvents::on_skipped_step(const train::SkippedStep& step) {
  next_.on_skipped_step(step);
  print_event({{"event", "skipped_step"},
               {"step_idx", step.step_idx},
               {"learning_rate", figure(step.learning_rate)},
               {"num_in_a_row", step.num_in_a_row},
               {"text", train::skipped_step_text(step)}});
}

void RunEvents::on_checkpoint(std::uint64_t num_steps) {
  next_.on_checkpoint(num_steps);
  print_event({{"event", "checkpoint"}, {"step", num_steps}});
}

void RunEvents::on_note(const std::string& text) {
  next_.on_note(text);
  print_event({{"event", "note"}, {"text", text}});
}

void RunEvents::on_warning(const std::string& text) {
  next_.on_warning(text);
  print_event({{"event", "warning"}, {"text", text}});
}

void print_error_event(const Error& error) {
  print_event({{"event", "error"}, {"text", error.what()}, {"hint", error.hint()}});
}

}  // namespace penstock::tools
