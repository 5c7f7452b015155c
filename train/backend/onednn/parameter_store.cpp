#include "train/backend/onednn/parameter_store.h"

#include "train/backend/param_buffers.h"

namespace penstock::train::onednn {

std::shared_ptr<WeightCopy> StoredParam::copy_in(const WeightLayout& wanted) {
  if (wanted == layout) return nullptr;
  for (const auto& copy : copies) {
    if (copy->layout == wanted) return copy;
  }
  const std::string number = std::to_string(copies.size() + 1);
  copies.push_back(
      std::make_shared<WeightCopy>(WeightCopy{part_name(name, "copy" + number), wanted}));
  return copies.back();
}

ParameterStore::ParameterStore(const ModelGraph& graph) : identity_(graph.identity()) {
  for (const Parameter& parameter : graph.parameters()) {
    params_.push_back({parameter.name, parameter.num_elements(), {}, {}, 1, {}});
    emas_.push_back({part_name(parameter.name, "ema"), parameter.num_elements(), {}, {}, 1, {}});
  }
}

StoredParam& ParameterStore::ema(std::size_t param_idx) {
  StoredParam& ema = emas_.at(param_idx);
  ema.layout = params_.at(param_idx).layout;
  ema.canonical = params_.at(param_idx).canonical;
  return ema;
}

}  // namespace penstock::train::onednn
