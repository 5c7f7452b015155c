// What a program computes with: the type of its activations and of the weights that enter products. Masters,
// optimizer states, running statistics and sums over channels are float32 whatever it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "streamer/core/batch.h"

namespace penstock::train {

enum class ComputeType : std::uint8_t {
  kFloat32,
  kBfloat16,  // the upper half of a float32: its range, 8 significant bits
};

/// "float32" or "bfloat16".
std::string_view compute_type_name(ComputeType type);

/// Nothing for a name that is none of these.
std::optional<ComputeType> compute_type_of(std::string_view name);

/// The element type of batches that are computed with so.
constexpr ElementType element_type_of(ComputeType type) {
  return type == ComputeType::kBfloat16 ? ElementType::kBfloat16 : ElementType::kFloat32;
}

}  // namespace penstock::train
