// Which loss a run takes and how it weighs: names, settings, ranges. The arithmetic is in the rules
// beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "train/optim/host_device.h"

namespace penstock::train {

enum class LossKind : std::uint8_t {
  kSoftmaxCrossEntropy,  // one class a sample
  kSoftmaxFocal,         // the same, samples that are already right count less
  kBinaryCrossEntropy,   // several labels, each for itself
  kBinaryFocal,          // the same, labels that are already right count less
  kMeanSquaredError,     // regression
  kMeanAbsoluteError,    // regression, far values pull less
  kCustom,               // a program's own: LossSpec::custom; the last one
};

class CustomLoss;

/// Names as files spell them, in the order of LossKind: "cross_entropy", "focal", "binary_cross_entropy",
/// "binary_focal", "mean_squared_error", "mean_absolute_error". Not kCustom: no file can bring one.
std::span<const std::string_view> loss_names();
/// One of them, or "custom".
std::string_view loss_name(LossKind kind);
/// Throws InvalidArgument with the nearest name.
LossKind parse_loss(std::string_view name);

/// One softmax over all outputs: exactly one class is right.
bool is_softmax_loss(LossKind kind);
/// Every output is a label of its own.
bool is_binary_loss(LossKind kind);

/// A setting that a loss has no use for is refused, not passed over.
struct LossSpec {
  LossKind kind = LossKind::kSoftmaxCrossEntropy;
  /// Share of the target that is spread, 0 to below 1: over all classes (softmax), or half to each
  /// side (binary, as in Keras). Not for regression.
  double label_smoothing = 0.0;
  /// Focal losses: exponent of 1 - p, 0 or more; 0 is plain cross-entropy (Lin et al. 2017, eq. 4).
  double focal_gamma = 2.0;
  /// Focal losses: factor of each class, 0 to 1; empty for 1. One value serves all. Binary: positives
  /// count alpha, negatives 1 - alpha (eq. 5).
  std::vector<float> focal_alpha = {};
  /// Softmax losses: weight of each class, 0 or more; empty for 1. Enters numerator and denominator,
  /// as in torch.nn.CrossEntropyLoss(weight).
  std::vector<float> class_weights = {};
  /// Binary cross-entropy: factor of the positives of each label, above 0; empty for 1. One value
  /// serves all. Enters the numerator only, as in torch.nn.BCEWithLogitsLoss(pos_weight).
  std::vector<float> positive_weights = {};
  /// With kCustom alone, and never null then (custom_loss.h).
  std::shared_ptr<const CustomLoss> custom = {};

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
  /// The same, and that lists of values have one for each output of the network.
  void validate_for(std::size_t num_outputs) const;
};

/// The settings as a rule reads them, borrowed. A kernel makes one of its own, over lists on the device.
struct LossSettings {
  double label_smoothing = 0;
  double focal_gamma = 0;
  std::span<const float> focal_alpha = {};
  std::span<const float> class_weights = {};
  std::span<const float> positive_weights = {};
};

inline LossSettings settings_of(const LossSpec& spec) {
  return {spec.label_smoothing, spec.focal_gamma, spec.focal_alpha, spec.class_weights,
          spec.positive_weights};
}

/// The value that a list holds for output `k`: 1 when empty, the only one when there is one.
PENSTOCK_HOST_DEVICE inline float listed_value(std::span<const float> list, std::size_t k) {
  if (list.empty()) return 1.0f;
  return list.size() == 1 ? list.front() : list[k];
}

}  // namespace penstock::train
