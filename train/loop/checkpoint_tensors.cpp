#include "train/loop/checkpoint_tensors.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
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

using StateNames = std::set<std::string, std::less<>>;

/// States that a file holds: what stands behind the last dot of its tensors' names.
StateNames states_in(const SafetensorsReader& file) {
  StateNames states;
  for (const TensorSpec& tensor : file.tensors()) {
    states.insert(tensor.name.substr(tensor.name.rfind('.') + 1));
  }
  return states;
}

bool is_part_of(const StateNames& some, const StateNames& all) {
  return std::ranges::includes(all, some);
}

/// The states that a program reads from a file, and how they differ from what it keeps. Those of another
/// optimizer are none that differ: check_tensors() names them.
struct StoredStates {
  explicit StoredStates(const Program& program, const SafetensorsReader& file) {
    const auto names = state_names(program.lowering().optimizer);
    const StateNames kept(names.begin(), names.end());
    const StateNames found = states_in(file);
    is_of_optimizer = is_part_of(found, kept) || is_part_of(kept, found);
    in_file = is_of_optimizer ? found : kept;
    std::ranges::set_difference(kept, in_file, std::back_inserter(change.started));
    std::ranges::set_difference(in_file, kept, std::back_inserter(change.left_out));
  }

  bool is_of_optimizer = true;
  StateNames in_file;
  StateChange change;
};

void restore_parts(Program& program, const SafetensorsReader& file,
                   const std::vector<PartTensor>& parts, std::vector<float>& values) {
  for (const PartTensor& part : parts) {
    const std::size_t num_values = program.params()[part.param_idx].num_elements();
    const std::span<float> place = std::span(values).first(num_values);
    file.read(part.spec, place);
    program.import_param(part.param_idx, part.part, place);
  }
}

void check_parts(const SafetensorsReader& file, const std::vector<PartTensor>& parts) {
  std::vector<TensorSpec> wanted;
  for (const PartTensor& part : parts) wanted.push_back(part.spec);
  file.check_tensors(wanted);
}

void restore_group(Program& program, const SafetensorsReader& file, TensorGroup group,
                   std::vector<float>& values) {
  const std::vector<PartTensor> parts = parts_of(program, group);
  check_parts(file, parts);
  restore_parts(program, file, parts, values);
}

StateChange restore_states(Program& program, const SafetensorsReader& file,
                           std::vector<float>& values) {
  const StoredStates stored(program, file);
  std::vector<PartTensor> in_file;
  for (std::size_t i = 0; i < program.params().size(); ++i) {
    if (!learns(program, i)) continue;
    for (const std::string& state : stored.in_file) {
      in_file.push_back(part_tensor(program, i, ParamPart::kState, state));
    }
  }
  check_parts(file, in_file);
  std::vector<PartTensor> parts = parts_of(program, TensorGroup::kOptimizer);
  std::erase_if(parts, [&](const PartTensor& part) {
    const std::string& name = part.spec.name;
    return !stored.in_file.contains(std::string_view(name).substr(name.rfind('.') + 1));
  });
  restore_parts(program, file, parts, values);
  return stored.change;
}

/// As they are at the start of a run: equal to the weights.
void start_ema(Program& program, const SafetensorsReader& model, std::vector<float>& values) {
  std::vector<PartTensor> parts = parts_of(program, TensorGroup::kEma);
  restore_parts(program, model, parts, values);
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

std::vector<std::string> notes_of(const StateChange& change) {
  std::vector<std::string> lines;
  for (const std::string& name : change.started) {
    lines.push_back("the optimizer's " + name + " starts at zero: the checkpoint has none");
  }
  for (const std::string& name : change.left_out) {
    lines.push_back("the optimizer's " + name + " is left out: it is no longer used");
  }
  if (change.is_ema_started) {
    lines.push_back("the means of the weights start from the checkpoint's weights: it has none");
  }
  if (change.is_ema_left_out) {
    lines.push_back("the means of the weights are left out: they are no longer used");
  }
  return lines;
}

StateChange restore_tensors(Program& program, const CheckpointReader& checkpoint) {
  std::vector<float> values(largest_tensor_bytes(program.params()) / sizeof(float));
  for (const TensorGroup group : {TensorGroup::kModel, TensorGroup::kOptimizer}) {
    if (checkpoint.has(group)) continue;
    throw Error(ErrorCode::kCorruptData, "checkpoint: " + checkpoint.path().native() +
                                             ": expected " + std::string(tensor_file_name(group)) +
                                             ", found none");
  }
  const SafetensorsReader& model = checkpoint.tensors(TensorGroup::kModel);
  restore_group(program, model, TensorGroup::kModel, values);
  StateChange change = restore_states(program, checkpoint.tensors(TensorGroup::kOptimizer), values);
  const bool has_ema = checkpoint.has(TensorGroup::kEma);
  if (keeps_ema(program) && has_ema) {
    restore_group(program, checkpoint.tensors(TensorGroup::kEma), TensorGroup::kEma, values);
  } else if (keeps_ema(program)) {
    start_ema(program, model, values);
  }
  change.is_ema_started = keeps_ema(program) && !has_ema;
  change.is_ema_left_out = !keeps_ema(program) && has_ema;
  return change;
}

std::uint64_t num_values(const TensorSpec& tensor) noexcept {
  std::uint64_t count = 1;
  for (const std::uint64_t side : tensor.shape) count *= side;
  return count;
}

TensorSource weights_source(const CheckpointReader& checkpoint) {
  const SafetensorsReader& model = checkpoint.tensors(TensorGroup::kModel);
  const SafetensorsReader* const ema =
      checkpoint.has(TensorGroup::kEma) ? &checkpoint.tensors(TensorGroup::kEma) : nullptr;
  TensorSource source{.tensors = model.tensors(), .metadata = {{"format", "penstock"}}};
  source.fill = [&model, ema](std::size_t tensor_idx, std::span<float> values) {
    const TensorSpec& tensor = model.tensors()[tensor_idx];
    const bool has_mean =
        ema != nullptr && std::ranges::count(ema->tensors(), tensor.name, &TensorSpec::name) > 0;
    (has_mean ? *ema : model).read(tensor, values);
  };
  return source;
}

}  // namespace penstock::train
