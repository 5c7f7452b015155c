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
  kTf32,      // float32, but products round their factors to 11 significant bits; of GPUs
  kFloat16,   // 11 significant bits, up to 65,504: losses are scaled; of GPUs
};

/// "float32", "bfloat16", "tf32" or "float16".
std::string_view compute_type_name(ComputeType type);

/// The type of that name; nothing for another.
std::optional<ComputeType> compute_type_of(std::string_view name);

/// Whether only GPUs compute with it.
constexpr bool is_of_gpus(ComputeType type) {
  return type == ComputeType::kTf32 || type == ComputeType::kFloat16;
}

/// The element type of batches that are computed with so.
constexpr ElementType element_type_of(ComputeType type) {
  if (type == ComputeType::kBfloat16) return ElementType::kBfloat16;
  return type == ComputeType::kFloat16 ? ElementType::kFloat16 : ElementType::kFloat32;
}

}  // namespace penstock::train
