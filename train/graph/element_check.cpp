#include "train/graph/element_check.h"

#include "train/graph/graph_errors.h"

namespace penstock::train {

void check_elements(const std::string& layer, const char* tensor,
                    std::span<const std::uint32_t> sides) {
  std::uint64_t product = 1;
  bool fits = true;
  std::string shape;
  for (const std::uint32_t side : sides) {
    fits = !__builtin_mul_overflow(product, std::uint64_t{side}, &product) && fits;
    shape += (shape.empty() ? "[" : ", ") + std::to_string(side);
  }
  if (fits && product <= kMaxElements) return;
  refuse_layer(layer + tensor, "at most " + std::to_string(kMaxElements) + " elements", shape + "]",
               "fewer channels, a smaller window or a smaller image");
}

}  // namespace penstock::train
