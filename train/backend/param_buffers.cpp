#include "train/backend/param_buffers.h"

namespace penstock::train {

ParamBuffers add_param_buffers(BufferList& list, const ParamNeeds& needs,
                               const Lowering& lowering) {
  const std::string& name = needs.parameter.name;
  const bool is_trainable = needs.parameter.is_trainable;
  const auto add = [&](std::string_view part, Role role) {
    return list.add(part_name(name, part), role, needs.bytes);
  };
  ParamBuffers buffers;
  buffers.master = needs.reads_ema
                       ? add("ema", Role::kState)
                       : list.add(name, is_trainable ? Role::kMaster : Role::kStats, needs.bytes);
  const bool is_training = lowering.mode == Mode::kTrain;
  if (is_training && !is_trainable) buffers.before_step = add("before_step", Role::kStats);
  if (!needs.learns) return buffers;
  const auto states = state_names(lowering.optimizer);
  if (!states.empty()) buffers.state = add(states[0], Role::kState);
  if (states.size() > 1) buffers.second_state = add(states[1], Role::kState);
  if (lowering.optimizer.ema_decay > 0) buffers.ema = add("ema", Role::kState);
  return buffers;
}

}  // namespace penstock::train
