#include "train/loop/model_weights.h"

#include <utility>

namespace penstock::train {

std::vector<NamedTensor> export_weights(Program& program) {
  std::vector<NamedTensor> tensors;
  for (const ParamSlot& slot : program.params()) {
    NamedTensor tensor{
        slot.name, {slot.shape.begin(), slot.shape.end()}, std::vector<float>(slot.num_elements())};
    program.export_param(tensors.size(), ParamPart::kMaster, tensor.values);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

void import_weights(Program& program, std::vector<NamedTensor> tensors,
                    const std::filesystem::path& where) {
  std::vector<ExpectedTensor> expected;
  for (const ParamSlot& slot : program.params()) {
    expected.push_back({slot.name, {slot.shape.begin(), slot.shape.end()}});
  }
  const std::vector<NamedTensor> matched = match_tensors(expected, std::move(tensors), where);
  for (std::size_t i = 0; i < matched.size(); ++i) {
    program.import_param(i, ParamPart::kMaster, matched[i].values);
  }
}

}  // namespace penstock::train
