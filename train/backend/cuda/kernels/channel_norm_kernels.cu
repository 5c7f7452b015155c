// Norm, sum and activation in one pass, and the way back.
#include "train/backend/cuda/kernels/channel_norm_kernels.h"

#include <type_traits>

#include "train/backend/cuda/kernels/activation_math.h"
#include "train/backend/cuda/kernels/row_sums.h"

namespace penstock::train::cuda {
namespace {

/// Blocks on a multiprocessor at once, so that enough loads are under way; activations other than ReLU need the
/// registers of a third.
template <class Policy>
constexpr unsigned kMinBlocks = std::is_same_v<Policy, AnyActivation> ? 2 : 3;

/// Calls use.operator()<kValues>(policy).
template <class T, class Use>
DeviceStatus with_packs_and_activation(const ValueRows& rows, const Activation& activation,
                                       std::initializer_list<const void*> pointers, Use&& use) {
  return with_row_packs<T>(rows.channels, pointers, [&]<unsigned kValues>() {
    if constexpr (kValues == 1) {
      return use.template operator()<1u>(AnyActivation{activation});
    } else {
      return with_activation(activation, [&]<class Policy>(Policy policy) {
        return use.template operator()<kValues>(policy);
      });
    }
  });
}

template <class T>
struct AffineForwardArrays {
  const T* x;
  const float* gain;
  const float* offset;
  const T* other;
  T* y;
};

template <class T, unsigned kValues, class Policy>
__global__ void __launch_bounds__(kRowThreads, kMinBlocks<Policy>)
    affine_forward_kernel(RowTiles tiles, Policy activation, AffineForwardArrays<T> arrays) {
  const RowThread thread = row_thread<kValues>(tiles);
  if (!thread.is_active) return;
  float gain[kValues];
  float offset[kValues];
  load_floats(arrays.gain + thread.channel, gain);
  load_floats(arrays.offset + thread.channel, offset);
  struct Loaded {
    PackedValues<T, kValues> x;
    PackedValues<T, kValues> other;
  };
  for_each_row<4>(
      thread,
      [&](std::size_t i) {
        Loaded loaded{.x = load_packed<kValues>(arrays.x + i), .other = {}};
        if (arrays.other != nullptr) loaded.other = load_packed<kValues>(arrays.other + i);
        return loaded;
      },
      [&](std::size_t at, const Loaded& loaded) {
        float z[kValues];
        unpack(loaded.x, z);
        PENSTOCK_UNROLL
        for (unsigned i = 0; i < kValues; ++i) z[i] = gain[i] * z[i] + offset[i];
        if (arrays.other != nullptr) {
          float other[kValues];
          unpack(loaded.other, other);
          PENSTOCK_UNROLL
          for (unsigned i = 0; i < kValues; ++i) z[i] += other[i];
        }
        activation.forward(z);
        store_packed(arrays.y + at, z);
      });
}

/// Whence a backward pass knows the argument of the activation: x, or for a ReLU its sign from y.
enum class SlopeSource { kInput, kOutput };

template <class T, unsigned kValues, SlopeSource kSource>
struct LoadedGradient {
  PackedValues<T, kValues> x;
  PackedValues<T, kValues> dy;
  PackedValues<T, kSource == SlopeSource::kOutput ? kValues : 1> y;
};

/// The gradients of z, where z is gain * x + offset, or has the signs of y.
template <class T, unsigned kValues, SlopeSource kSource, class ActivationPolicy>
struct GradientReader {
  using Policy = ActivationPolicy;
  using Loaded = LoadedGradient<T, kValues, kSource>;
  const T* x;
  const T* dy;
  const T* y;
  Policy activation;

  __device__ Loaded load(std::size_t i) const {
    Loaded loaded{.x = load_packed<kValues>(x + i), .dy = load_packed<kValues>(dy + i), .y = {}};
    if constexpr (kSource == SlopeSource::kOutput) loaded.y = load_packed<kValues>(y + i);
    return loaded;
  }

  __device__ void gradient_at(const Loaded& loaded, const float (&x_values)[kValues],
                              const float (&gain)[kValues], const float (&offset)[kValues],
                              float (&gradient)[kValues]) const {
    float z[kValues];
    if constexpr (kSource == SlopeSource::kOutput) {
      unpack(loaded.y, z);
    } else {
      PENSTOCK_UNROLL
      for (unsigned i = 0; i < kValues; ++i) z[i] = gain[i] * x_values[i] + offset[i];
    }
    unpack(loaded.dy, gradient);
    activation.backward(z, gradient);
  }
};

/// Calls use.operator()<kValues>(reader).
template <class T, class Args, class Use>
DeviceStatus with_gradient_reader(const Args& args, std::initializer_list<const void*> pointers,
                                  Use&& use) {
  const auto* const x = static_cast<const T*>(args.x);
  const auto* const dy = static_cast<const T*>(args.dy);
  const auto* const y = static_cast<const T*>(args.y);
  if (y != nullptr) {
    return with_row_packs<T>(args.rows.channels, pointers, [&]<unsigned kValues>() {
      return use.template operator()<kValues>(
          GradientReader<T, kValues, SlopeSource::kOutput, ReluActivation>{x, dy, y, {}});
    });
  }
  return with_packs_and_activation<T>(
      args.rows, args.activation, pointers, [&]<unsigned kValues, class Policy>(Policy policy) {
        return use.template operator()<kValues>(
            GradientReader<T, kValues, SlopeSource::kInput, Policy>{x, dy, nullptr, policy});
      });
}

template <unsigned kValues, class Reader>
__global__ void __launch_bounds__(kRowThreads, kMinBlocks<typename Reader::Policy>)
    affine_backward_sums_kernel(RowTiles tiles, Reader reader, ChannelFactors factors,
                                float* partials) {
  const RowThread thread = row_thread<kValues>(tiles);
  float mean[kValues] = {};
  float gain[kValues] = {};
  float offset[kValues] = {};
  if (thread.is_active) {
    load_floats(factors.mean + thread.channel, mean);
    load_floats(factors.gain + thread.channel, gain);
    load_floats(factors.offset + thread.channel, offset);
  }
  float sums[2 * kValues] = {};
  for_each_row<2>(
      thread, [&](std::size_t i) { return reader.load(i); },
      [&](std::size_t, const typename Reader::Loaded& loaded) {
        float x[kValues];
        float gradient[kValues];
        unpack(loaded.x, x);
        reader.gradient_at(loaded, x, gain, offset, gradient);
        PENSTOCK_UNROLL
        for (unsigned i = 0; i < kValues; ++i) {
          sums[i] += gradient[i];
          sums[kValues + i] += gradient[i] * (x[i] - mean[i]);
        }
      });
  store_part_sums<2, kValues>(tiles, thread, sums, partials);
}

__global__ void __launch_bounds__(kPartThreads)
    norm_gradients_kernel(NormGradients args, std::uint32_t num_parts) {
  const std::uint32_t channel = part_channel();
  double sums[2];
  if (!sum_parts(args.partials, num_parts, args.rows.channels, sums)) return;
  const double inv_std = static_cast<double>(args.factors.inv_std[channel]);
  if (args.dscale != nullptr) args.dscale[channel] = static_cast<float>(sums[1] * inv_std);
  if (args.dshift != nullptr) args.dshift[channel] = static_cast<float>(sums[0]);
  double slope = 0;
  double level = 0;
  if (args.is_batch) {
    // dx = gain * (g - mean(g) - v * mean(g v)) with v = (x - mean) * inv_std.
    const double count = static_cast<double>(args.rows.num_rows);
    const double gain = static_cast<double>(args.factors.gain[channel]);
    slope = -gain * inv_std * inv_std * sums[1] / count;
    level = -gain * sums[0] / count - slope * static_cast<double>(args.factors.mean[channel]);
  }
  args.slope[channel] = static_cast<float>(slope);
  args.level[channel] = static_cast<float>(level);
}

template <class T>
struct AffineBackwardArrays {
  const float* gain;
  const float* offset;
  const float* slope;
  const float* level;
  T* dx;
  T* dother;
};

template <class T, unsigned kValues, class Reader>
__global__ void __launch_bounds__(kRowThreads, kMinBlocks<typename Reader::Policy>)
    affine_backward_kernel(RowTiles tiles, Reader reader, AffineBackwardArrays<T> arrays) {
  const RowThread thread = row_thread<kValues>(tiles);
  if (!thread.is_active) return;
  float gain[kValues];
  float offset[kValues];
  float slope[kValues];
  float level[kValues];
  load_floats(arrays.gain + thread.channel, gain);
  load_floats(arrays.offset + thread.channel, offset);
  load_floats(arrays.slope + thread.channel, slope);
  load_floats(arrays.level + thread.channel, level);
  for_each_row<2>(
      thread, [&](std::size_t i) { return reader.load(i); },
      [&](std::size_t at, const typename Reader::Loaded& loaded) {
        float x[kValues];
        float gradient[kValues];
        unpack(loaded.x, x);
        reader.gradient_at(loaded, x, gain, offset, gradient);
        if (arrays.dother != nullptr) store_packed(arrays.dother + at, gradient);
        if (arrays.dx == nullptr) return;
        PENSTOCK_UNROLL
        for (unsigned i = 0; i < kValues; ++i) {
          x[i] = gain[i] * gradient[i] + (slope[i] * x[i] + level[i]);
        }
        store_packed(arrays.dx + at, x);
      });
}

}  // namespace

DeviceStatus affine_forward(const AffineForward& args, Stream stream) {
  return with_value_type(args.rows.type, [&]<class T>(T) {
    const AffineForwardArrays<T> arrays{.x = static_cast<const T*>(args.x),
                                        .gain = args.gain,
                                        .offset = args.offset,
                                        .other = static_cast<const T*>(args.other),
                                        .y = static_cast<T*>(args.y)};
    return with_packs_and_activation<T>(
        args.rows, args.activation, {args.x, args.gain, args.offset, args.other, args.y},
        [&]<unsigned kValues, class Policy>(Policy policy) {
          const RowTiles tiles =
              row_tiles<kValues>(args.rows.num_rows, args.rows.channels, kMostMapBlocks);
          return launch("affine_forward", affine_forward_kernel<T, kValues, Policy>,
                        tiles.launch_shape(), stream, tiles, policy, arrays);
        });
  });
}

DeviceStatus affine_backward_sums(const AffineBackwardSums& args, Stream stream) {
  return with_value_type(args.rows.type, [&]<class T>(T) {
    return with_gradient_reader<T>(
        args, {args.x, args.dy, args.y, args.factors.mean, args.factors.gain, args.factors.offset},
        [&]<unsigned kValues, class Reader>(Reader reader) {
          const RowTiles tiles =
              row_tiles<kValues>(args.rows.num_rows, args.rows.channels, kMostSumBlocks);
          return launch("affine_backward_sums", affine_backward_sums_kernel<kValues, Reader>,
                        tiles.launch_shape(), stream, tiles, reader, args.factors, args.partials);
        });
  });
}

DeviceStatus norm_gradients(const NormGradients& args, Stream stream) {
  return launch("norm_gradients", norm_gradients_kernel, part_launch_shape(args.rows.channels),
                stream, args, num_row_parts(args.rows.num_rows, args.rows.channels));
}

DeviceStatus affine_backward(const AffineBackward& args, Stream stream) {
  return with_value_type(args.rows.type, [&]<class T>(T) {
    const AffineBackwardArrays<T> arrays{.gain = args.factors.gain,
                                         .offset = args.factors.offset,
                                         .slope = args.slope,
                                         .level = args.level,
                                         .dx = static_cast<T*>(args.dx),
                                         .dother = static_cast<T*>(args.dother)};
    return with_gradient_reader<T>(
        args,
        {args.x, args.dy, args.y, arrays.gain, arrays.offset, arrays.slope, arrays.level, arrays.dx,
         arrays.dother},
        [&]<unsigned kValues, class Reader>(Reader reader) {
          const RowTiles tiles =
              row_tiles<kValues>(args.rows.num_rows, args.rows.channels, kMostMapBlocks);
          return launch("affine_backward", affine_backward_kernel<T, kValues, Reader>,
                        tiles.launch_shape(), stream, tiles, reader, arrays);
        });
  });
}

}  // namespace penstock::train::cuda
