#include <limits>

#include "train/backend/cuda/kernels/launch.h"
#include "train/backend/cuda/kernels/pool_kernels.h"
#include "train/backend/cuda/kernels/pool_walk.h"

namespace penstock::train::cuda {
namespace {

/// Rows, or columns. Products of sizes fit into 32 bits: neither is above 65535.
struct AdaptiveSide {
  std::uint32_t in;
  std::uint32_t out;

  /// Places of window `o`.
  __host__ __device__ PoolRange places(std::uint32_t o) const {
    return {o * in / out, ((o + 1) * in + out - 1) / out};
  }
  /// Windows over place `i`.
  __device__ PoolRange windows(std::uint32_t i) const {
    return {i * out / in, ((i + 1) * out + in - 1) / in};
  }
  /// Whether each place lies in one window.
  bool is_cut_evenly() const { return in % out == 0; }
};

__host__ __device__ AdaptiveSide row_side(const PoolShape& shape) {
  return {shape.in_height, shape.out_height};
}
__host__ __device__ AdaptiveSide col_side(const PoolShape& shape) {
  return {shape.in_width, shape.out_width};
}

/// How a block takes a window: `lanes` packs of channels side by side, every so-manieth place to each of `parts`.
struct WindowBlocks {
  unsigned lanes;  // both are powers of 2
  unsigned parts;
  std::uint32_t packs;
  std::uint32_t chunks;  // blocks of a window

  LaunchShape launch_shape(const PoolShape& shape, std::size_t shared_bytes) const {
    const std::size_t num_windows = shape.samples * shape.out_height * shape.out_width;
    return {.grid = {static_cast<unsigned>(num_windows * chunks)},
            .block = {lanes, parts},
            .shared_bytes = shared_bytes};
  }
};

/// Large windows of few channels get many parts: one thread for a place of 112 x 112 would take all day.
template <unsigned kValues>
WindowBlocks window_blocks(const PoolShape& shape) {
  const std::uint32_t packs = shape.channels / kValues;
  const std::size_t places = num_blocks_for(shape.in_height, shape.out_height) *
                             num_blocks_for(shape.in_width, shape.out_width);
  unsigned lanes = 1;
  while (lanes < packs && lanes < kWarpThreads) lanes *= 2;
  unsigned parts = 1;
  while (parts * std::size_t{2} <= places && lanes * parts < kPoolThreads) parts *= 2;
  while (lanes < packs && lanes * parts < kPoolThreads) lanes *= 2;
  return {lanes, parts, packs, static_cast<std::uint32_t>(num_blocks_for(packs, lanes))};
}

/// The window of a block, and the channels of a thread.
struct WindowWork {
  PoolRange rows;
  PoolRange cols;
  std::size_t input;   // index of the sample's first value of this pack
  std::size_t output;  // index of the window's first value of this pack
  bool has_channels;

  __device__ std::uint32_t num_places() const {
    return (rows.end - rows.begin) * (cols.end - cols.begin);
  }
};

template <unsigned kValues>
__device__ WindowWork window_work(const PoolShape& shape, const WindowBlocks& blocks) {
  const std::size_t window = blockIdx.x / blocks.chunks;
  const std::uint32_t pack = blockIdx.x % blocks.chunks * blocks.lanes + threadIdx.x;
  const std::size_t area = std::size_t{shape.out_height} * shape.out_width;
  const auto in_sample = static_cast<std::uint32_t>(window % area);
  return {.rows = row_side(shape).places(in_sample / shape.out_width),
          .cols = col_side(shape).places(in_sample % shape.out_width),
          .input = input_index(shape, window / area, 0, 0) + std::size_t{pack} * kValues,
          .output = window * shape.channels + std::size_t{pack} * kValues,
          .has_channels = pack < blocks.packs};
}

/// Calls visit(place in the window, index of its values) for this thread's part of the window.
template <class Visit>
__device__ void for_each_part_place(const PoolShape& shape, const WindowWork& work,
                                    const Visit& visit) {
  if (!work.has_channels) return;
  const std::uint32_t num_cols = work.cols.end - work.cols.begin;
  for (std::uint32_t place = threadIdx.y; place < work.num_places(); place += blockDim.y) {
    const std::uint32_t row = work.rows.begin + place / num_cols;
    const std::uint32_t col = work.cols.begin + place % num_cols;
    visit(place, work.input + (std::size_t{row} * shape.in_width + col) * shape.channels);
  }
}

/// A sum, or a maximum and where it stands, of one value.
struct Pooled {
  float value;
  std::uint32_t place;
};

__device__ Pooled nothing_pooled(bool is_max) {
  return {is_max ? -std::numeric_limits<float>::infinity() : 0.0f, 0xFFFFFFFFu};
}

__device__ Pooled pooled_with(const Pooled& a, const Pooled& b, bool is_max) {
  if (!is_max) return {a.value + b.value, 0};
  const bool is_equal = !beats(a.value, b.value) && !beats(b.value, a.value);
  return beats(b.value, a.value) || (is_equal && b.place < a.place) ? b : a;
}

/// Joins the parts of a block in a tree; part 0 has the whole. All threads of the block call it.
template <unsigned kValues>
__device__ void join_parts(Pooled (&pooled)[kValues], bool is_max) {
  PENSTOCK_DYNAMIC_SHARED(Pooled, of_thread);
  const unsigned thread = threadIdx.y * blockDim.x + threadIdx.x;
  for (unsigned parts = blockDim.y; parts > 1; parts /= 2) {
    const unsigned half = parts / 2;
    if (threadIdx.y >= half && threadIdx.y < parts) {
      PENSTOCK_UNROLL
      for (unsigned v = 0; v < kValues; ++v) of_thread[v * kPoolThreads + thread] = pooled[v];
    }
    __syncthreads();
    if (threadIdx.y < half) {
      PENSTOCK_UNROLL
      for (unsigned v = 0; v < kValues; ++v) {
        const Pooled other = of_thread[v * kPoolThreads + thread + half * blockDim.x];
        pooled[v] = pooled_with(pooled[v], other, is_max);
      }
    }
  }
}

template <unsigned kValues>
constexpr std::size_t kJoinBytes = kValues* kPoolThreads * sizeof(Pooled);

template <class T, unsigned kValues>
__device__ void pool_part(const PoolShape& shape, const WindowWork& work, const void* x,
                          bool is_max, Pooled (&pooled)[kValues]) {
  PENSTOCK_UNROLL
  for (unsigned v = 0; v < kValues; ++v) pooled[v] = nothing_pooled(is_max);
  for_each_part_place(shape, work, [&](std::uint32_t place, std::size_t first) {
    float values[kValues];
    unpack(load_packed<kValues>(static_cast<const T*>(x) + first), values);
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) {
      pooled[v] = pooled_with(pooled[v], {values[v], place}, is_max);
    }
  });
}

template <class T, unsigned kValues>
__global__ void __launch_bounds__(kPoolThreads, kPoolBlocks)
    adaptive_forward_kernel(AdaptivePool args, WindowBlocks blocks) {
  const WindowWork work = window_work<kValues>(args.shape, blocks);
  Pooled pooled[kValues];
  pool_part<T>(args.shape, work, args.x, args.is_max, pooled);
  join_parts(pooled, args.is_max);
  if (threadIdx.y != 0 || !work.has_channels) return;
  const float share = args.is_max ? 1.0f : 1.0f / static_cast<float>(work.num_places());
  float values[kValues];
  PENSTOCK_UNROLL
  for (unsigned v = 0; v < kValues; ++v) values[v] = pooled[v].value * share;
  store_packed(static_cast<T*>(args.y) + work.output, values);
}

/// Where windows do not overlap a block finds the maxima of its window again, and writes all of it.
template <class T, unsigned kValues>
__global__ void __launch_bounds__(kPoolThreads, kPoolBlocks)
    even_maxima_backward_kernel(AdaptivePoolBackward args, WindowBlocks blocks) {
  PENSTOCK_SHARED(std::uint32_t, best_places, kValues * kPoolThreads);
  const WindowWork work = window_work<kValues>(args.shape, blocks);
  Pooled pooled[kValues];
  pool_part<T>(args.shape, work, args.x, true, pooled);
  join_parts(pooled, true);
  if (threadIdx.y == 0) {
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) {
      best_places[v * kPoolThreads + threadIdx.x] = pooled[v].place;
    }
  }
  __syncthreads();
  if (!work.has_channels) return;
  float dy[kValues];
  unpack(load_packed<kValues>(static_cast<const T*>(args.dy) + work.output), dy);
  for_each_part_place(args.shape, work, [&](std::uint32_t place, std::size_t first) {
    float dx[kValues];
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) {
      dx[v] = best_places[v * kPoolThreads + threadIdx.x] == place ? dy[v] : 0.0f;
    }
    store_packed(static_cast<T*>(args.dx) + first, dx);
  });
}

/// Where windows overlap each place looks through all windows over it: much work, for a rare case.
template <class T, unsigned kValues>
__global__ void __launch_bounds__(kPoolThreads, kPoolBlocks)
    uneven_maxima_backward_kernel(AdaptivePoolBackward args, PoolRows rows) {
  const T* const x = static_cast<const T*>(args.x);
  const AdaptiveSide row_windows = row_side(args.shape);
  const AdaptiveSide col_windows = col_side(args.shape);
  for_each_place(rows, [&](const PoolPlace& at) {
    float sums[kValues] = {};
    const auto input = [&](std::uint32_t row, std::uint32_t col) {
      return input_index(args.shape, at.sample, row, col) + at.pack * kValues;
    };
    const PoolRange out_rows = row_windows.windows(at.row);
    const PoolRange out_cols = col_windows.windows(at.col);
    for (std::uint32_t out_row = out_rows.begin; out_row < out_rows.end; ++out_row) {
      for (std::uint32_t out_col = out_cols.begin; out_col < out_cols.end; ++out_col) {
        const PoolRange in_rows = row_windows.places(out_row);
        const PoolRange in_cols = col_windows.places(out_col);
        Pooled pooled[kValues];
        PENSTOCK_UNROLL
        for (unsigned v = 0; v < kValues; ++v) pooled[v] = nothing_pooled(true);
        for (std::uint32_t row = in_rows.begin; row < in_rows.end; ++row) {
          for (std::uint32_t col = in_cols.begin; col < in_cols.end; ++col) {
            float values[kValues];
            unpack(load_packed<kValues>(x + input(row, col)), values);
            const std::uint32_t place = row * args.shape.in_width + col;
            PENSTOCK_UNROLL
            for (unsigned v = 0; v < kValues; ++v) {
              pooled[v] = pooled_with(pooled[v], {values[v], place}, true);
            }
          }
        }
        float dy[kValues];
        unpack(load_packed<kValues>(static_cast<const T*>(args.dy) +
                                    output_index(args.shape, at.sample, out_row, out_col) +
                                    at.pack * kValues),
               dy);
        const std::uint32_t own = at.row * args.shape.in_width + at.col;
        PENSTOCK_UNROLL
        for (unsigned v = 0; v < kValues; ++v) sums[v] += pooled[v].place == own ? dy[v] : 0.0f;
      }
    }
    store_packed(static_cast<T*>(args.dx) + input(at.row, at.col), sums);
  });
}

template <class T, unsigned kValues>
__global__ void __launch_bounds__(kPoolThreads, kPoolBlocks)
    adaptive_average_backward_kernel(AdaptivePoolBackward args, PoolRows rows) {
  const T* const dy = static_cast<const T*>(args.dy);
  const AdaptiveSide row_windows = row_side(args.shape);
  const AdaptiveSide col_windows = col_side(args.shape);
  for_each_place(rows, [&](const PoolPlace& at) {
    float sums[kValues] = {};
    const PoolRange out_rows = row_windows.windows(at.row);
    const PoolRange out_cols = col_windows.windows(at.col);
    for (std::uint32_t row = out_rows.begin; row < out_rows.end; ++row) {
      const PoolRange in_rows = row_windows.places(row);
      for (std::uint32_t col = out_cols.begin; col < out_cols.end; ++col) {
        const PoolRange in_cols = col_windows.places(col);
        const float share = 1.0f / static_cast<float>((in_rows.end - in_rows.begin) *
                                                      (in_cols.end - in_cols.begin));
        float values[kValues];
        unpack(load_packed<kValues>(dy + output_index(args.shape, at.sample, row, col) +
                                    at.pack * kValues),
               values);
        PENSTOCK_UNROLL
        for (unsigned v = 0; v < kValues; ++v) sums[v] += values[v] * share;
      }
    }
    store_packed(static_cast<T*>(args.dx) + input_index(args.shape, at.sample, at.row, at.col) +
                     at.pack * kValues,
                 sums);
  });
}

}  // namespace

DeviceStatus adaptive_pool_forward(const AdaptivePool& args, Stream stream) {
  return with_pool_packs(
      args.type, args.shape.channels, {args.x, args.y}, [&]<class T, unsigned kValues>() {
        const WindowBlocks blocks = window_blocks<kValues>(args.shape);
        return launch("adaptive_pool_forward", adaptive_forward_kernel<T, kValues>,
                      blocks.launch_shape(args.shape, kJoinBytes<kValues>), stream, args, blocks);
      });
}

DeviceStatus adaptive_pool_backward(const AdaptivePoolBackward& args, Stream stream) {
  const bool is_even = row_side(args.shape).is_cut_evenly() && col_side(args.shape).is_cut_evenly();
  return with_pool_packs(
      args.type, args.shape.channels, {args.x, args.dy, args.dx}, [&]<class T, unsigned kValues>() {
        const PoolRows rows = input_rows<kValues>(args.shape);
        if (!args.is_max) {
          return launch("adaptive_average_backward", adaptive_average_backward_kernel<T, kValues>,
                        pool_launch_shape(rows), stream, args, rows);
        }
        if (!is_even) {
          return launch("uneven_maxima_backward", uneven_maxima_backward_kernel<T, kValues>,
                        pool_launch_shape(rows), stream, args, rows);
        }
        const WindowBlocks blocks = window_blocks<kValues>(args.shape);
        return launch("even_maxima_backward", even_maxima_backward_kernel<T, kValues>,
                      blocks.launch_shape(args.shape, kJoinBytes<kValues>), stream, args, blocks);
      });
}

}  // namespace penstock::train::cuda
