// A loss with scores and labels as PyTorch had them, and what it made of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/golden_file.h"
#include "train/loss/batch_loss.h"

namespace penstock::train {

struct LossProblem {
  std::string name;
  LossSpec spec;
  ScoreShape shape;
  std::vector<double> scores;
  std::vector<std::uint32_t> class_idx;
  std::vector<float> targets;
  std::vector<float> weights;
  double weight_sum = 0;
  double loss_sum = 0;
  std::vector<double> gradient;

  SampleLabels labels() const { return {class_idx, targets, weights}; }

  template <class T>
  std::vector<T> scores_as() const {
    return std::vector<T>(scores.begin(), scores.end());
  }
};

/// The cases of loss_goldens.txt.
inline std::vector<LossProblem> golden_losses() {
  std::vector<LossProblem> problems;
  for (const tests::GoldenCase& golden : tests::read_goldens(PENSTOCK_LOSS_GOLDENS, "")) {
    LossSpec spec{.kind = parse_loss(golden.text("kind")),
                  .focal_alpha = golden.values_or_none<float>("focal_alpha"),
                  .class_weights = golden.values_or_none<float>("class_weights"),
                  .positive_weights = golden.values_or_none<float>("positive_weights")};
    if (golden.has("label_smoothing")) spec.label_smoothing = golden.number("label_smoothing");
    if (golden.has("focal_gamma")) spec.focal_gamma = golden.number("focal_gamma");
    const std::vector<double> scores = golden.numbers("scores");
    const auto outputs = static_cast<std::size_t>(golden.number("outputs"));
    problems.push_back({.name = golden.name(),
                        .spec = spec,
                        .shape = {.batch = scores.size() / outputs, .outputs = outputs},
                        .scores = scores,
                        .class_idx = golden.values_or_none<std::uint32_t>("labels"),
                        .targets = golden.values_or_none<float>("targets"),
                        .weights = golden.values_or_none<float>("weights"),
                        .weight_sum = golden.number("weight_sum"),
                        .loss_sum = golden.number("loss_sum"),
                        .gradient = golden.numbers("gradient")});
  }
  return problems;
}

}  // namespace penstock::train
