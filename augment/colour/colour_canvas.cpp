#include "augment/colour/colour_canvas.h"

namespace penstock::augment {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t value_bytes(const BatchSpec& spec) noexcept {
  const std::size_t bytes =
      std::size_t{spec.height_px} * spec.width_px * spec.channels * sizeof(float);
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

std::size_t canvas_bytes(const BatchSpec& spec) noexcept {
  return value_bytes(spec) + kAlignment - 1;
}

PlacedCanvas place_canvas(const BatchSpec& spec, std::span<std::byte> scratch) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(scratch.data());
  const std::size_t gap_bytes = (kAlignment - address % kAlignment) % kAlignment;
  const std::span<std::byte> aligned = scratch.subspan(gap_bytes);
  return {.canvas = {.values = reinterpret_cast<float*>(aligned.data()),
                     .channels = spec.channels,
                     .height_px = spec.height_px,
                     .width_px = spec.width_px},
          .rest = aligned.subspan(value_bytes(spec))};
}

}  // namespace penstock::augment
