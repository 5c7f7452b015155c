#include "train/graph/operations.h"

namespace penstock::train {

std::string TensorShape::text() const {
  std::string text = "[" + std::to_string(channels);
  if (!is_flat()) text += ", " + std::to_string(height) + ", " + std::to_string(width);
  return text + "]";
}

std::string_view operation_name(const Operation& op) {
  return kOperationNames.at(op.index());
}

}  // namespace penstock::train
