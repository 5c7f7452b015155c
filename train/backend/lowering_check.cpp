#include "train/backend/lowering_check.h"

#include <string>
#include <variant>

#include "streamer/core/error.h"
#include "train/optim/param_groups.h"

namespace penstock::train {
namespace {

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

/// Of a step that is cut, the part is what is lowered.
std::string batch_flag(const Lowering& lowering) {
  return lowering.accumulates ? "--micro-batch" : "--batch-size";
}

void check_value_bytes(const Node& node, const Lowering& lowering) {
  const std::uint32_t batch = lowering.batch;
  const std::uint64_t sample_bytes = node.shape.num_elements() * sizeof(double);  // at most 2^43
  if (sample_bytes <= kMaxValueBytes / batch) return;
  refuse("model: " + node.name,
         "at most " + std::to_string(kMaxValueBytes / sizeof(double)) + " values in a batch",
         std::to_string(batch) + " samples of " + node.shape.text(),
         "a smaller " + batch_flag(lowering) + ", or a smaller image");
}

}  // namespace

void check_lowering(const ModelGraph& graph, const Lowering& lowering) {
  check_count("batch", lowering.batch, kMaxLoweredSamples);
  lowering.optimizer.validate();
  check_list_size("param_rates", lowering.param_rates.size(), graph.parameters().size());
  check_list_size("frozen_params", lowering.frozen_params.size(), graph.parameters().size());
  check_list_size("fixed_norms", lowering.fixed_norms.size(), graph.nodes().size());
  check_list_size("recomputed", lowering.recomputed.size(), graph.nodes().size());
  if (lowering.is_recomputed(graph.input()) || lowering.is_recomputed(graph.output())) {
    refuse("lowering: recomputed", "neither input nor output", "one of them");
  }
  if (lowering.reads_ema && lowering.mode == Mode::kTrain) {
    refuse("lowering: reads_ema", "an evaluation program", "a training program");
  }
  lowering.loss.validate_for(graph.num_classes());
  for (const Node& node : graph.nodes()) check_value_bytes(node, lowering);
  if (lowering.mode != Mode::kTrain) return;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(id);
    if (!std::holds_alternative<BatchNormOp>(node.op) || lowering.has_fixed_norm(id)) continue;
    const std::size_t values = std::size_t{lowering.batch} * node.shape.height * node.shape.width;
    if (values < 2) {
      refuse(
          "model: " + node.name, "at least 2 values per channel in training", "1",
          "a larger " + batch_flag(lowering) + ", or no batch_norm after the last pooling layer");
    }
  }
}

void check_host_compute(std::string_view backend, ComputeType compute) {
  if (compute == ComputeType::kFloat32 || compute == ComputeType::kBfloat16) return;
  throw Error(ErrorCode::kUnsupported,
              "backend: " + std::string(backend) + ": expected float32 or bfloat16, found " +
                  std::string(compute_type_name(compute)) + ", which takes a GPU",
              "--precision bfloat16");
}

std::vector<ParamSlot> param_slots(const ModelGraph& graph, const Lowering& lowering) {
  std::vector<ParamSlot> slots;
  for (const Parameter& parameter : graph.parameters()) {
    slots.push_back({parameter.name, parameter.shape,
                     parameter.is_trainable && !lowering.is_frozen(slots.size()), parameter.decays,
                     parameter.num_elements()});
  }
  return slots;
}

void check_param_access(const std::vector<ParamSlot>& slots, std::size_t param_idx, ParamPart part,
                        std::size_t num_values, const Lowering& lowering) {
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
  const bool is_training = lowering.mode == Mode::kTrain;
  if (!is_training || !slot.is_trainable) {
    refuse("program: " + slot.name, "a trainable parameter of a training program",
           is_training ? "a running statistic or a frozen one" : "an evaluation program");
  }
  const std::size_t num_states = state_names(lowering.optimizer).size();
  const bool is_there = part == ParamPart::kGrad ||
                        (part == ParamPart::kState && num_states >= 1) ||
                        (part == ParamPart::kSecondState && num_states >= 2) ||
                        (part == ParamPart::kEma && lowering.optimizer.ema_decay > 0);
  if (is_there) return;
  refuse("program: " + slot.name,
         "a part that " + std::string(optimizer_name(lowering.optimizer.kind)) + " keeps",
         "one that it does not");
}

bool takes_ema(const ModelGraph& graph, std::size_t param_idx, const Lowering& lowering) {
  return lowering.reads_ema && graph.parameters()[param_idx].is_trainable &&
         !lowering.is_frozen(param_idx);
}

bool has_float_logits(const ModelGraph& graph) {
  const Operation& op = graph.node(graph.output()).op;
  return has_weight_matrix(op) && graph.readers_of(graph.output()).empty();
}

ParamRates rates_of(const std::vector<ParamSlot>& slots, std::size_t param_idx,
                    const Lowering& lowering) {
  if (!lowering.param_rates.empty()) return lowering.param_rates[param_idx];
  return param_rates(lowering.optimizer, {},
                     slots[param_idx].decays ? ParamRole::kWeight : ParamRole::kNormOrBias);
}

void check_num_steps(std::size_t num_values, std::size_t num_params, const Lowering& lowering) {
  if (lowering.mode != Mode::kTrain) {
    refuse("program: num_steps", "a training program", "an evaluation program");
  }
  if (num_values == num_params) return;
  refuse("program: num_steps", std::to_string(num_params) + " values", std::to_string(num_values));
}

void check_num_logits(std::size_t num_values, std::size_t num_logits) {
  if (num_values == num_logits) return;
  refuse("program: logits", std::to_string(num_logits) + " values", std::to_string(num_values));
}

void check_phase(Phase phase, const Lowering& lowering) {
  if (phase == Phase::kBackwardAdd && !lowering.accumulates) {
    refuse("program: run", "a program that was lowered to add gradients up", "another",
           "Lowering::accumulates");
  }
  if (lowering.mode == Mode::kTrain || phase == Phase::kForward) return;
  refuse("program: run", "the forward phase in evaluation",
         phase == Phase::kBackward ? "backward"
         : phase == Phase::kUpdate ? "update"
                                   : "another");
}

}  // namespace penstock::train
