#include "train/backend/slow_precision.h"

#include "train/backend/onednn/onednn_shim.h"

namespace penstock::train {

std::string slow_precision_note(std::string_view backend, ComputeType compute) {
  const bool is_fast = compute == ComputeType::kFloat32 || backend != "onednn" ||
                       onednn::OneDnn::multiplies_bfloat16();
  if (is_fast) return {};
  return std::string(compute_type_name(compute)) +
         " is emulated, slower than float32: " + onednn::OneDnn::description() +
         ", has no instructions for it (AVX512_BF16, AMX)";
}

}  // namespace penstock::train
