// Evaluation of each picture together with its mirror image.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "streamer/core/batch.h"
#include "train/loop/program_set.h"
#include "train/loop/trainer.h"
#include "train/run/data/unlabelled_batch.h"

namespace penstock::train {

/// Stands between a source and evaluate_epoch(): as the source it mirrors the batches that it hands on, as the
/// observer it runs the mirrored one too and hands on the mean of both predictions.
///
/// The mean is that of the probabilities, as scores again (their logarithm): each of the two views has one vote,
/// and the mean is a distribution whose likelihood and calibration mean something. The mean of logits would let
/// the surer view outvote the other.
/// What the program reports of the pass (loss, top-1) is of the pictures as they are.
/// Source  Krizhevsky et al. 2012, section 4.1: mean of the softmax over a picture's views
class TestTimeFlip final : public BatchSource, public ScoreObserver {
 public:
  /// All outlive it. `next` is told the mean scores.
  TestTimeFlip(BatchSource& source, ProgramSet& programs, ScoreObserver& next);

  /// What it will hold, in bytes.
  static std::uint64_t bytes_for(const BatchSpec& spec, std::size_t num_logits);

  const BatchSpec& spec() const noexcept override { return source_.spec(); }
  BatchLease next() override;
  SourceStats stats() const override { return source_.stats(); }

  void on_scores(const ScoredBatch& batch) override;

 private:
  BatchSource& source_;
  ProgramSet& programs_;
  ScoreObserver& next_;
  std::shared_ptr<UnlabelledBatch> mirrored_;  // shared with the lease while it is scored
  std::uint32_t num_valid_ = 0;                // of the batch that was handed on last
  std::vector<float> mirrored_logits_;
  std::vector<float> mean_scores_;
};

/// Turns one picture around its vertical axis.
///
/// Shapes  from, to: one sample as `spec` says, apart from each other
void mirror_picture(const BatchSpec& spec, const std::byte* from, std::byte* to);

/// Logarithm of the mean of two softmaxes, class by class. Shapes  all of one length
void mean_prediction(std::span<const float> a, std::span<const float> b, std::span<float> mean);

}  // namespace penstock::train
