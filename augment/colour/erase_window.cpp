#include "augment/colour/erase_window.h"

#include <array>
#include <cstring>

#include "augment/element_bits.h"

namespace penstock::augment {

void erase_window(const RectPx& window, float value, const SampleSlot& slot) noexcept {
  const BatchSpec& spec = *slot.spec;
  const bool is_planar = spec.layout == PixelLayout::kNchw;
  const std::size_t element = element_bytes(spec.element);
  const std::size_t pixel_bytes = is_planar ? element : element * spec.channels;
  const std::size_t row_bytes = pixel_bytes * spec.width_px;
  const std::size_t num_planes = is_planar ? spec.channels : 1;
  std::array<std::byte, sizeof(float)> bits{};
  write_element(spec.element, value, bits.data());
  for (std::size_t plane = 0; plane < num_planes; ++plane) {
    for (std::size_t y = 0; y < window.height; ++y) {
      std::byte* const row = slot.pixels + (plane * spec.height_px + window.y + y) * row_bytes +
                             window.x * pixel_bytes;
      for (std::size_t i = 0; i < window.width * pixel_bytes; i += element) {
        std::memcpy(row + i, bits.data(), element);
      }
    }
  }
}

}  // namespace penstock::augment
