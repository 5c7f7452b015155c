// Checks and tables that every backend needs before it lowers a graph.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "train/backend/program.h"
#include "train/graph/model_graph.h"

namespace penstock::train {

/// Samples that one program computes at once, at most.
inline constexpr std::uint32_t kMaxLoweredSamples = 1u << 16;

/// Throws InvalidArgument naming the field, or the layer that this batch does not suit. After it a
/// node's values in double, for the whole batch, take at most 2^47 bytes.
void check_lowering(const ModelGraph& graph, const Lowering& lowering);

/// Throws Unsupported for what only a GPU computes with.
void check_host_compute(std::string_view backend, ComputeType compute);

/// Returns one slot per parameter; num_stored_elements is that of the canonical layout. What is frozen in a
/// training program is not trainable there.
std::vector<ParamSlot> param_slots(const ModelGraph& graph, const Lowering& lowering);

/// Throws InvalidArgument when the call of import_param() or export_param() does not fit.
void check_param_access(const std::vector<ParamSlot>& slots, std::size_t param_idx, ParamPart part,
                        std::size_t num_values, const Lowering& lowering);

/// Whether an evaluation program reads the mean of a parameter over the steps in its place: of those that
/// learn.
bool takes_ema(const ModelGraph& graph, std::size_t param_idx, const Lowering& lowering);

/// Whether the logits are float32 whatever other values are kept in: those of a convolution or dense layer
/// that no other node reads. In bfloat16 the scores of two classes would often be equal.
bool has_float_logits(const ModelGraph& graph);

/// Returns what the optimizer takes for a parameter.
ParamRates rates_of(const std::vector<ParamSlot>& slots, std::size_t param_idx,
                    const Lowering& lowering);

/// Throws InvalidArgument when counts of steps do not fit, or the program has none.
void check_num_steps(std::size_t num_values, std::size_t num_params, const Lowering& lowering);

/// Throws InvalidArgument when read_logits() is called for another number of values than there are.
void check_num_logits(std::size_t num_values, std::size_t num_logits);

/// Throws InvalidArgument when a program that was lowered so has no such phase.
void check_phase(Phase phase, const Lowering& lowering);

}  // namespace penstock::train
