#include "augment/colour/erase_window.h"

#include <array>
#include <cstring>

#include "augment/element_bits.h"

namespace penstock::augment {
namespace {

/// Repeats the bits of one element, of a known size, over a run of them.
template <std::size_t kBytes>
void repeat(const std::byte* bits, std::size_t num_elements, std::byte* to) noexcept {
  std::array<std::byte, kBytes> one;
  std::memcpy(one.data(), bits, kBytes);
  for (std::size_t i = 0; i < num_elements; ++i) std::memcpy(to + i * kBytes, one.data(), kBytes);
}

void repeat_element(std::size_t element_bytes, const std::byte* bits, std::size_t num_elements,
                    std::byte* to) noexcept {
  if (element_bytes == 1) return repeat<1>(bits, num_elements, to);
  if (element_bytes == 2) return repeat<2>(bits, num_elements, to);
  repeat<sizeof(float)>(bits, num_elements, to);
}

}  // namespace

void erase_window(const RectPx& window, float value, const SampleSlot& slot) noexcept {
  const BatchSpec& spec = *slot.spec;
  const bool is_planar = spec.layout == PixelLayout::kNchw;
  const std::size_t element = element_bytes(spec.element);
  const std::size_t pixel_bytes = is_planar ? element : element * spec.channels;
  const std::size_t row_bytes = pixel_bytes * spec.width_px;
  const std::size_t num_planes = is_planar ? spec.channels : 1;
  std::array<std::byte, sizeof(float)> bits{};
  write_element(spec.element, value, bits.data());
  const std::size_t erased_bytes = window.width * pixel_bytes;
  const auto row = [&](std::size_t plane, std::size_t y) {
    return slot.pixels + (plane * spec.height_px + window.y + y) * row_bytes +
           window.x * pixel_bytes;
  };
  if (erased_bytes == 0 || window.height == 0 || slot.is_abandoned()) return;
  const std::byte* const first = row(0, 0);
  repeat_element(element, bits.data(), erased_bytes / element, row(0, 0));
  for (std::size_t plane = 0; plane < num_planes; ++plane) {
    for (std::size_t y = plane == 0 ? 1 : 0; y < window.height; ++y) {
      if (slot.is_abandoned()) return;
      std::memcpy(row(plane, y), first, erased_bytes);
    }
  }
}

}  // namespace penstock::augment
