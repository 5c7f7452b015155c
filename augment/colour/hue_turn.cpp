#include "augment/colour/hue_turn.h"

namespace penstock::augment {

HueTurn::HueTurn(float sixths) noexcept : target{0, 1, 2} {
  const int begin = static_cast<int>(sixths);
  const bool is_backwards = begin % 2 == 1;
  if (is_backwards) target = {0, 2, 1};
  share =
      is_backwards ? static_cast<float>(begin + 1) - sixths : sixths - static_cast<float>(begin);
  const int num_exchanges = (begin + 1) / 2;
  for (std::size_t c = 0; c < 3; ++c) {
    source[c] = static_cast<std::uint8_t>((target[c] + 6 - num_exchanges) % 3);
  }
}

}  // namespace penstock::augment
