#include "train/loss/sample_labels.h"

#include <cmath>
#include <string>
#include <string_view>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"

namespace penstock::train {
namespace {

[[noreturn]] void refuse(std::string_view field, const std::string& expected,
                         const std::string& found, std::string hint = {}) {
  throw Error(ErrorCode::kInvalidArgument,
              "labels: " + std::string(field) + ": expected " + expected + ", found " + found,
              std::move(hint));
}

void check_length(std::string_view field, std::size_t found, std::size_t expected) {
  if (found == expected) return;
  refuse(field, std::to_string(expected) + " values", std::to_string(found));
}

void check_weight(float weight) {
  if (weight >= 0 && std::isfinite(weight)) return;
  refuse("weights", "finite numbers, 0 or more", number_text(static_cast<double>(weight)));
}

}  // namespace

void SampleLabels::validate_for(const ScoreShape& shape) const {
  if (class_idx.empty() && targets.empty() && shape.batch > 0) {
    refuse("class_idx", std::to_string(shape.batch) + " values, or targets", "neither");
  }
  if (!class_idx.empty()) check_length("class_idx", class_idx.size(), shape.batch);
  if (!targets.empty()) check_length("targets", targets.size(), shape.batch * shape.outputs);
  if (!weights.empty()) check_length("weights", weights.size(), shape.batch);
  for (const float weight : weights) check_weight(weight);
  for (const std::uint32_t label : class_idx) {
    if (label == kUnlabelled || label < shape.outputs) continue;
    refuse("class_idx", "a class below " + std::to_string(shape.outputs), std::to_string(label),
           "the model must have an output for each class of the dataset");
  }
}

SampleLabels labels_of(const BatchView& batch, std::size_t num_samples) {
  const bool has_targets = batch.spec->label_form == LabelForm::kTargets;
  return {.class_idx = batch.class_idx.first(num_samples),
          .targets = has_targets ? batch.targets.first(num_samples * batch.spec->num_targets)
                                 : std::span<const float>(),
          .weights = batch.weights.first(num_samples)};
}

}  // namespace penstock::train
