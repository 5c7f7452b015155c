#include <algorithm>

#include "train/backend/cuda/kernels/block_sum.h"
#include "train/backend/cuda/kernels/group_factors.h"
#include "train/backend/cuda/kernels/row_sums.h"
#include "train/backend/cuda/kernels/sample_norm_kernels.h"

namespace penstock::train::cuda {
namespace {

/// Mean and 1 / deviation for each channel of a thread's pack.
template <unsigned kValues>
struct PackFactors {
  float mean[kValues];
  float inv_deviation[kValues];
};

template <unsigned kValues, class Args>
__device__ PackFactors<kValues> pack_factors(const Args& args, const RowThread& thread) {
  const std::uint32_t group_channels = args.channels / args.groups;
  const float* const of_sample = args.factors + std::size_t{2} * thread.group * args.groups;
  PackFactors<kValues> factors;
  PENSTOCK_UNROLL
  for (unsigned v = 0; v < kValues; ++v) {
    const std::uint32_t group = (thread.channel + v) / group_channels;
    factors.mean[v] = of_sample[2 * group];
    factors.inv_deviation[v] = of_sample[2 * group + 1];
  }
  return factors;
}

/// x and y may be one.
template <class T, unsigned kValues>
__global__ void __launch_bounds__(kRowThreads)
    group_norm_forward_kernel(GroupNormForward args, RowTiles tiles) {
  const RowThread thread = row_thread<kValues>(tiles);
  if (!thread.is_active) return;
  PackFactors<kValues> factors = pack_factors<kValues>(args, thread);
  float scale[kValues];
  float shift[kValues];
  load_floats(args.scale + thread.channel, scale);
  load_floats(args.shift + thread.channel, shift);
  PENSTOCK_UNROLL
  for (unsigned v = 0; v < kValues; ++v) scale[v] *= factors.inv_deviation[v];
  for_each_row<4>(
      thread,
      [&](std::size_t i) { return load_packed<kValues>(static_cast<const T*>(args.x) + i); },
      [&](std::size_t i, const PackedValues<T, kValues>& packed) {
        float values[kValues];
        unpack(packed, values);
        PENSTOCK_UNROLL
        for (unsigned v = 0; v < kValues; ++v) {
          values[v] = (values[v] - factors.mean[v]) * scale[v] + shift[v];
        }
        store_packed(static_cast<T*>(args.y) + i, values);
      });
}

template <class T, unsigned kValues>
struct PackPair {
  PackedValues<T, kValues> x;
  PackedValues<T, kValues> dy;
};

template <unsigned kValues, class T>
__device__ PackPair<T, kValues> load_pair(const GroupNormBackward& args, std::size_t i) {
  return {load_packed<kValues>(static_cast<const T*>(args.x) + i),
          load_packed<kValues>(static_cast<const T*>(args.dy) + i)};
}

/// Sums of dy * v and of dy over a sample's places, v the normalized values: a part is a sample.
template <class T, unsigned kValues>
__global__ void __launch_bounds__(kRowThreads)
    group_norm_sums_kernel(GroupNormBackward args, RowTiles tiles) {
  const RowThread thread = row_thread<kValues>(tiles);
  float sums[2 * kValues] = {};
  if (thread.is_active) {
    const PackFactors<kValues> factors = pack_factors<kValues>(args, thread);
    for_each_row<4>(
        thread, [&](std::size_t i) { return load_pair<kValues, T>(args, i); },
        [&](std::size_t, const PackPair<T, kValues>& pair) {
          float values[kValues];
          float gradients[kValues];
          unpack(pair.x, values);
          unpack(pair.dy, gradients);
          PENSTOCK_UNROLL
          for (unsigned v = 0; v < kValues; ++v) {
            sums[v] += gradients[v] * ((values[v] - factors.mean[v]) * factors.inv_deviation[v]);
            sums[kValues + v] += gradients[v];
          }
        });
  }
  store_part_sums<2, kValues>(tiles, thread, sums, args.sums);
}

__global__ void __launch_bounds__(kPartThreads)
    group_norm_gradients_kernel(GroupNormBackward args) {
  double sums[2];
  if (!sum_parts(args.sums, static_cast<std::uint32_t>(args.samples), args.channels, sums)) return;
  const std::uint32_t channel = part_channel();
  if (args.dscale != nullptr) args.dscale[channel] = static_cast<float>(sums[0]);
  if (args.dshift != nullptr) args.dshift[channel] = static_cast<float>(sums[1]);
}

/// Means over a group of g and of g * v, g = dy * scale, from the channels' sums.
struct GroupGradient {
  float mean_g;
  float mean_gv;
};

/// Of the groups that a block's channels belong to; a warp takes one. All threads of the block call it.
__device__ void group_gradients(const GroupNormBackward& args, std::size_t sample,
                                std::uint32_t first_group, std::uint32_t end_group,
                                GroupGradient* gradients) {
  const std::uint32_t group_channels = args.channels / args.groups;
  const float* const sums = args.sums + sample * 2 * args.channels;
  const double count = static_cast<double>(args.places) * group_channels;
  constexpr unsigned kWarps = kRowThreads / kWarpThreads;
  for (std::uint32_t group = first_group + threadIdx.x / kWarpThreads; group < end_group;
       group += kWarps) {
    double sum = 0;
    double sum_normalized = 0;
    for (std::uint32_t i = threadIdx.x % kWarpThreads; i < group_channels; i += kWarpThreads) {
      const std::uint32_t channel = group * group_channels + i;
      const double scale = static_cast<double>(args.scale[channel]);
      sum_normalized += scale * static_cast<double>(sums[channel]);
      sum += scale * static_cast<double>(sums[args.channels + channel]);
    }
    sum = warp_sum(sum);
    sum_normalized = warp_sum(sum_normalized);
    if (threadIdx.x % kWarpThreads != 0) continue;
    gradients[group - first_group] = {static_cast<float>(sum / count),
                                      static_cast<float>(sum_normalized / count)};
  }
  __syncthreads();
}

/// dx = inv_deviation * (g - mean_g - v * mean_gv); it may be x or dy.
template <class T, unsigned kValues>
__global__ void __launch_bounds__(kRowThreads, 3)
    group_norm_backward_kernel(GroupNormBackward args, RowTiles tiles) {
  PENSTOCK_SHARED(GroupGradient, gradients, kTileChannels + 1);
  const std::uint32_t group_channels = args.channels / args.groups;
  const std::uint32_t tile_channels = tiles.tile_packs * kValues;
  const std::uint32_t first_channel = blockIdx.x % tiles.num_tiles * tile_channels;
  const std::uint32_t left = args.channels - first_channel;
  const std::uint32_t last_channel =
      first_channel + (left < tile_channels ? left : tile_channels) - 1;
  const std::uint32_t first_group = first_channel / group_channels;
  const RowThread thread = row_thread<kValues>(tiles);
  group_gradients(args, thread.group, first_group, last_channel / group_channels + 1, gradients);
  if (!thread.is_active) return;
  const PackFactors<kValues> factors = pack_factors<kValues>(args, thread);
  float scale[kValues];
  load_floats(args.scale + thread.channel, scale);
  // dx = dy * of_dy - (x - mean) * of_x - offset
  float of_x[kValues];
  float offset[kValues];
  PENSTOCK_UNROLL
  for (unsigned v = 0; v < kValues; ++v) {
    const float inv = factors.inv_deviation[v];
    const GroupGradient group = gradients[(thread.channel + v) / group_channels - first_group];
    scale[v] *= inv;
    of_x[v] = inv * inv * group.mean_gv;
    offset[v] = inv * group.mean_g;
  }
  for_each_row<2>(
      thread, [&](std::size_t i) { return load_pair<kValues, T>(args, i); },
      [&](std::size_t i, const PackPair<T, kValues>& pair) {
        float values[kValues];
        float dy[kValues];
        unpack(pair.x, values);
        unpack(pair.dy, dy);
        PENSTOCK_UNROLL
        for (unsigned v = 0; v < kValues; ++v) {
          values[v] = dy[v] * scale[v] - (values[v] - factors.mean[v]) * of_x[v] - offset[v];
        }
        store_packed(static_cast<T*>(args.dx) + i, values);
      });
}

template <unsigned kValues, class Args>
RowTiles map_tiles(const Args& args) {
  return row_tiles<kValues>(args.samples, args.places,
                            rows_of_part(args.samples * args.places, args.channels, kMostMapBlocks),
                            args.channels);
}

constexpr std::uint32_t kSumTileChannels = 64;  // of 2 bytes: a line of memory

/// A part for each sample; tiles are narrow, since there is nothing else to fill a device with.
template <unsigned kValues>
RowTiles sample_sum_tiles(const GroupNormBackward& args) {
  RowTiles tiles = row_tiles<kValues>(args.samples, args.places, args.places, args.channels);
  const std::uint32_t packs = args.channels / kValues;
  tiles.tile_packs = std::min(packs, kSumTileChannels / kValues);
  tiles.num_tiles = static_cast<std::uint32_t>(num_blocks_for(packs, tiles.tile_packs));
  tiles.lanes = kRowThreads / tiles.tile_packs;
  return tiles;
}

}  // namespace

DeviceStatus group_norm_forward(const GroupNormForward& args, Stream stream) {
  const DeviceStatus status = group_factors(args, stream);
  if (!status.is_ok()) return status;
  return with_value_type(args.type, [&]<class T>(T) {
    return with_row_packs<T>(
        args.channels, {args.x, args.y, args.scale, args.shift}, [&]<unsigned kValues>() {
          const RowTiles tiles = map_tiles<kValues>(args);
          return launch("group_norm_forward", group_norm_forward_kernel<T, kValues>,
                        tiles.launch_shape(), stream, args, tiles);
        });
  });
}

DeviceStatus group_norm_backward(const GroupNormBackward& args, Stream stream) {
  return with_value_type(args.type, [&]<class T>(T) {
    return with_row_packs<T>(
        args.channels, {args.x, args.dy, args.dx, args.scale}, [&]<unsigned kValues>() {
          const RowTiles sum_tiles = sample_sum_tiles<kValues>(args);
          DeviceStatus status = launch("group_norm_sums", group_norm_sums_kernel<T, kValues>,
                                       sum_tiles.launch_shape(), stream, args, sum_tiles);
          if (status.is_ok() && (args.dscale != nullptr || args.dshift != nullptr)) {
            status = launch("group_norm_gradients", group_norm_gradients_kernel,
                            part_launch_shape(args.channels), stream, args);
          }
          if (!status.is_ok() || args.dx == nullptr) return status;
          const RowTiles tiles = map_tiles<kValues>(args);
          return launch("group_norm_backward", group_norm_backward_kernel<T, kValues>,
                        tiles.launch_shape(), stream, args, tiles);
        });
  });
}

}  // namespace penstock::train::cuda
