// Which samples a preview shows, what is drawn for them, and their pixels as a trainer gets them.
// Knows no sheet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "augment/augment_draws.h"
#include "streamer/core/image_view.h"
#include "streamer/core/memory_budget.h"
#include "streamer/shard/dataset.h"
#include "train/run/data/data_pipeline.h"
#include "train/run/data/picture_place.h"

namespace penstock::tools {

struct PreviewConfig {
  train::PipelineConfig pipeline;
  train::PipelineUse use = train::PipelineUse::kTrain;
  /// Samples, spread evenly over the first epoch's positions; no more than the split has.
  std::uint64_t num_samples = 4;
  /// Epochs shown of each sample.
  std::uint32_t num_versions = 6;
  std::uint32_t first_epoch = 0;
};

/// A sample as it comes in one epoch.
struct PreviewVersion {
  std::uint32_t epoch = 0;
  std::uint64_t position = 0;  // where it stands in that epoch
  augment::AugmentDraws drawn;
};

struct PreviewSample {
  std::uint64_t sample_id = 0;
  IndexRecord record;
  std::string name;  // of its source; empty when left out at conversion
  std::vector<PreviewVersion> versions;
};

/// Interleaved RGB that owns its pixels, or why there are none.
struct ShownPicture {
  std::vector<std::uint8_t> pixels_hwc = {};
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  SampleFault fault = {};

  ImageView view() const noexcept;
};

/// Undoes the normalisation: (value * std + mean) / rescale in double precision, rounded to the
/// nearest whole number, halves up, and held within 0 to 255.
///
/// Shapes  values_hwc: [pixels, channels], 3 or 1 of them; the result: [pixels, 3], of gray three
///         equal ones
std::vector<std::uint8_t> denormalised(std::span<const float> values_hwc,
                                       const augment::AugmentConfig& config,
                                       std::uint32_t channels = 3);

/// Chooses the samples and finds their places in every epoch shown.
///
/// Errors   the constructor: InvalidArgument for a split without samples; those of the order
/// Memory   the order's and, while one is made, a picture's, drawn from the budget
/// Threads  one at a time
/// Cost     the constructor asks the order for every position of an epoch until all are found, 20
///          to 70 ns each, for each version beyond the first
class PreviewSamples {
 public:
  PreviewSamples(DatasetSplit split, const PreviewConfig& config, MemoryBudget& budget);

  const std::vector<PreviewSample>& samples() const noexcept { return samples_; }
  /// What was asked for, or without all that is random.
  const augment::AugmentConfig& augment() const noexcept { return augment_; }

  /// The encoded bytes of a sample, verified, and their part of the budget.
  struct Encoded {
    train::EncodedPicture picture;
    BudgetShare share;
  };
  /// Errors  CorruptData when they are not what was written; Io; OutOfMemory
  Encoded read(std::size_t sample_idx);

  /// The stored picture upright, shrunk to fit `room`; never enlarged.
  /// Errors  OutOfMemory
  ShownPicture original(const Encoded& encoded, augment::SizePx room);
  /// The place of a batch that a trainer gets, denormalised.
  /// Errors  OutOfMemory
  ShownPicture version(const Encoded& encoded, const PreviewVersion& version);

 private:
  void choose_samples(const PreviewConfig& config);
  void find_positions(const OrderPlan& orders, std::size_t version_idx, std::uint32_t epoch);
  void draw_values();
  Draws draws_of(const PreviewVersion& version) const noexcept;

  DatasetSplit split_;
  MemoryBudget& budget_;
  augment::AugmentConfig augment_;
  std::shared_ptr<const SampleTransform> transform_;  // the factory's
  BatchSpec spec_;
  std::uint64_t seed_;
  BudgetShare order_share_;
  std::vector<PreviewSample> samples_;
};

}  // namespace penstock::tools
