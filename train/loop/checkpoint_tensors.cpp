#include "train/loop/checkpoint_tensors.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "streamer/core/error.h"
#include "train/optim/optimizer_config.h"

namespace penstock::train {
namespace {

/// One part of one parameter under its name in a file.
struct PartTensor {
  std::size_t param_idx = 0;
  ParamPart part = ParamPart::kMaster;
  TensorSpec spec;
};

bool learns(const Program& program, std::size_t param_idx) {
  return program.params()[param_idx].is_trainable && !program.lowering().is_frozen(param_idx);
}

PartTensor part_tensor(const Program& program, std::size_t param_idx, ParamPart part,
                       std::string_view state = {}) {
  const ParamSlot& slot = program.params()[param_idx];
  const std::string name = state.empty() ? slot.name : slot.name + "." + std::string(state);
  return {.param_idx = param_idx,
          .part = part,
          .spec = {.name = name, .shape = {slot.shape.begin(), slot.shape.end()}}};
}

std::vector<PartTensor> parts_of(const Program& program, TensorGroup group) {
  const auto states = state_names(program.lowering().optimizer);
  constexpr ParamPart kStates[] = {ParamPart::kState, ParamPart::kSecondState};
  std::vector<PartTensor> parts;
  for (std::size_t i = 0; i < program.params().size(); ++i) {
    if (group == TensorGroup::kModel) {
      parts.push_back(part_tensor(program, i, ParamPart::kMaster));
    } else if (!learns(program, i)) {
      continue;
    } else if (group == TensorGroup::kEma) {
      parts.push_back(part_tensor(program, i, ParamPart::kEma));
    } else {
      for (std::size_t k = 0; k < states.size(); ++k) {
        parts.push_back(part_tensor(program, i, kStates[k], states[k]));
      }
    }
  }
  return parts;
}

void restore_group(Program& program, const SafetensorsReader& file, TensorGroup group,
                   std::vector<float>& values) {
  const std::vector<PartTensor> parts = parts_of(program, group);
  std::vector<TensorSpec> wanted;
  for (const PartTensor& part : parts) wanted.push_back(part.spec);
  file.check_tensors(wanted);
  for (const PartTensor& part : parts) {
    const std::size_t num_values = program.params()[part.param_idx].num_elements();
    const std::span<float> place = std::span(values).first(num_values);
    file.read(part.spec, place);
    program.import_param(part.param_idx, part.part, place);
  }
}

}  // namespace

TensorSource tensor_source(Program& program, TensorGroup group) {
  const std::vector<PartTensor> parts = parts_of(program, group);
  TensorSource source{.metadata = {{"format", "penstock"}}};
  for (const PartTensor& part : parts) source.tensors.push_back(part.spec);
  source.fill = [&program, parts](std::size_t tensor_idx, std::span<float> values) {
    program.export_param(parts[tensor_idx].param_idx, parts[tensor_idx].part, values);
  };
  return source;
}

bool keeps_ema(const Program& program) noexcept {
  return program.lowering().optimizer.ema_decay > 0;
}

void restore_tensors(Program& program, const CheckpointReader& checkpoint) {
  std::vector<float> values(largest_tensor_bytes(program.params()) / sizeof(float));
  for (const TensorGroup group : kTensorGroups) {
    if (group == TensorGroup::kEma && !keeps_ema(program)) continue;
    if (!checkpoint.has(group)) {
      throw Error(ErrorCode::kCorruptData,
                  "checkpoint: " + checkpoint.path().native() + ": expected " +
                      std::string(tensor_file_name(group)) + ", found none");
    }
    restore_group(program, checkpoint.tensors(group), group, values);
  }
}

}  // namespace penstock::train
