#include "train/loop/model_weights.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "train/loop/checkpoint_tensors.h"
#include "train/store/model_record.h"
#include "train/store/safetensors_reader.h"

namespace penstock::train {
namespace {

void check_finite(const std::string& name, std::span<const float> values) {
  const auto found =
      std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
  if (found == values.end()) return;
  throw Error(ErrorCode::kInvalidArgument,
              "weights: " + name + ": expected finite numbers, found " + std::to_string(*found) +
                  " at " + std::to_string(found - values.begin()) + ": the training diverged",
              "lower --learning-rate");
}

ParamPart evaluated_part(const Program& program, const ParamSlot& slot) {
  const Lowering& lowering = program.lowering();
  const bool has_ema = lowering.mode == Mode::kTrain && lowering.optimizer.ema_decay > 0;
  return has_ema && slot.is_trainable ? ParamPart::kEma : ParamPart::kMaster;
}

std::vector<TensorSpec> tensors_of(const Program& program) {
  std::vector<TensorSpec> tensors;
  for (const ParamSlot& slot : program.params()) {
    tensors.push_back({.name = slot.name, .shape = {slot.shape.begin(), slot.shape.end()}});
  }
  return tensors;
}

}  // namespace

TensorSource weights_source(Program& program) {
  TensorSource source{.tensors = tensors_of(program), .metadata = {{"format", "penstock"}}};
  source.fill = [&program](std::size_t tensor_idx, std::span<float> values) {
    const ParamSlot& slot = program.params()[tensor_idx];
    program.export_param(tensor_idx, evaluated_part(program, slot), values);
    check_finite(slot.name, values);
  };
  return source;
}

void load_weights(Program& program, const std::filesystem::path& file) {
  const SafetensorsReader reader = SafetensorsReader::open(file);
  const std::vector<TensorSpec> tensors = tensors_of(program);
  check_tensors(tensors, reader.tensors(), file);
  std::vector<float> largest(largest_tensor_bytes(program.params()) / sizeof(float));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::span<float> values = std::span(largest).first(program.params()[i].num_elements());
    reader.read(tensors[i], values);
    program.import_param(i, ParamPart::kMaster, values);
  }
}

}  // namespace penstock::train
