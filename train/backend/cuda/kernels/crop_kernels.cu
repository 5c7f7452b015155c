#include "train/backend/cuda/kernels/crop_kernels.h"

#include "train/backend/cuda/kernels/block_sum.h"
#include "train/backend/cuda/kernels/crop_sampling.h"
#include "train/backend/cuda/kernels/launch.h"
#include "train/backend/cuda/kernels/packed_values.h"

namespace penstock::train::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kMeanThreads = 512;
constexpr unsigned kMostChannels = 3;    // of a crop
constexpr unsigned kStoredChannels = 4;  // of the kernel that stores a pixel at once

/// The batch as all threads see it.
struct CropGrid {
  const std::byte* places;
  std::size_t crop_bytes;
  unsigned width;
  unsigned num_pixels;  // of a sample
};

__device__ CropPlace partner_of(const CropRecord& record, const std::byte* place,
                                std::size_t crop_bytes) {
  const auto distance = static_cast<std::ptrdiff_t>(crop_bytes) * record.partner;
  return crop_place(place + distance, crop_bytes);
}

/// A block for each sample, and one for its partner: they may lie in other parts of the batch. In double precision,
/// so that the order does not show.
template <unsigned kChannels>
__global__ void __launch_bounds__(kMeanThreads) crop_means_kernel(CropGrid grid, float* means) {
  const std::byte* const own = grid.places + blockIdx.x / 2 * grid.crop_bytes;
  CropPlace place = crop_place(own, grid.crop_bytes);
  if (blockIdx.x % 2 == 1 && place.record != nullptr) {
    if (place.record->partner == 0) return;
    place = partner_of(*place.record, own, grid.crop_bytes);
  }
  if (place.record == nullptr || place.record->needs_means == 0) return;
  double sums[kChannels] = {};
  for (unsigned i = threadIdx.x; i < grid.num_pixels; i += kMeanThreads) {
    float pixel[kChannels];
    sample_crop(place, i % grid.width, i / grid.width, pixel);
    PENSTOCK_UNROLL
    for (unsigned c = 0; c < kChannels; ++c) sums[c] += static_cast<double>(pixel[c]);
  }
  PENSTOCK_UNROLL
  for (unsigned c = 0; c < kChannels; ++c) {
    const double sum = block_sum<kMeanThreads>(sums[c]);
    if (threadIdx.x != 0) continue;
    means[std::size_t{blockIdx.x} * kMostChannels + c] =
        static_cast<float>(sum / static_cast<double>(grid.num_pixels));
  }
}

/// A pixel of a sample, mixed with its partner's.
template <unsigned kChannels>
__device__ void finished_pixel(const CropGrid& grid, const std::byte* own, unsigned i,
                               const float* means, float (&values)[kChannels]) {
  const unsigned x = i % grid.width;
  const unsigned y = i / grid.width;
  const CropPlace place = crop_place(own, grid.crop_bytes);
  const bool is_mixed = place.record != nullptr && place.record->partner != 0;
  if (!is_mixed) return crop_pixel(place, x, y, means, values);
  const CropRecord& record = *place.record;
  const bool is_boxed = record.is_boxed != 0;
  const bool is_partners = is_boxed && is_within(record.box, x, y);
  if (is_boxed && !is_partners) return crop_pixel(place, x, y, means, values);
  const CropPlace partner = partner_of(record, own, grid.crop_bytes);
  float others[kChannels];
  crop_pixel(partner, x, y, means + kMostChannels, others);
  if (!is_partners) crop_pixel(place, x, y, means, values);
  PENSTOCK_UNROLL
  for (unsigned c = 0; c < kChannels; ++c) {
    values[c] =
        is_partners ? others[c] : record.own_share * values[c] + record.other_share * others[c];
  }
}

/// 3 channels in places of 4, stored at once.
template <class T>
struct alignas(sizeof(T) * kStoredChannels) StoredPixel {
  T channels[kStoredChannels];
};

template <unsigned kChannels, bool kStoresAtOnce, class T>
__global__ void __launch_bounds__(kThreads)
    crop_values_kernel(CropGrid grid, unsigned blocks_per_sample, unsigned stored_channels,
                       const float* means, T* values) {
  const unsigned sample = blockIdx.x / blocks_per_sample;
  const unsigned i = blockIdx.x % blocks_per_sample * kThreads + threadIdx.x;
  if (i >= grid.num_pixels) return;
  float pixel[kChannels];
  finished_pixel(grid, grid.places + sample * grid.crop_bytes, i,
                 means + std::size_t{sample} * 2 * kMostChannels, pixel);
  const std::size_t idx = std::size_t{sample} * grid.num_pixels + i;
  if constexpr (kStoresAtOnce) {
    StoredPixel<T> stored;
    PENSTOCK_UNROLL
    for (unsigned c = 0; c < kChannels; ++c) stored.channels[c] = from_float<T>(pixel[c]);
    stored.channels[kChannels] = from_float<T>(0.0f);
    reinterpret_cast<StoredPixel<T>*>(values)[idx] = stored;
  } else {
    T* const to = values + idx * stored_channels;
    PENSTOCK_UNROLL
    for (unsigned c = 0; c < kChannels; ++c) to[c] = from_float<T>(pixel[c]);
    for (unsigned c = kChannels; c < stored_channels; ++c) to[c] = from_float<T>(0.0f);
  }
}

template <unsigned kChannels, class T>
DeviceStatus launch_crops(const CropValues& args, const CropGrid& grid, Stream stream) {
  const DeviceStatus status =
      launch("crop_means", crop_means_kernel<kChannels>,
             {.grid = {static_cast<unsigned>(args.num_samples * 2)}, .block = {kMeanThreads}},
             stream, grid, args.means);
  if (!status.is_ok()) return status;
  const auto blocks_per_sample = static_cast<unsigned>(num_blocks_for(grid.num_pixels, kThreads));
  const LaunchShape shape{.grid = {static_cast<unsigned>(args.num_samples * blocks_per_sample)},
                          .block = {kThreads}};
  const float* const means = args.means;
  auto* const values = static_cast<T*>(args.values);
  if constexpr (kChannels + 1 == kStoredChannels) {
    if (args.stored_channels == kStoredChannels && are_vector_aligned({values})) {
      return launch("crop_values", crop_values_kernel<kChannels, true, T>, shape, stream, grid,
                    blocks_per_sample, args.stored_channels, means, values);
    }
  }
  return launch("crop_values", crop_values_kernel<kChannels, false, T>, shape, stream, grid,
                blocks_per_sample, args.stored_channels, means, values);
}

}  // namespace

DeviceStatus crop_values(const CropValues& args, Stream stream) {
  if (args.num_samples == 0) return {};
  const CropGrid grid{.places = args.places,
                      .crop_bytes = args.crop_bytes,
                      .width = args.width_px,
                      .num_pixels = args.width_px * args.height_px};
  return with_value_type(args.value_type, [&]<class T>(T) {
    return args.channels == 1 ? launch_crops<1, T>(args, grid, stream)
                              : launch_crops<3, T>(args, grid, stream);
  });
}

}  // namespace penstock::train::cuda
