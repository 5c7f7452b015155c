#include "train/graph/element_check.h"

#include "train/graph/graph_errors.h"

namespace penstock::train {

void check_elements(const std::string& layer, std::string_view tensor,
                    std::span<const std::uint32_t> sides) {
  std::uint64_t product = 1;
  bool fits = true;
  bool is_empty = false;
  std::string shape;
  for (const std::uint32_t side : sides) {
    fits = !__builtin_mul_overflow(product, std::uint64_t{side}, &product) && fits;
    is_empty = is_empty || side == 0;
    shape += (shape.empty() ? "[" : ", ") + std::to_string(side);
  }
  const std::string owner = layer + std::string(tensor);
  if (is_empty) refuse_layer(owner, "sides of 1 or more", shape + "]");
  if (fits && product <= kMaxElements) return;
  refuse_layer(owner, "at most " + std::to_string(kMaxElements) + " elements", shape + "]",
               "fewer channels, a smaller window or a smaller image");
}

}  // namespace penstock::train
