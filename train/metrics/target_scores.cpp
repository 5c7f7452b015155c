#include "train/metrics/target_scores.h"

#include <string>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "train/metrics/batch_check.h"

namespace penstock::train {

void TargetScores::validate_for(std::uint32_t num_outputs) const {
  const std::size_t num_samples = sample_ids.size();
  check_batch_length({"scores", scores.size(), num_samples * num_outputs});
  check_batch_length({"targets", targets.size(), num_samples * num_outputs});
  if (!weights.empty()) check_batch_length({"weights", weights.size(), num_samples});
  for (std::size_t n = 0; n < num_samples; ++n) {
    check_sample_weight(sample_ids[n], weight(n));
    if (!counts(n)) continue;
    check_finite_values(sample_ids[n], "score", scores.subspan(n * num_outputs, num_outputs));
    check_finite_values(sample_ids[n], "target", targets.subspan(n * num_outputs, num_outputs));
  }
}

void TargetScores::validate_labels_for(std::uint32_t num_labels) const {
  validate_for(num_labels);
  for (std::size_t n = 0; n < sample_ids.size(); ++n) {
    if (!counts(n)) continue;
    for (const float target : targets.subspan(n * num_labels, num_labels)) {
      if (target == 0.0f || target == 1.0f) continue;
      throw Error(ErrorCode::kInvalidArgument,
                  "metrics: sample " + std::to_string(sample_ids[n]) +
                      ": target: expected 0 or 1, found " +
                      number_text(static_cast<double>(target)),
                  "mixup and cutmix are for training batches");
    }
  }
}

}  // namespace penstock::train
