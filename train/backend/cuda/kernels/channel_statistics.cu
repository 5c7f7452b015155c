// Statistics of channels, and what norms make of them; sums of channels.
#include <cmath>

#include "train/backend/cuda/kernels/channel_norm_kernels.h"
#include "train/backend/cuda/kernels/row_sums.h"

namespace penstock::train::cuda {
namespace {

template <class T, unsigned kValues>
__global__ void __launch_bounds__(kRowThreads)
    channel_moments_kernel(RowTiles tiles, const T* x, float* partials) {
  const RowThread thread = row_thread<kValues>(tiles);
  float first[kValues] = {};
  if (thread.is_active) unpack(load_packed<kValues>(x + thread.channel), first);
  float sums[2 * kValues] = {};
  for_each_row<4>(
      thread, [&](std::size_t i) { return load_packed<kValues>(x + i); },
      [&](std::size_t, const PackedValues<T, kValues>& packed) {
        float value[kValues];
        unpack(packed, value);
        PENSTOCK_UNROLL
        for (unsigned i = 0; i < kValues; ++i) {
          const float difference = value[i] - first[i];
          sums[i] += difference;
          sums[kValues + i] += difference * difference;
        }
      });
  store_part_sums<2, kValues>(tiles, thread, sums, partials);
}

/// What a channel's values become, from its mean and variance.
__device__ void store_factors(const ChannelFactors& factors, std::uint32_t channel, double mean,
                              double variance, double epsilon, float scale, float shift) {
  const double inv_std = 1.0 / sqrt(variance + epsilon);
  const float gain = static_cast<float>(static_cast<double>(scale) * inv_std);
  factors.mean[channel] = static_cast<float>(mean);
  factors.inv_std[channel] = static_cast<float>(inv_std);
  factors.gain[channel] = gain;
  factors.offset[channel] =
      static_cast<float>(static_cast<double>(shift) - mean * static_cast<double>(gain));
}

template <class T>
__global__ void __launch_bounds__(kPartThreads)
    batch_statistics_kernel(BatchStatistics args, std::uint32_t num_parts) {
  const std::uint32_t channel = part_channel();
  double sums[2];
  if (!sum_parts(args.partials, num_parts, args.rows.channels, sums)) return;
  const double count = static_cast<double>(args.rows.num_rows);
  const auto* const x = static_cast<const T*>(args.x);
  const double first = x == nullptr ? 0.0 : static_cast<double>(to_float(x[channel]));
  const double from_first = sums[0] / count;
  const double mean = first + from_first;
  const double difference = sums[1] / count - from_first * from_first;
  const double variance = difference < 0.0 ? 0.0 : difference;  // what is no number stays so
  store_factors(args.factors, channel, mean, variance, args.epsilon, args.scale[channel],
                args.shift[channel]);
  if (args.running_mean == nullptr) return;
  const double momentum = args.momentum;
  const auto moved = [momentum](float running, double now) {
    return static_cast<float>((1.0 - momentum) * static_cast<double>(running) + momentum * now);
  };
  args.running_mean[channel] = moved(args.running_mean[channel], mean);
  args.running_var[channel] = moved(args.running_var[channel], variance * count / (count - 1.0));
}

constexpr unsigned kChannelThreads = 128;

LaunchShape channel_launch_shape(std::uint32_t channels) {
  return {.grid = {static_cast<unsigned>(num_blocks_for(channels, kChannelThreads))},
          .block = {kChannelThreads}};
}

__global__ void __launch_bounds__(kChannelThreads)
    running_statistics_kernel(RunningStatistics args) {
  const std::uint32_t channel = blockIdx.x * kChannelThreads + threadIdx.x;
  if (channel >= args.channels) return;
  store_factors(args.factors, channel, static_cast<double>(args.running_mean[channel]),
                static_cast<double>(args.running_var[channel]), args.epsilon, args.scale[channel],
                args.shift[channel]);
}

template <class T, unsigned kValues>
__global__ void __launch_bounds__(kRowThreads)
    channel_sums_kernel(RowTiles tiles, const T* values, float* partials) {
  const RowThread thread = row_thread<kValues>(tiles);
  float sums[kValues] = {};
  for_each_row<4>(
      thread, [&](std::size_t i) { return load_packed<kValues>(values + i); },
      [&](std::size_t, const PackedValues<T, kValues>& packed) {
        float value[kValues];
        unpack(packed, value);
        PENSTOCK_UNROLL
        for (unsigned i = 0; i < kValues; ++i) sums[i] += value[i];
      });
  store_part_sums<1, kValues>(tiles, thread, sums, partials);
}

__global__ void __launch_bounds__(kPartThreads)
    parts_kernel(std::uint32_t channels, std::uint32_t num_parts, const float* partials,
                 float* sums_of_channels) {
  double sums[1];
  if (!sum_parts(partials, num_parts, channels, sums)) return;
  sums_of_channels[part_channel()] = static_cast<float>(sums[0]);
}

}  // namespace

std::uint32_t num_row_parts(std::size_t num_rows, std::uint32_t channels) {
  return static_cast<std::uint32_t>(
      num_blocks_for(num_rows, rows_of_part(num_rows, channels, kMostSumBlocks)));
}

DeviceStatus channel_moments(const ChannelMoments& args, Stream stream) {
  return with_value_type(args.rows.type, [&]<class T>(T) {
    return with_row_packs<T>(args.rows.channels, {args.x}, [&]<unsigned kValues>() {
      const RowTiles tiles =
          row_tiles<kValues>(args.rows.num_rows, args.rows.channels, kMostSumBlocks);
      return launch("channel_moments", channel_moments_kernel<T, kValues>, tiles.launch_shape(),
                    stream, tiles, static_cast<const T*>(args.x), args.partials);
    });
  });
}

DeviceStatus batch_statistics(const BatchStatistics& args, Stream stream) {
  const std::uint32_t num_parts =
      args.x == nullptr ? 1 : num_row_parts(args.rows.num_rows, args.rows.channels);
  return with_value_type(args.rows.type, [&]<class T>(T) {
    return launch("batch_statistics", batch_statistics_kernel<T>,
                  part_launch_shape(args.rows.channels), stream, args, num_parts);
  });
}

DeviceStatus running_statistics(const RunningStatistics& args, Stream stream) {
  return launch("running_statistics", running_statistics_kernel,
                channel_launch_shape(args.channels), stream, args);
}

DeviceStatus add_up_parts(std::uint32_t channels, std::uint32_t num_parts, const float* partials,
                          float* sums, Stream stream) {
  return launch("add_up_parts", parts_kernel, part_launch_shape(channels), stream, channels,
                num_parts, partials, sums);
}

DeviceStatus channel_sums(const ChannelSums& args, Stream stream) {
  const DeviceStatus status = with_value_type(args.rows.type, [&]<class T>(T) {
    return with_row_packs<T>(args.rows.channels, {args.values}, [&]<unsigned kValues>() {
      const RowTiles tiles =
          row_tiles<kValues>(args.rows.num_rows, args.rows.channels, kMostSumBlocks);
      return launch("channel_sums", channel_sums_kernel<T, kValues>, tiles.launch_shape(), stream,
                    tiles, static_cast<const T*>(args.values), args.partials);
    });
  });
  if (!status.is_ok()) return status;
  return add_up_parts(args.rows.channels, num_row_parts(args.rows.num_rows, args.rows.channels),
                      args.partials, args.sums, stream);
}

}  // namespace penstock::train::cuda
