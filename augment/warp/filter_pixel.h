// One filtered value, worked out alone: the slow way, with the operations of the fast one.
#pragma once

#include <algorithm>

#include "augment/warp/filter_window.h"

namespace penstock::augment {

/// In units of the stored pixels; what overshoots is clamped to 0 to 255.
inline float filtered_value(const ImageView& image, const FilterWindow& columns,
                            const FilterWindow& rows, std::size_t channel) noexcept {
  const float scale = rows.row_scale();
  float value = 0;
  for (std::uint32_t i = 0; i < columns.count; ++i) {
    const std::size_t place = (std::size_t{columns.first} + i) * image.pixel_stride_bytes + channel;
    RowWeights weights(rows);
    std::int32_t sum = 0;
    for (std::uint32_t j = 0; j < rows.count; ++j) {
      sum += weights.next() * image.row(rows.first + j)[place];
    }
    value += columns.column_weight(i) * (static_cast<float>(sum) * scale);
  }
  if (!columns.is_cubic) return value;
  return value > 0 ? std::min(value, 255.0f) : 0;
}

/// Added before a value is cut off to a byte: halves go up, and what lies so little below a half that it
/// may be one, rounded. Means of few pixels often are halves.
constexpr float kByteRounding = 0.5f + 0x1p-7f;

inline std::uint8_t byte_of(float value) noexcept {
  return static_cast<std::uint8_t>(value + kByteRounding);
}

}  // namespace penstock::augment
