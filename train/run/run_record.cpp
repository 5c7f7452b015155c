#include "train/run/run_record.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "train/run/network/run_loss.h"

namespace penstock::train {
namespace {

/// Figures of the last epoch that was validated too, by the names that JSON has; "epoch" says which one, counted
/// from 1.
std::map<std::string, double> metrics_of(const std::optional<EpochReport>& report) {
  std::map<std::string, double> metrics;
  if (!report) return metrics;
  const auto add = [&](const char* name, double value) {
    if (std::isfinite(value)) metrics[name] = value;
  };
  add("epoch", report->epoch_idx + 1);
  add("loss", report->train.totals.loss());
  add("top1", report->train.totals.top1());
  if (report->validation) {
    add("val_loss", report->validation->totals.loss());
    add("val_top1", report->validation->totals.top1());
  }
  return metrics;
}

}  // namespace

ModelRecord model_record(const RunSetup& setup, std::uint32_t num_epochs,
                         const std::optional<EpochReport>& last) {
  const RunConfig& config = setup.config;
  const bool is_focal = is_focal_run(config);
  return {.model_name = config.model,
          .model_layers = config.model_layers,
          .graph_identity = setup.graph.identity(),
          .height_px = config.image_height_px,
          .width_px = config.image_width_px,
          .channels = num_channels(config.color_mode),
          .batch_size = config.evaluation_batch(),  // what the network is run on at once
          .precision = std::string(compute_type_name(config.precision)),
          .loss = std::string(loss_name(config.loss)),
          .focal_gamma = is_focal ? config.focal_gamma : ModelRecord{}.focal_gamma,
          .focal_alpha = is_focal ? config.focal_alpha : std::vector<double>{},
          .decode_scaling = std::string(decode_scaling_name(config.augment.decode_scaling)),
          .center_crop = config.augment.center_crop,
          .interpolation = std::string(interpolation_name(config.augment.interpolation)),
          .mean = config.mean,
          .std = config.std,
          .class_names = setup.dataset.manifest().class_names,
          .dataset_id = setup.dataset.manifest().id,
          .conversion = setup.dataset.manifest().conversion,
          .identity = setup.identity.text,
          .num_epochs = num_epochs,
          .metrics = metrics_of(last)};
}

}  // namespace penstock::train
