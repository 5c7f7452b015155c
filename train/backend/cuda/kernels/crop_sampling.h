// One pixel of a finished sample from a crop, as its record says: position, neighbours, blend, colours, erasing. In the
// order of the CPU's operations, each rounded by itself: files that include this are compiled without fused
// multiply-adds, and give its bits.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "streamer/core/crop_record.h"
#include "train/backend/cuda/kernels/launch.h"

namespace penstock::train::cuda {

/// A crop where it lies; `record` is null where there is no picture.
struct CropPlace {
  const CropRecord* record;
  const std::uint8_t* pixels;
};

/// A record whose pixels would not fit its place is none.
__device__ inline CropPlace crop_place(const std::byte* place, std::size_t crop_bytes) {
  const auto* const record = reinterpret_cast<const CropRecord*>(place);
  const auto* const pixels = reinterpret_cast<const std::uint8_t*>(place) + sizeof(CropRecord);
  const std::size_t num_pixels = std::size_t{record->x.length} * record->y.length;
  const bool is_picture = record->mark == CropRecord::kPicture && num_pixels > 0 &&
                          num_pixels * record->channels <= crop_bytes - sizeof(CropRecord);
  return {is_picture ? record : nullptr, pixels};
}

/// Two neighbours on an axis, counted from the crop's first pixel, and the share of the second.
struct CropNeighbours {
  std::uint32_t first;
  std::uint32_t second;
  float weight;
  bool is_inside;
};

/// The position of an output column in a row that begins at `start_px`.
__device__ inline double stepped_position(double start_px, std::int64_t step, unsigned column) {
  constexpr double kOne = 4294967296.0;             // steps are counted in 2^-32 pixel,
  constexpr double kUnit = 1.0 / (1 << 24);         // positions in 2^-24,
  constexpr std::int64_t kHalfUnit = 1 << (8 - 1);  // to the nearest
  const auto start = static_cast<std::int64_t>(floor(start_px * kOne + 0.5)) + kHalfUnit;
  return static_cast<double>((start + step * static_cast<std::int64_t>(column)) >> 8) * kUnit;
}

__device__ inline double column_position(const CropRecord& record, unsigned x, unsigned y) {
  const double* const map = record.map;
  if (record.is_stepped != 0) return stepped_position(map[1] * y + map[2], record.x.step, x);
  return map[0] * x + map[1] * y + map[2];
}
__device__ inline double row_position(const CropRecord& record, unsigned x, unsigned y) {
  const double* const map = record.map;
  if (record.is_stepped != 0) return stepped_position(map[4] * y + map[5], record.y.step, x);
  return map[3] * x + map[4] * y + map[5];
}

__device__ inline double remainder_of(double x, double period) {
  return x - period * floor(x / period);
}

__device__ inline std::uint32_t index_in_crop(std::uint32_t pixel, const CropAxis& axis) {
  if (pixel < axis.begin) return 0;
  const std::uint32_t index = pixel - axis.begin;
  return index < axis.length ? index : axis.length - 1;
}

/// Where on the picture a position is seen that may lie beside it. With kWrap, from -0.5 on.
__device__ inline double folded(double position, double extent, CropFill fill) {
  if (fill == CropFill::kReflect) {
    const double t = remainder_of(position + 0.5, 2 * extent);
    return (t > extent ? 2 * extent - t : t) - 0.5;
  }
  if (fill == CropFill::kWrap) return remainder_of(position + 0.5, extent) - 0.5;
  return position;
}

__device__ inline CropNeighbours crop_neighbours(double position, const CropAxis& axis,
                                                 const CropRecord& record) {
  const bool is_nearest = record.is_nearest != 0;
  position = folded(position, axis.extent, record.fill);
  if (record.fill == CropFill::kWrap && !is_nearest && (position < 0 || position > axis.last)) {
    // Between the last pixel and the first.
    double weight = position < 0 ? position + 1 : position - axis.last;
    weight = weight < 0 ? 0.0 : weight > 1 ? 1.0 : weight;
    return {index_in_crop(static_cast<std::uint32_t>(axis.last), axis), index_in_crop(0, axis),
            static_cast<float>(weight), true};
  }
  double clamped = position > 0 ? (position < axis.last ? position : axis.last) : 0.0;
  if (is_nearest) clamped = floor(clamped + 0.5);
  const auto pixel = static_cast<std::uint32_t>(clamped);
  return {index_in_crop(pixel, axis), index_in_crop(pixel + 1, axis),
          static_cast<float>(clamped - pixel), position >= -0.5 && position <= axis.extent - 0.5};
}

__device__ inline float blend(float a, float b, float weight) {
  return a + weight * (b - a);
}

/// The picture there, 0 to 255.
template <unsigned kChannels>
__device__ void sample_crop(const CropPlace& place, unsigned x, unsigned y,
                            float (&values)[kChannels]) {
  const CropRecord& record = *place.record;
  const CropNeighbours column = crop_neighbours(column_position(record, x, y), record.x, record);
  const CropNeighbours row = crop_neighbours(row_position(record, x, y), record.y, record);
  if (record.fill == CropFill::kConstant && !(column.is_inside && row.is_inside)) {
    PENSTOCK_UNROLL
    for (unsigned c = 0; c < kChannels; ++c) values[c] = record.fill_value;
    return;
  }
  const std::size_t row_bytes = std::size_t{record.x.length} * record.channels;
  const std::uint8_t* const top = place.pixels + row.first * row_bytes;
  const std::uint8_t* const bottom = place.pixels + row.second * row_bytes;
  const std::size_t left = std::size_t{column.first} * record.channels;
  const std::size_t right = std::size_t{column.second} * record.channels;
  const unsigned channel_step = record.channels < kChannels ? 0 : 1;  // gray serves for all
  PENSTOCK_UNROLL
  for (unsigned c = 0; c < kChannels; ++c) {
    const std::size_t channel = c * channel_step;
    const float a = blend(top[left + channel], bottom[left + channel], row.weight);
    const float b = blend(top[right + channel], bottom[right + channel], row.weight);
    values[c] = blend(a, b, column.weight);
  }
}

/// A channel of a pixel through its row of the matrix; `means` are those of the sampled picture.
template <unsigned kChannels>
__device__ float mixed_channel(const float (&pixel)[kChannels], const CropMix& mix,
                               bool needs_means, const float* means) {
  float offset = mix.offset;
  if (needs_means) {
    PENSTOCK_UNROLL
    for (unsigned c = 0; c < kChannels; ++c) offset += mix.of_means[c] * means[c];
  }
  float sum = pixel[0] * mix.gains[0];
  PENSTOCK_UNROLL
  for (unsigned c = 1; c < kChannels; ++c) sum += pixel[c] * mix.gains[c];
  sum += offset;
  const float held = sum > mix.lowest ? sum : mix.lowest;
  return held < mix.highest ? held : mix.highest;
}

__device__ inline bool is_within(const RectPx& window, unsigned x, unsigned y) {
  return x >= window.x && x - window.x < window.width && y >= window.y &&
         y - window.y < window.height;
}

/// The finished values of a pixel, before it is mixed with a partner's.
template <unsigned kChannels>
__device__ void crop_pixel(const CropPlace& place, unsigned x, unsigned y, const float* means,
                           float (&values)[kChannels]) {
  PENSTOCK_UNROLL
  for (unsigned c = 0; c < kChannels; ++c) values[c] = 0.0f;
  if (place.record == nullptr) return;
  const CropRecord& record = *place.record;
  if (is_within(record.erased, x, y)) {
    PENSTOCK_UNROLL
    for (unsigned c = 0; c < kChannels; ++c) values[c] = record.erased_value;
    return;
  }
  float pixel[kChannels];
  sample_crop(place, x, y, pixel);
  PENSTOCK_UNROLL
  for (unsigned c = 0; c < kChannels; ++c) {
    values[c] = record.has_mix != 0
                    ? mixed_channel(pixel, record.mixes[c], record.needs_means != 0, means)
                    : pixel[c] * record.gains[c] + record.biases[c];
  }
}

}  // namespace penstock::train::cuda
