#include "train/loop/model_weights.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

void check_finite(const NamedTensor& tensor) {
  const auto found =
      std::ranges::find_if(tensor.values, [](float value) { return !std::isfinite(value); });
  if (found == tensor.values.end()) return;
  throw Error(ErrorCode::kInvalidArgument,
              "weights: " + tensor.name + ": expected finite numbers, found " +
                  std::to_string(*found) + " at " + std::to_string(found - tensor.values.begin()) +
                  ": the training diverged",
              "lower --learning-rate");
}

ParamPart evaluated_part(const Program& program, const ParamSlot& slot) {
  const Lowering& lowering = program.lowering();
  const bool has_ema = lowering.mode == Mode::kTrain && lowering.optimizer.ema_decay > 0;
  return has_ema && slot.is_trainable ? ParamPart::kEma : ParamPart::kMaster;
}

}  // namespace

std::vector<NamedTensor> export_weights(Program& program) {
  std::vector<NamedTensor> tensors;
  for (const ParamSlot& slot : program.params()) {
    NamedTensor tensor{
        slot.name, {slot.shape.begin(), slot.shape.end()}, std::vector<float>(slot.num_elements())};
    program.export_param(tensors.size(), evaluated_part(program, slot), tensor.values);
    check_finite(tensor);
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
