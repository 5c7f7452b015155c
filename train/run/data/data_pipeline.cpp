#include "train/run/data/data_pipeline.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "augment/augment_transform.h"
#include "augment/batch_mix.h"
#include "augment/crop_transform.h"
#include "streamer/pipeline/loader_order.h"
#include "train/run/data/byte_pixels.h"

namespace penstock::train {
namespace {

void set_channels(std::array<double, 3>& channels, const std::vector<double>& values) {
  std::copy_n(values.begin(), std::min(values.size(), channels.size()), channels.begin());
}

LoaderConfig loader_config(const DatasetSplit& split, const PipelineConfig& config,
                           PipelineUse use) {
  const bool trains = use == PipelineUse::kTrain;
  LoaderConfig loader;
  loader.batch = config.batch;
  loader.batch.label_form = label_form_of(config.augment, use);
  if (loader.batch.label_form == LabelForm::kTargets) {
    loader.batch.num_targets = static_cast<std::uint32_t>(split.class_names().size());
  }
  loader.batch_transform = augment::make_batch_mix(augment_for(config.augment, use));
  loader.order = trains ? config.order : SampleOrder::kSequential;
  if (trains) {
    loader.window_bytes = config.window_bytes;
    loader.loss_weights = config.loss_weights;
    loader.drop_remainder = config.remainder_of > 0;
    loader.remainder_of = config.remainder_of;
    loader.first_epoch = config.first_epoch;
    loader.resume_from = config.resume_from;
  }
  loader.seed = config.seed;
  loader.num_epochs = config.num_epochs;
  loader.num_readers = config.cores.num_readers;
  loader.num_workers = config.cores.num_workers;
  loader.num_slots = config.num_slots;
  loader.cache = config.cache;
  return loader;
}

}  // namespace

augment::AugmentConfig augment_of(const RunConfig& config) {
  augment::AugmentConfig augment = config.augment;
  set_channels(augment.mean, config.mean);
  set_channels(augment.std, config.std);
  return augment;
}

augment::AugmentConfig augment_of(const ModelRecord& record) {
  augment::AugmentConfig augment;
  augment.decode_scaling = augment::parse_decode_scaling(record.decode_scaling);
  augment.center_crop = record.center_crop;
  augment.interpolation = augment::parse_interpolation(record.interpolation);
  set_channels(augment.mean, record.mean);
  set_channels(augment.std, record.std);
  return augment;
}

augment::AugmentConfig augment_for(const augment::AugmentConfig& config, PipelineUse use) {
  return use == PipelineUse::kTrain ? config : config.without_randomness();
}

LabelForm label_form_of(const augment::AugmentConfig& config, PipelineUse use) {
  const augment::AugmentConfig used = augment_for(config, use);
  return used.mixup > 0 || used.cutmix > 0 ? LabelForm::kTargets : LabelForm::kClassIndex;
}

PixelNorm pixel_norm_of(const augment::AugmentConfig& augment, std::uint32_t channels) {
  return {.rescale = augment.rescale,
          .mean = {augment.mean.begin(), augment.mean.begin() + channels},
          .std = {augment.std.begin(), augment.std.begin() + channels}};
}

std::shared_ptr<const SampleTransform> make_transform(const augment::AugmentConfig& config,
                                                      PipelineUse use, const BatchSpec& spec) {
  if (spec.crop_bytes > 0) {
    return std::make_shared<augment::CropTransform>(augment_for(config, use));
  }
  if (spec.element == ElementType::kUint8) {
    return std::make_shared<BytePixels>(augment_for(config, use));
  }
  return std::make_shared<augment::AugmentTransform>(augment_for(config, use));
}

std::unique_ptr<Loader> make_loader(DatasetSplit split, const PipelineConfig& config,
                                    PipelineUse use, MemoryBudget& budget) {
  LoaderConfig loader = loader_config(split, config, use);
  return std::make_unique<Loader>(std::move(split), std::move(loader),
                                  make_transform(config.augment, use, config.batch), budget,
                                  config.host_memory);
}

OrderConfig pipeline_order(const DatasetSplit& split, const PipelineConfig& config,
                           PipelineUse use) {
  return order_config(split, loader_config(split, config, use));
}

PlannedLoader plan_loader(const DatasetSplit& split, const PipelineConfig& config, PipelineUse use,
                          const MemoryRoom& room) {
  const LoaderConfig loader = loader_config(split, config, use);
  return {.config = loader,
          .memory = plan_loader_memory(split, loader,
                                       *make_transform(config.augment, use, config.batch), room)};
}

std::uint64_t least_loader_bytes(const DatasetSplit& split, const PipelineConfig& config,
                                 PipelineUse use) {
  const PlannedLoader planned = plan_loader(split, config, use, {});
  return planned.memory.least_bytes(planned.config);
}

std::string pipeline_identity(const DatasetSplit& split, const PipelineConfig& config,
                              PipelineUse use) {
  return loader_identity(split, loader_config(split, config, use),
                         *make_transform(config.augment, use, config.batch));
}

}  // namespace penstock::train
