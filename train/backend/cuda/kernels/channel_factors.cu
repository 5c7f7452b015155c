// Gates and channel scales: values times a factor of their channel, and the factor's gradient.
#include <algorithm>
#include <type_traits>

#include "train/backend/cuda/kernels/join_kernels.h"
#include "train/backend/cuda/kernels/row_sums.h"

namespace penstock::train::cuda {
namespace {

template <unsigned kValues>
__device__ void multiply(float (&values)[kValues], const float (&factors)[kValues]) {
  PENSTOCK_UNROLL
  for (unsigned i = 0; i < kValues; ++i) values[i] *= factors[i];
}

/// Factors of a thread's channels: those of its group. A gate's groups are samples and its factors of the values'
/// type; a scale has one group and float32.
template <class Factor, unsigned kValues>
__device__ void load_factors(const RowTiles& tiles, const RowThread& thread, const Factor* factors,
                             float (&loaded)[kValues]) {
  const Factor* const of_group =
      factors + std::size_t{thread.group} * tiles.channels + thread.channel;
  if constexpr (std::is_same_v<Factor, float>) {
    load_floats(of_group, loaded);
  } else {
    unpack(load_packed<kValues>(of_group), loaded);
  }
}

template <unsigned kValues, class T, class Factor>
__global__ void __launch_bounds__(kRowThreads)
    factor_forward_kernel(RowTiles tiles, const T* x, const Factor* factors, T* y) {
  const RowThread thread = row_thread<kValues>(tiles);
  if (!thread.is_active) return;
  float factor[kValues];
  load_factors(tiles, thread, factors, factor);
  for_each_row<4>(
      thread, [&](std::size_t i) { return load_packed<kValues>(x + i); },
      [&](std::size_t i, const PackedValues<T, kValues>& packed) {
        float value[kValues];
        unpack(packed, value);
        multiply(value, factor);
        store_packed(y + i, value);
      });
}

template <class T, class Factor>
struct FactorGradients {
  const T* x;
  const Factor* factors;
  const T* dy;
  T* dx;         // or null
  Factor* sums;  // [num_parts, channels], or null: of dy * x
};

template <unsigned kValues, class T, class Factor>
__global__ void __launch_bounds__(kRowThreads)
    factor_backward_kernel(RowTiles tiles, FactorGradients<T, Factor> arrays) {
  const RowThread thread = row_thread<kValues>(tiles);
  float factor[kValues] = {};
  if (thread.is_active && arrays.dx != nullptr) {
    load_factors(tiles, thread, arrays.factors, factor);
  }
  float sums[kValues] = {};
  struct Loaded {
    PackedValues<T, kValues> dy;
    PackedValues<T, kValues> x;
  };
  for_each_row<4>(
      thread,
      [&](std::size_t i) {
        Loaded loaded{.dy = load_packed<kValues>(arrays.dy + i), .x = {}};
        if (arrays.sums != nullptr) loaded.x = load_packed<kValues>(arrays.x + i);
        return loaded;
      },
      [&](std::size_t at, const Loaded& loaded) {
        float gradient[kValues];
        unpack(loaded.dy, gradient);
        if (arrays.sums != nullptr) {
          float x[kValues];
          unpack(loaded.x, x);
          PENSTOCK_UNROLL
          for (unsigned i = 0; i < kValues; ++i) sums[i] += gradient[i] * x[i];
        }
        if (arrays.dx == nullptr) return;
        multiply(gradient, factor);
        store_packed(arrays.dx + at, gradient);
      });
  if (arrays.sums == nullptr) return;
  sum_over_lanes<kRowThreads>(sums, thread.lane, tiles.lanes, tiles.tile_packs);
  if (!thread.is_active || thread.lane != 0) return;
  Factor* const to = arrays.sums + std::size_t{thread.part} * tiles.channels + thread.channel;
  PENSTOCK_UNROLL
  for (unsigned i = 0; i < kValues; ++i) to[i] = from_float<Factor>(sums[i]);
}

/// Samples are groups; `sums_places` says that a sample is one part.
template <unsigned kValues, class Args>
RowTiles gate_tiles(const Args& args, bool sums_places) {
  const std::size_t most_blocks = std::max<std::size_t>(1, kMostMapBlocks / args.samples);
  const std::size_t rows_per_part =
      sums_places ? args.places : rows_of_part(args.places, args.channels, most_blocks);
  return row_tiles<kValues>(args.samples, args.places, rows_per_part, args.channels);
}

}  // namespace

DeviceStatus gate_forward(const GateForward& args, Stream stream) {
  return with_value_type(args.type, [&]<class T>(T) {
    return with_row_packs<T>(args.channels, {args.x, args.factor, args.y}, [&]<unsigned kValues>() {
      const RowTiles tiles = gate_tiles<kValues>(args, false);
      return launch("gate_forward", factor_forward_kernel<kValues, T, T>, tiles.launch_shape(),
                    stream, tiles, static_cast<const T*>(args.x),
                    static_cast<const T*>(args.factor), static_cast<T*>(args.y));
    });
  });
}

DeviceStatus gate_backward(const GateBackward& args, Stream stream) {
  return with_value_type(args.type, [&]<class T>(T) {
    const FactorGradients<T, T> arrays{.x = static_cast<const T*>(args.x),
                                       .factors = static_cast<const T*>(args.factor),
                                       .dy = static_cast<const T*>(args.dy),
                                       .dx = static_cast<T*>(args.dx),
                                       .sums = static_cast<T*>(args.dfactor)};
    return with_row_packs<T>(
        args.channels, {arrays.x, arrays.factors, arrays.dy, arrays.dx}, [&]<unsigned kValues>() {
          const RowTiles tiles = gate_tiles<kValues>(args, arrays.sums != nullptr);
          return launch("gate_backward", factor_backward_kernel<kValues, T, T>,
                        tiles.launch_shape(), stream, tiles, arrays);
        });
  });
}

DeviceStatus channel_scale_forward(const ChannelScaleForward& args, Stream stream) {
  return with_value_type(args.type, [&]<class T>(T) {
    return with_row_packs<T>(args.channels, {args.x, args.scale, args.y}, [&]<unsigned kValues>() {
      const auto tiles = row_tiles<kValues>(args.num_rows, args.channels, kMostMapBlocks);
      return launch("channel_scale_forward", factor_forward_kernel<kValues, T, float>,
                    tiles.launch_shape(), stream, tiles, static_cast<const T*>(args.x), args.scale,
                    static_cast<T*>(args.y));
    });
  });
}

DeviceStatus channel_scale_backward(const ChannelScaleBackward& args, Stream stream) {
  const bool has_sums = args.dscale != nullptr;
  const std::size_t most_blocks = has_sums ? kMostSumBlocks : kMostMapBlocks;
  const DeviceStatus status = with_value_type(args.type, [&]<class T>(T) {
    const FactorGradients<T, float> arrays{.x = static_cast<const T*>(args.x),
                                           .factors = args.scale,
                                           .dy = static_cast<const T*>(args.dy),
                                           .dx = static_cast<T*>(args.dx),
                                           .sums = has_sums ? args.partials : nullptr};
    return with_row_packs<T>(
        args.channels, {arrays.x, arrays.factors, arrays.dy, arrays.dx}, [&]<unsigned kValues>() {
          const auto tiles = row_tiles<kValues>(args.num_rows, args.channels, most_blocks);
          return launch("channel_scale_backward", factor_backward_kernel<kValues, T, float>,
                        tiles.launch_shape(), stream, tiles, arrays);
        });
  });
  if (!status.is_ok() || !has_sums) return status;
  const auto num_parts = row_tiles<1>(args.num_rows, args.channels, most_blocks).num_parts;
  return add_up_parts(args.channels, num_parts, args.partials, args.dscale, stream);
}

}  // namespace penstock::train::cuda
