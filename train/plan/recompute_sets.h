// Which values of a graph are worth dropping after the forward pass, to be computed again going back. Knows
// the graph, not what computes it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "train/graph/model_graph.h"

namespace penstock::train {

/// From what costs nothing to what saves most.
enum class Recompute : std::uint8_t {
  kNone,
  /// Outputs of norms, activations and dropout: one pass over memory brings them back. About half of the
  /// values of a network of convolutions.
  kNorms,
  /// All but the ends of stretches: about a second forward pass, for memory that grows with the square root
  /// of the depth (Chen et al., Training deep nets with sublinear memory cost, 2016, section 4).
  kBlocks,
};
inline constexpr std::array kRecomputeLevels = {Recompute::kNone, Recompute::kNorms,
                                                Recompute::kBlocks};

/// What is asked for: one of these, or as little as there must be.
enum class RecomputeWish : std::uint8_t { kNone, kNorms, kBlocks, kAuto };

/// "none", "norms", "blocks".
std::string_view recompute_name(Recompute level) noexcept;
/// These and "auto".
std::string_view recompute_wish_name(RecomputeWish wish) noexcept;
/// Throws InvalidArgument with the nearest known name.
RecomputeWish parse_recompute(std::string_view name);

/// Nodes to drop, for Lowering::recomputed; never input or output. Empty for kNone.
std::vector<bool> recomputed_nodes(const ModelGraph& graph, Recompute level);

}  // namespace penstock::train
