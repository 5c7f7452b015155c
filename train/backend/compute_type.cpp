#include "train/backend/compute_type.h"

namespace penstock::train {

std::string_view compute_type_name(ComputeType type) {
  switch (type) {
    case ComputeType::kFloat32:
      return "float32";
    case ComputeType::kBfloat16:
      return "bfloat16";
    case ComputeType::kTf32:
      return "tf32";
    case ComputeType::kFloat16:
      return "float16";
  }
  return {};
}

std::optional<ComputeType> compute_type_of(std::string_view name) {
  for (const ComputeType type :
       {ComputeType::kFloat32, ComputeType::kBfloat16, ComputeType::kTf32, ComputeType::kFloat16}) {
    if (compute_type_name(type) == name) return type;
  }
  return std::nullopt;
}

}  // namespace penstock::train
