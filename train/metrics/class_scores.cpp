#include "train/metrics/class_scores.h"

#include <string>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "train/metrics/batch_check.h"

namespace penstock::train {

bool ClassScores::counts(std::size_t n) const {
  return class_idx[n] != kUnlabelled && weight(n) > 0;
}

void ClassScores::validate_for(std::uint32_t num_classes) const {
  const std::size_t num_samples = class_idx.size();
  check_batch_length({"scores", scores.size(), num_samples * num_classes});
  check_batch_length({"sample_ids", sample_ids.size(), num_samples});
  if (!weights.empty()) check_batch_length({"weights", weights.size(), num_samples});
  for (std::size_t n = 0; n < num_samples; ++n) {
    check_sample_weight(sample_ids[n], weight(n));
    if (!counts(n)) continue;
    if (class_idx[n] >= num_classes) {
      throw Error(ErrorCode::kInvalidArgument,
                  "metrics: sample " + std::to_string(sample_ids[n]) + ": label: expected below " +
                      std::to_string(num_classes) + ", found " + std::to_string(class_idx[n]));
    }
    check_finite_values(sample_ids[n], "score", row(n, num_classes));
  }
}

}  // namespace penstock::train
