#include "train/loop/pass_report.h"

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"

namespace penstock::train {

void check_each_once(const PassReport& report) {
  if (report.is_each_once()) return;
  throw Error(ErrorCode::kInternal,
              "pass: expected each of " + std::to_string(report.num_expected) +
                  " samples once, found " + std::to_string(report.num_samples) + ", " +
                  std::to_string(report.num_distinct) + " different");
}

std::string skipped_step_text(const SkippedStep& step) {
  std::string text = "step " + std::to_string(step.step_idx) +
                     " skipped: its loss or gradients were not finite at learning rate " +
                     number_text(step.learning_rate);
  if (step.num_in_a_row > 1) text += " (" + std::to_string(step.num_in_a_row) + " in a row)";
  return text;
}

}  // namespace penstock::train
