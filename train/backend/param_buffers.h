// The buffers of one parameter in a program on the host.
#pragma once

#include <string>
#include <string_view>

#include "train/backend/buffer_list.h"

namespace penstock::train {

/// Absent ones are kNoBuffer: all but `master` are of parameters that learn in the program.
struct ParamBuffers {
  BufferId master = kNoBuffer;  // or the mean of its values, with Lowering::reads_ema
  BufferId state = kNoBuffer;
  BufferId second_state = kNoBuffer;
  BufferId ema = kNoBuffer;
  BufferId grad = kNoBuffer;
  BufferId grad_sum = kNoBuffer;     // where several runs add their gradients up
  BufferId before_step = kNoBuffer;  // of running statistics in training: see statistics_guard.h

  BufferId whole_grad() const { return grad_sum == kNoBuffer ? grad : grad_sum; }
  BufferId of(ParamPart part) const {
    switch (part) {
      case ParamPart::kMaster:
        return master;
      case ParamPart::kGrad:
        return whole_grad();
      case ParamPart::kState:
        return state;
      case ParamPart::kSecondState:
        return second_state;
      case ParamPart::kEma:
        return ema;
    }
    return kNoBuffer;
  }
};

/// Name of a buffer that belongs to a parameter: "conv.weight:momentum". Buffers that stay are shared by name,
/// and "conv.weight.momentum" may be a parameter; no parameter's name holds a colon.
inline std::string part_name(const std::string& parameter, std::string_view part) {
  return parameter + ":" + std::string(part);
}

/// Adds what the optimizer keeps for a parameter called `name` that takes `bytes`.
inline void add_optimizer_buffers(BufferList& list, const std::string& name, std::size_t bytes,
                                  const OptimizerConfig& optimizer, ParamBuffers& buffers) {
  const auto add = [&](std::string_view state) {
    return list.add(part_name(name, state), Role::kState, bytes);
  };
  const auto states = state_names(optimizer);
  if (!states.empty()) buffers.state = add(states[0]);
  if (states.size() > 1) buffers.second_state = add(states[1]);
  if (optimizer.ema_decay > 0) buffers.ema = add("ema");
}

}  // namespace penstock::train
