// Weights by the formula of even_values.h that keep values about as large from layer to layer: none is zero, so
// each takes part in what comes out.
#pragma once

#include <cmath>
#include <string_view>
#include <vector>

#include "tests/train/backend/even_values.h"
#include "train/backend/program.h"
#include "train/graph/model_graph.h"

namespace penstock::train {

/// value() of tests/interop/torchvision_logits.py: a middle and the width around it.
struct EvenRange {
  double middle = 0;
  double width = 0;
};

inline EvenRange even_range_of(const Parameter& parameter) {
  const std::string_view name = parameter.name;
  if (name.ends_with("layer_scale")) return {0.5, 0.25};
  if (parameter.shape.size() > 1) {
    return {0, std::sqrt(6.0 * parameter.shape[0] / static_cast<double>(parameter.num_elements()))};
  }
  if (name.ends_with("running_var")) return {1, 0.5};
  if (name.ends_with("weight")) return {1, 0.25};
  return {0, 0.1};
}

inline void set_even_parameters(Program& program, const ModelGraph& graph) {
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
    const Parameter& parameter = graph.parameters()[i];
    const EvenRange range = even_range_of(parameter);
    const EvenValues even(parameter.name);
    std::vector<float> values(parameter.num_elements());
    for (std::size_t place = 0; place < values.size(); ++place) {
      values[place] = static_cast<float>(range.middle + range.width * even.at(place));
    }
    program.import_param(i, ParamPart::kMaster, values);
  }
}

}  // namespace penstock::train
