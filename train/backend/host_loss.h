// The loss of a batch as a step's report: plain loops, a few hundred values a step.
#pragma once

#include "train/backend/program.h"
#include "train/loss/batch_loss.h"

namespace penstock::train {

/// Shapes  scores: [batch, outputs]; the first shape.batch places of `batch` count
template <class T>
StepReport loss_report(const LossSpec& loss, const ScoreShape& shape, const BatchView& batch,
                       const T* scores) {
  const LossSums sums = batch_loss(loss, shape, labels_of(batch, shape.batch), scores);
  return {.weighted_loss_sum = sums.weighted_loss_sum,
          .weight_sum = sums.weight_sum,
          .num_counted = static_cast<std::uint32_t>(sums.num_counted),
          .num_correct = static_cast<std::uint32_t>(sums.num_correct),
          .is_finite = sums.is_finite()};
}

}  // namespace penstock::train
