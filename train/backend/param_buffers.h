// The buffers of one parameter in a program on the host.
#pragma once

#include <string>
#include <string_view>

#include "train/backend/buffer_list.h"
#include "train/graph/model_graph.h"

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

/// Name of a buffer that belongs to a parameter: "conv.weight:momentum". Buffers that stay are shared by
/// name, and "conv.weight.momentum" may be a parameter; no parameter's name holds a colon.
inline std::string part_name(const std::string& parameter, std::string_view part) {
  return parameter + ":" + std::string(part);
}

/// What a program needs to know of a parameter to ask for its buffers.
struct ParamNeeds {
  const Parameter& parameter;
  std::size_t bytes = 0;  // as stored
  bool learns = false;
  bool reads_ema = false;  // takes_ema()
};

/// Adds all buffers of a parameter but those of its gradient.
ParamBuffers add_param_buffers(BufferList& list, const ParamNeeds& needs, const Lowering& lowering);

}  // namespace penstock::train
