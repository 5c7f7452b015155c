#include "train/run/network/run_loss.h"

#include <vector>

#include "train/loss/class_balance.h"

namespace penstock::train {
namespace {

std::vector<float> as_float(std::span<const double> values) {
  std::vector<float> floats;
  for (const double value : values) floats.push_back(static_cast<float>(value));
  return floats;
}

}  // namespace

bool is_focal_run(const RunConfig& config) noexcept {
  return config.loss == LossKind::kSoftmaxFocal;
}

LossSpec loss_of(const RunConfig& config, std::span<const std::uint64_t> num_by_class) {
  LossSpec loss{.kind = config.loss, .label_smoothing = config.label_smoothing};
  loss.class_weights = config.balances_classes ? balanced_class_weights(num_by_class)
                                               : as_float(config.class_weights);
  if (is_focal_run(config)) {
    loss.focal_gamma = config.focal_gamma;
    loss.focal_alpha = as_float(config.focal_alpha);
  }
  loss.validate_for(num_by_class.size());
  return loss;
}

LossSpec loss_of(const ModelRecord& record) {
  LossSpec loss{.kind = parse_loss(record.loss),
                .focal_gamma = record.focal_gamma,
                .focal_alpha = as_float(record.focal_alpha)};
  loss.validate_for(record.class_names.size());
  return loss;
}

}  // namespace penstock::train
