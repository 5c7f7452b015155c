// The one place where loaders and transforms are made: for training, evaluation and prediction
// alike, so that they cannot differ by accident.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "augment/augment_config.h"
#include "streamer/order/epoch_order.h"
#include "streamer/order/loader_state.h"
#include "streamer/pipeline/loader_memory.h"
#include "train/backend/program.h"
#include "train/run/settings/core_split.h"
#include "train/run/settings/run_config.h"
#include "train/store/model_record.h"

namespace penstock::train {

enum class PipelineUse : std::uint8_t {
  kTrain,     // shuffled and augmented
  kEvaluate,  // in the order of the split, never augmented
};

struct PipelineConfig {
  /// Of class indices; where samples are mixed, the loader's batches have a target for each class too.
  BatchSpec batch;
  /// Mean and std included.
  augment::AugmentConfig augment;
  /// Of PipelineUse::kTrain.
  SampleOrder order = SampleOrder::kShuffle;
  std::uint64_t window_bytes = LoaderConfig{}.window_bytes;
  std::uint64_t seed = 0;
  /// Of PipelineUse::kTrain: samples of a step, where a pass leaves out those of its incomplete one; 0 leaves none
  /// out. LoaderConfig::remainder_of.
  std::uint64_t remainder_of = 0;
  /// Of PipelineUse::kTrain: LoaderConfig::loss_weights.
  std::shared_ptr<const std::vector<float>> loss_weights = {};  // shared with the loader
  CoreSplit cores;
  /// Batches in flight or lent out: LoaderConfig::num_slots.
  std::uint32_t num_slots = LoaderConfig{}.num_slots;
  /// What is kept from pass to pass: LoaderConfig::cache.
  CacheForm cache = CacheForm::kNone;
  /// Passes to deliver, at least 1.
  std::uint32_t num_epochs = 1;
  /// Where training begins: LoaderConfig::first_epoch, or resume_from in its place.
  std::uint32_t first_epoch = 0;
  std::optional<LoaderState> resume_from = {};
  /// Where batches lie: Backend::batch_memory().
  std::shared_ptr<HostMemory> host_memory = page_aligned_memory();
};

/// How programs make values of batches that come as bytes: what `augment` says of that.
PixelNorm pixel_norm_of(const augment::AugmentConfig& augment, std::uint32_t channels);

/// Returns the augmentation of a resolved run, with the run's mean and std.
augment::AugmentConfig augment_of(const RunConfig& config);
/// Returns what a stored model's pictures are normalised with.
augment::AugmentConfig augment_of(const ModelRecord& record);

/// Returns what of `config` such a use gets: all of it, or nothing random.
augment::AugmentConfig augment_for(const augment::AugmentConfig& config, PipelineUse use);

/// Returns how labels come: as targets where samples are mixed.
LabelForm label_form_of(const augment::AugmentConfig& config, PipelineUse use);

/// For such batches: bytes are left as they are, and programs normalise them; of crops they make the pixels.
std::shared_ptr<const SampleTransform> make_transform(const augment::AugmentConfig& config,
                                                      PipelineUse use, const BatchSpec& spec);

/// Errors  those of Loader's constructor
std::unique_ptr<Loader> make_loader(DatasetSplit split, const PipelineConfig& config,
                                    PipelineUse use, MemoryBudget& budget);

/// From what make_loader() would make its order: for those who ask which position a sample has.
OrderConfig pipeline_order(const DatasetSplit& split, const PipelineConfig& config,
                           PipelineUse use);

/// What make_loader() would draw within `room`, and the settings that it would use.
struct PlannedLoader {
  LoaderConfig config;
  LoaderMemory memory;
};

/// Plans a loader without making it; refuses nothing (check_memory).
/// Cost  reads the split's index once
PlannedLoader plan_loader(const DatasetSplit& split, const PipelineConfig& config, PipelineUse use,
                          const MemoryRoom& room);

/// Bytes below which make_loader() refuses.
std::uint64_t least_loader_bytes(const DatasetSplit& split, const PipelineConfig& config,
                                 PipelineUse use);

/// Lists every byte-affecting setting of what make_loader() would make, one `key=value` per line.
std::string pipeline_identity(const DatasetSplit& split, const PipelineConfig& config,
                              PipelineUse use);

}  // namespace penstock::train
