#include <limits>

#include "train/backend/cuda/kernels/launch.h"
#include "train/backend/cuda/kernels/pool_kernels.h"
#include "train/backend/cuda/kernels/pool_walk.h"

namespace penstock::train::cuda {
namespace {

/// Places of the maxima of a pack, stored at once.
template <unsigned kValues>
struct alignas(kValues) PackedPlaces {
  std::uint8_t of_value[kValues];
};

template <class T, unsigned kValues>
__global__ void __launch_bounds__(kPoolThreads, kPoolBlocks)
    max_pool_forward_kernel(MaxPoolForward args, PoolRows rows) {
  const T* const x = static_cast<const T*>(args.x);
  const PoolSide row_windows = row_side(args.shape, args.window);
  const PoolSide col_windows = col_side(args.shape, args.window);
  for_each_place(rows, [&](const PoolPlace& at) {
    float best[kValues];
    PENSTOCK_UNROLL
    for (float& value : best) value = -std::numeric_limits<float>::infinity();
    PackedPlaces<kValues> places{};
    const PoolRange row_taps = row_windows.taps(at.row);
    const PoolRange col_taps = col_windows.taps(at.col);
    bool is_first = true;
    for (std::uint32_t kr = row_taps.begin; kr < row_taps.end; ++kr) {
      const std::uint32_t row = row_windows.place(at.row, kr);
      for (std::uint32_t kc = col_taps.begin; kc < col_taps.end; ++kc) {
        const std::uint32_t col = col_windows.place(at.col, kc);
        float values[kValues];
        unpack(load_packed<kValues>(x + input_index(args.shape, at.sample, row, col) +
                                    at.pack * kValues),
               values);
        const auto place = static_cast<std::uint8_t>(kr * args.window.kernel_width + kc);
        PENSTOCK_UNROLL
        for (unsigned v = 0; v < kValues; ++v) {
          if (!is_first && !beats(values[v], best[v])) continue;
          best[v] = values[v];
          places.of_value[v] = place;
        }
        is_first = false;
      }
    }
    const std::size_t to = output_index(args.shape, at.sample, at.row, at.col) + at.pack * kValues;
    store_packed(static_cast<T*>(args.y) + to, best);
    if (args.places != nullptr) {
      *reinterpret_cast<PackedPlaces<kValues>*>(args.places + to) = places;
    }
  });
}

/// Each place of the input asks the windows over it: no two threads write one value.
template <class T, unsigned kValues>
__global__ void __launch_bounds__(kPoolThreads, kPoolBlocks)
    max_pool_backward_kernel(MaxPoolBackward args, PoolRows rows) {
  const T* const dy = static_cast<const T*>(args.dy);
  const PoolSide row_windows = row_side(args.shape, args.window);
  const PoolSide col_windows = col_side(args.shape, args.window);
  for_each_place(rows, [&](const PoolPlace& at) {
    float sums[kValues] = {};
    const PoolRange out_rows = row_windows.windows(at.row);
    const PoolRange out_cols = col_windows.windows(at.col);
    for (std::uint32_t row = out_rows.begin; row < out_rows.end; ++row) {
      const std::uint32_t kr = row_windows.tap(at.row, row);
      for (std::uint32_t col = out_cols.begin; col < out_cols.end; ++col) {
        const std::uint32_t kc = col_windows.tap(at.col, col);
        if (kr == row_windows.kernel || kc == col_windows.kernel) continue;
        const std::size_t from = output_index(args.shape, at.sample, row, col) + at.pack * kValues;
        const auto places = *reinterpret_cast<const PackedPlaces<kValues>*>(args.places + from);
        float values[kValues];
        unpack(load_packed<kValues>(dy + from), values);
        const std::uint32_t place = kr * args.window.kernel_width + kc;
        PENSTOCK_UNROLL
        for (unsigned v = 0; v < kValues; ++v) {
          sums[v] += places.of_value[v] == place ? values[v] : 0.0f;
        }
      }
    }
    store_packed(static_cast<T*>(args.dx) + input_index(args.shape, at.sample, at.row, at.col) +
                     at.pack * kValues,
                 sums);
  });
}

/// What a window's average multiplies the sum of its values with.
__device__ float share_of(const PoolWindow& window, const PoolRange& rows, const PoolRange& cols) {
  const std::uint32_t count = window.counts_padding
                                  ? window.kernel_height * window.kernel_width
                                  : (rows.end - rows.begin) * (cols.end - cols.begin);
  return count > 0 ? 1.0f / static_cast<float>(count) : 0.0f;
}

template <class T, unsigned kValues>
__global__ void __launch_bounds__(kPoolThreads, kPoolBlocks)
    average_pool_forward_kernel(AveragePool args, PoolRows rows) {
  const T* const x = static_cast<const T*>(args.from);
  const PoolSide row_windows = row_side(args.shape, args.window);
  const PoolSide col_windows = col_side(args.shape, args.window);
  for_each_place(rows, [&](const PoolPlace& at) {
    float sums[kValues] = {};
    const PoolRange row_taps = row_windows.taps(at.row);
    const PoolRange col_taps = col_windows.taps(at.col);
    for (std::uint32_t kr = row_taps.begin; kr < row_taps.end; ++kr) {
      const std::uint32_t row = row_windows.place(at.row, kr);
      for (std::uint32_t kc = col_taps.begin; kc < col_taps.end; ++kc) {
        const std::uint32_t col = col_windows.place(at.col, kc);
        float values[kValues];
        unpack(load_packed<kValues>(x + input_index(args.shape, at.sample, row, col) +
                                    at.pack * kValues),
               values);
        PENSTOCK_UNROLL
        for (unsigned v = 0; v < kValues; ++v) sums[v] += values[v];
      }
    }
    const float share = share_of(args.window, row_taps, col_taps);
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) sums[v] *= share;
    store_packed(static_cast<T*>(args.to) + output_index(args.shape, at.sample, at.row, at.col) +
                     at.pack * kValues,
                 sums);
  });
}

template <class T, unsigned kValues>
__global__ void __launch_bounds__(kPoolThreads, kPoolBlocks)
    average_pool_backward_kernel(AveragePool args, PoolRows rows) {
  const T* const dy = static_cast<const T*>(args.from);
  const PoolSide row_windows = row_side(args.shape, args.window);
  const PoolSide col_windows = col_side(args.shape, args.window);
  for_each_place(rows, [&](const PoolPlace& at) {
    float sums[kValues] = {};
    const PoolRange out_rows = row_windows.windows(at.row);
    const PoolRange out_cols = col_windows.windows(at.col);
    for (std::uint32_t row = out_rows.begin; row < out_rows.end; ++row) {
      if (row_windows.tap(at.row, row) == row_windows.kernel) continue;
      const PoolRange row_taps = row_windows.taps(row);
      for (std::uint32_t col = out_cols.begin; col < out_cols.end; ++col) {
        if (col_windows.tap(at.col, col) == col_windows.kernel) continue;
        const float share = share_of(args.window, row_taps, col_windows.taps(col));
        float values[kValues];
        unpack(load_packed<kValues>(dy + output_index(args.shape, at.sample, row, col) +
                                    at.pack * kValues),
               values);
        PENSTOCK_UNROLL
        for (unsigned v = 0; v < kValues; ++v) sums[v] += values[v] * share;
      }
    }
    store_packed(static_cast<T*>(args.to) + input_index(args.shape, at.sample, at.row, at.col) +
                     at.pack * kValues,
                 sums);
  });
}

}  // namespace

DeviceStatus max_pool_forward(const MaxPoolForward& args, Stream stream) {
  return with_pool_packs(args.type, args.shape.channels, {args.x, args.y, args.places},
                         [&]<class T, unsigned kValues>() {
                           const PoolRows rows = output_rows<kValues>(args.shape);
                           return launch("max_pool_forward", max_pool_forward_kernel<T, kValues>,
                                         pool_launch_shape(rows), stream, args, rows);
                         });
}

DeviceStatus max_pool_backward(const MaxPoolBackward& args, Stream stream) {
  return with_pool_packs(args.type, args.shape.channels, {args.dy, args.dx, args.places},
                         [&]<class T, unsigned kValues>() {
                           const PoolRows rows = input_rows<kValues>(args.shape);
                           return launch("max_pool_backward", max_pool_backward_kernel<T, kValues>,
                                         pool_launch_shape(rows), stream, args, rows);
                         });
}

DeviceStatus average_pool_forward(const AveragePool& args, Stream stream) {
  return with_pool_packs(
      args.type, args.shape.channels, {args.from, args.to}, [&]<class T, unsigned kValues>() {
        const PoolRows rows = output_rows<kValues>(args.shape);
        return launch("average_pool_forward", average_pool_forward_kernel<T, kValues>,
                      pool_launch_shape(rows), stream, args, rows);
      });
}

DeviceStatus average_pool_backward(const AveragePool& args, Stream stream) {
  return with_pool_packs(
      args.type, args.shape.channels, {args.from, args.to}, [&]<class T, unsigned kValues>() {
        const PoolRows rows = input_rows<kValues>(args.shape);
        return launch("average_pool_backward", average_pool_backward_kernel<T, kValues>,
                      pool_launch_shape(rows), stream, args, rows);
      });
}

}  // namespace penstock::train::cuda
