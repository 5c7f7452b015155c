#include "train/backend/lowering_check.h"

#include <string>
#include <variant>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

constexpr std::uint32_t kMaxBatch = 1u << 16;
/// Bytes of one node's values in double: the user half of an x86-64 address space.
constexpr std::uint64_t kMaxValueBytes = std::uint64_t{1} << 47;

[[noreturn]] void refuse(const std::string& where, const std::string& expected,
                         const std::string& found, std::string hint = {}) {
  throw Error(ErrorCode::kInvalidArgument, where + ": expected " + expected + ", found " + found,
              std::move(hint));
}

void check_count(const std::string& field, std::uint32_t value, std::uint32_t highest) {
  if (value >= 1 && value <= highest) return;
  refuse("lowering: " + field, "1 to " + std::to_string(highest), std::to_string(value));
}

/// Empty, or one for each.
void check_list_size(const std::string& field, std::size_t size, std::size_t expected) {
  if (size == 0 || size == expected) return;
  refuse("lowering: " + field, std::to_string(expected) + " or none", std::to_string(size));
}

void check_value_bytes(const Node& node, std::uint32_t batch) {
  const std::uint64_t sample_bytes = node.shape.num_elements() * sizeof(double);  // at most 2^43
  if (sample_bytes <= kMaxValueBytes / batch) return;
  refuse("model: " + node.name,
         "at most " + std::to_string(kMaxValueBytes / sizeof(double)) + " values in a batch",
         std::to_string(batch) + " samples of " + node.shape.text(),
         "a smaller --batch-size, or a smaller image");
}

}  // namespace

void check_lowering(const ModelGraph& graph, const Lowering& lowering) {
  check_count("batch", lowering.batch, kMaxBatch);
  check_list_size("frozen_params", lowering.frozen_params.size(), graph.parameters().size());
  check_list_size("fixed_norms", lowering.fixed_norms.size(), graph.nodes().size());
  if (!(lowering.label_smoothing >= 0 && lowering.label_smoothing < 1)) {
    refuse("lowering: label_smoothing", "0 to below 1", std::to_string(lowering.label_smoothing));
  }
  (void)graph.output();
  for (const Node& node : graph.nodes()) check_value_bytes(node, lowering.batch);
  if (lowering.mode != Mode::kTrain) return;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(id);
    const bool is_fixed = id < lowering.fixed_norms.size() && lowering.fixed_norms[id];
    if (!std::holds_alternative<BatchNormOp>(node.op) || is_fixed) continue;
    const std::size_t values = std::size_t{lowering.batch} * node.shape.height * node.shape.width;
    if (values < 2) {
      refuse("model: " + node.name, "at least 2 values per channel in training", "1",
             "--batch-size 2 or more, or no batch_norm after the last pooling layer");
    }
  }
}

std::vector<ParamSlot> param_slots(const ModelGraph& graph, const Lowering& lowering) {
  std::vector<ParamSlot> slots;
  for (const Parameter& parameter : graph.parameters()) {
    const bool is_frozen =
        slots.size() < lowering.frozen_params.size() && lowering.frozen_params[slots.size()];
    slots.push_back({parameter.name, parameter.shape, parameter.is_trainable && !is_frozen,
                     parameter.decays, parameter.num_elements()});
  }
  return slots;
}

void check_param_access(const std::vector<ParamSlot>& slots, std::size_t param_idx, ParamPart part,
                        std::size_t num_values, Mode mode) {
  if (param_idx >= slots.size()) {
    refuse("program: parameter", "an index below " + std::to_string(slots.size()),
           std::to_string(param_idx));
  }
  const ParamSlot& slot = slots[param_idx];
  if (num_values != slot.num_elements()) {
    refuse("program: " + slot.name, std::to_string(slot.num_elements()) + " values",
           std::to_string(num_values));
  }
  if (part == ParamPart::kMaster) return;
  if (mode != Mode::kTrain || !slot.is_trainable) {
    refuse("program: " + slot.name, "a trainable parameter of a training program",
           mode == Mode::kTrain ? "a running statistic or a frozen one" : "an evaluation program");
  }
}

void check_phase(Phase phase, const Lowering& lowering) {
  if (phase == Phase::kBackwardAdd && !lowering.accumulates) {
    refuse("program: run", "a program that was lowered to add gradients up", "another",
           "Lowering::accumulates");
  }
  if (lowering.mode == Mode::kTrain || phase == Phase::kForward) return;
  refuse("program: run", "the forward phase in evaluation",
         phase == Phase::kBackward ? "backward" : "update");
}

}  // namespace penstock::train
