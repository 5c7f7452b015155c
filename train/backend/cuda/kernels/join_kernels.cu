// Sums, products, copies, flatten and conversions.
#include "train/backend/cuda/kernels/join_kernels.h"

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/kernels/row_tiles.h"
#include "train/backend/cuda/kernels/value_map.h"

namespace penstock::train::cuda {
namespace {

struct AddMap {
  template <unsigned kValues>
  __device__ void operator()(float (&values)[2][kValues]) const {
    for (unsigned i = 0; i < kValues; ++i) values[0][i] += values[1][i];
  }
};

struct MultiplyMap {
  template <unsigned kValues>
  __device__ void operator()(float (&values)[2][kValues]) const {
    for (unsigned i = 0; i < kValues; ++i) values[0][i] *= values[1][i];
  }
};

template <class Map>
DeviceStatus map_two(const char* name, ValueType type, std::size_t count, const void* a,
                     const void* b, void* out, Stream stream) {
  return with_value_type(type, [&]<class T>(T) {
    const MapArrays<T, 2> arrays{.count = count,
                                 .in = {static_cast<const T*>(a), static_cast<const T*>(b)},
                                 .out = static_cast<T*>(out)};
    return map_values(name, arrays, Map{}, stream);
  });
}

/// Words of a row: a copy needs no types.
struct CopiedRows {
  const void* from;
  std::size_t from_stride;
  void* to;
  std::size_t to_stride;
};

template <class Word>
__global__ void __launch_bounds__(kRowThreads) copy_rows_kernel(RowTiles tiles, CopiedRows rows) {
  constexpr unsigned kRows = 4;
  const RowThread thread = row_thread<1>(tiles);
  if (!thread.is_active) return;
  const Word* const from = static_cast<const Word*>(rows.from) + thread.channel;
  Word* const to = static_cast<Word*>(rows.to) + thread.channel;
  for (std::size_t first = thread.first_row; first < thread.end_row; first += kRows * tiles.lanes) {
    Word words[kRows];
    PENSTOCK_UNROLL
    for (unsigned k = 0; k < kRows; ++k) {
      const std::size_t row = first + k * tiles.lanes;
      if (row < thread.end_row) words[k] = from[row * rows.from_stride];
    }
    PENSTOCK_UNROLL
    for (unsigned k = 0; k < kRows; ++k) {
      const std::size_t row = first + k * tiles.lanes;
      if (row < thread.end_row) to[row * rows.to_stride] = words[k];
    }
  }
}

constexpr std::size_t kCopiedWords = 16 * kRowThreads;  // of a block, at least

struct alignas(8) CopiedPair {
  std::uint32_t words[2];
};
struct alignas(16) CopiedQuad {
  std::uint32_t words[4];
};

/// Calls use(Word{}) for the largest word of which all of these bytes are multiples.
template <class Use>
DeviceStatus with_copied_word(std::uintptr_t bytes, Use&& use) {
  if (bytes % 16 == 0) return use(CopiedQuad{});
  if (bytes % 8 == 0) return use(CopiedPair{});
  if (bytes % 4 == 0) return use(std::uint32_t{});
  return use(std::uint16_t{});
}

constexpr unsigned kTransposeTile = 32;
constexpr unsigned kTransposeRows = 8;  // of a tile that a block's threads take at once

/// Of each sample [rows, columns] to [columns, rows], tile by tile.
template <class Word>
__global__ void __launch_bounds__(kTransposeTile* kTransposeRows)
    transpose_kernel(std::size_t rows, std::size_t columns, const Word* from, Word* to) {
  PENSTOCK_SHARED(Word, tile, kTransposeTile * (kTransposeTile + 1));
  const std::size_t column_tiles = num_blocks_for(columns, kTransposeTile);
  const std::size_t sample_tiles = column_tiles * num_blocks_for(rows, kTransposeTile);
  const std::size_t sample = blockIdx.x / sample_tiles;
  const std::size_t first_row = blockIdx.x % sample_tiles / column_tiles * kTransposeTile;
  const std::size_t first_column = blockIdx.x % column_tiles * kTransposeTile;
  const std::size_t first = sample * rows * columns;
  PENSTOCK_UNROLL
  for (unsigned i = 0; i < kTransposeTile; i += kTransposeRows) {
    const std::size_t row = first_row + threadIdx.y + i;
    const std::size_t column = first_column + threadIdx.x;
    if (row < rows && column < columns) {
      tile[(threadIdx.y + i) * (kTransposeTile + 1) + threadIdx.x] =
          from[first + row * columns + column];
    }
  }
  __syncthreads();
  PENSTOCK_UNROLL
  for (unsigned i = 0; i < kTransposeTile; i += kTransposeRows) {
    const std::size_t row = first_row + threadIdx.x;
    const std::size_t column = first_column + threadIdx.y + i;
    if (row < rows && column < columns) {
      to[first + column * rows + row] = tile[threadIdx.x * (kTransposeTile + 1) + threadIdx.y + i];
    }
  }
}

template <class Word>
DeviceStatus transpose(const FlattenValues& args, Stream stream) {
  const std::size_t rows = args.is_back ? args.channels : args.places;
  const std::size_t columns = args.is_back ? args.places : args.channels;
  const std::size_t num_tiles =
      args.samples * num_blocks_for(rows, kTransposeTile) * num_blocks_for(columns, kTransposeTile);
  return launch(
      "flatten_values", transpose_kernel<Word>,
      {.grid = {static_cast<unsigned>(num_tiles)}, .block = {kTransposeTile, kTransposeRows}},
      stream, rows, columns, static_cast<const Word*>(args.from), static_cast<Word*>(args.to));
}

constexpr unsigned kConvertThreads = 256;
constexpr unsigned kConvertValues = 8;  // of one thread: 16 bytes at least, on either side

template <unsigned kAtOnce, class From, class To>
__device__ void convert_run(const From* from, To* to) {
  constexpr unsigned kFrom = kAtOnce == 1 ? 1 : kVectorValues<From>;
  constexpr unsigned kTo = kAtOnce == 1 ? 1 : kVectorValues<To>;
  float values[kAtOnce];
  PENSTOCK_UNROLL
  for (unsigned i = 0; i < kAtOnce; i += kFrom) {
    float some[kFrom];
    unpack(load_packed<kFrom>(from + i), some);
    PENSTOCK_UNROLL
    for (unsigned k = 0; k < kFrom; ++k) values[i + k] = some[k];
  }
  PENSTOCK_UNROLL
  for (unsigned i = 0; i < kAtOnce; i += kTo) {
    float some[kTo];
    PENSTOCK_UNROLL
    for (unsigned k = 0; k < kTo; ++k) some[k] = values[i + k];
    store_packed(to + i, some);
  }
}

template <class From, class To>
__global__ void __launch_bounds__(kConvertThreads)
    convert_kernel(std::size_t count, bool has_vectors, const From* from, To* to) {
  const std::size_t first =
      (std::size_t{blockIdx.x} * kConvertThreads + threadIdx.x) * kConvertValues;
  if (has_vectors && first + kConvertValues <= count) {
    convert_run<kConvertValues>(from + first, to + first);
    return;
  }
  for (std::size_t i = first; i < first + kConvertValues && i < count; ++i) {
    convert_run<1>(from + i, to + i);
  }
}

}  // namespace

DeviceStatus add_values(const AddValues& args, Stream stream) {
  return map_two<AddMap>("add_values", args.type, args.count, args.a, args.b, args.sum, stream);
}

DeviceStatus multiply_values(const MultiplyValues& args, Stream stream) {
  return map_two<MultiplyMap>("multiply_values", args.type, args.count, args.a, args.b,
                              args.product, stream);
}

DeviceStatus copy_channels(const CopyChannels& args, Stream stream) {
  const std::size_t bytes = value_bytes(args.type);
  const auto* const from = static_cast<const std::byte*>(args.from) + args.from_first * bytes;
  auto* const to = static_cast<std::byte*>(args.to) + args.to_first * bytes;
  const std::uintptr_t all_bytes = reinterpret_cast<std::uintptr_t>(from) |
                                   reinterpret_cast<std::uintptr_t>(to) | args.channels * bytes |
                                   args.from_stride * bytes | args.to_stride * bytes;
  return with_copied_word(all_bytes, [&]<class Word>(Word) {
    const auto words = [bytes](std::uint32_t channels) { return channels * bytes / sizeof(Word); };
    const auto row_words = static_cast<std::uint32_t>(words(args.channels));
    const std::size_t rows_per_part =
        rows_of_part(args.num_rows, row_words, kMostMapBlocks, kCopiedWords);
    const RowTiles tiles = row_tiles<1>(1, args.num_rows, rows_per_part, row_words);
    const CopiedRows rows{.from = from,
                          .from_stride = words(args.from_stride),
                          .to = to,
                          .to_stride = words(args.to_stride)};
    return launch("copy_channels", copy_rows_kernel<Word>, tiles.launch_shape(), stream, tiles,
                  rows);
  });
}

DeviceStatus flatten_values(const FlattenValues& args, Stream stream) {
  if (value_bytes(args.type) == 2) return transpose<std::uint16_t>(args, stream);
  return transpose<std::uint32_t>(args, stream);
}

DeviceStatus convert_values(const ConvertValues& args, Stream stream) {
  if (args.count == 0) return {};
  const std::size_t num_blocks = num_blocks_for(args.count, kConvertThreads * kConvertValues);
  return with_value_type(args.from_type, [&]<class From>(From) {
    return with_value_type(args.to_type, [&]<class To>(To) {
      return launch("convert_values", convert_kernel<From, To>,
                    {.grid = {static_cast<unsigned>(num_blocks)}, .block = {kConvertThreads}},
                    stream, args.count, are_vector_aligned({args.from, args.to}),
                    static_cast<const From*>(args.from), static_cast<To*>(args.to));
    });
  });
}

}  // namespace penstock::train::cuda
