// Mixup and cutmix: the samples of a batch mixed with each other, their targets too.
// Knows no files, no codecs and no threads.
#pragma once

#include <memory>
#include <string>

#include "augment/augment_config.h"
#include "streamer/core/batch_transform.h"

namespace penstock::augment {

/// Mixes each sample with its mirror in the batch: place i with place num_valid - 1 - i, so that pairs are
/// changed in place. Of an odd number, the one in the middle stays as it is: a batch of one is not mixed.
///
/// With both on, a batch takes one of the two, each half the time. All pairs of a batch share what was drawn
/// for it. A pair of which one sample failed or has no label stays as it is.
///
/// Errors   the constructor throws what AugmentConfig::validate() throws, and InvalidArgument with
///          both off
/// Of batches of crops (BatchSpec::crop_bytes) the targets are mixed, and each record says with whom, by which
/// shares or where, for whoever makes the pixels.
///
/// Needs    LabelForm::kTargets; any layout and element type
/// Threads  immutable; every member may be called from any thread
/// Cost     one pass over the batch, or over the boxes; allocates nothing
/// Source   mixup: arXiv:1710.09412; cutmix: arXiv:1905.04899; formulas and defaults as
///          torchvision.transforms.v2.MixUp and CutMix, which pair a place with the one before it; timm's
///          Mixup pairs as here
class BatchMix final : public BatchTransform {
 public:
  /// Of `config`, `mixup` and `cutmix` count here.
  explicit BatchMix(const AugmentConfig& config);

  void accept(const BatchSpec& spec) const override;
  void apply(const BatchContent& batch) const noexcept override;
  bool takes_crops() const noexcept override { return true; }
  std::string identity() const override;

 private:
  AugmentConfig config_;
};

/// Returns what mixes batches as `config` says; null when it mixes none.
std::shared_ptr<const BatchTransform> make_batch_mix(const AugmentConfig& config);

}  // namespace penstock::augment
