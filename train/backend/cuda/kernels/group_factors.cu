#include "train/backend/cuda/kernels/group_factors.h"

#include <algorithm>
#include <cmath>

#include "train/backend/cuda/kernels/block_sum.h"
#include "train/backend/cuda/kernels/row_tiles.h"

namespace penstock::train::cuda {
namespace {

/// Groups of fewer channels are taken several at once: 64 channels of 2 bytes are a whole line of memory.
constexpr std::uint32_t kSliceChannels = 64;

/// How blocks take the groups of a sample: neighbouring ones that make up whole packs together.
struct GroupSlices {
  std::uint32_t group_channels;
  std::uint32_t slice_groups;  // the last slice may have fewer
  std::uint32_t num_slices;
  std::uint32_t columns;  // packs that threads take side by side
};

/// Whether groups of so many channels can be taken by packs.
template <unsigned kValues>
constexpr bool has_group_packs(std::uint32_t group_channels) {
  return group_channels % kValues == 0 || group_channels < kSliceChannels;
}

template <unsigned kValues>
GroupSlices group_slices(const GroupNormForward& args) {
  const std::uint32_t group_channels = args.channels / args.groups;
  std::uint32_t slice_groups = 1;
  while (slice_groups < args.groups && (slice_groups * group_channels < kSliceChannels ||
                                        slice_groups * group_channels % kValues != 0)) {
    ++slice_groups;
  }
  const std::uint32_t packs = slice_groups * group_channels / kValues;
  return {group_channels, slice_groups,
          static_cast<std::uint32_t>(num_blocks_for(args.groups, slice_groups)),
          std::min(packs, std::uint32_t{kRowThreads})};
}

/// A thread's values of a slice, and its place among the threads.
struct SliceThread {
  std::uint32_t first_channel;
  std::uint32_t packs;
  std::uint32_t column;
  std::uint32_t row_lane;
  std::uint32_t row_lanes;
};

/// Calls use(values) for each pack of the thread.
template <class T, unsigned kValues, class Use>
__device__ void for_each_pack(const GroupNormForward& args, const GroupSlices& slices,
                              const SliceThread& thread, std::size_t sample, const Use& use) {
  const T* const x = static_cast<const T*>(args.x) + sample * args.places * args.channels;
  const std::uint32_t end = thread.row_lane < thread.row_lanes ? thread.packs : 0;
  for (std::uint32_t pack = thread.column; pack < end; pack += slices.columns) {
    RowThread rows{};
    const std::size_t channel = thread.first_channel + std::size_t{pack} * kValues;
    rows.first = thread.row_lane * std::size_t{args.channels} + channel;
    rows.end = args.places * args.channels;
    rows.step = std::size_t{thread.row_lanes} * args.channels;
    for_each_row<4>(
        rows, [&](std::size_t i) { return load_packed<kValues>(x + i); },
        [&](std::size_t, const PackedValues<T, kValues>& packed) {
          float values[kValues];
          unpack(packed, values);
          use(pack, values);
        });
  }
}

/// Writes the means over each group's values of what the threads of a block have added up: of a single group all
/// that a thread has, of several ones a column of packs. All threads call it; it ends with a barrier.
template <unsigned kValues>
__device__ void group_means(const GroupSlices& slices, const SliceThread& thread,
                            std::uint32_t num_groups, std::size_t places,
                            const float (&sums)[kValues], float* of_thread, float* means) {
  const double count = static_cast<double>(places) * slices.group_channels;
  if (slices.slice_groups == 1) {
    double sum = 0;
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) sum += static_cast<double>(sums[v]);
    sum = block_sum<kRowThreads>(sum);
    if (threadIdx.x == 0) means[0] = static_cast<float>(sum / count);
    __syncthreads();
    return;
  }
  PENSTOCK_UNROLL
  for (unsigned v = 0; v < kValues; ++v) of_thread[v * kRowThreads + threadIdx.x] = sums[v];
  __syncthreads();
  constexpr unsigned kWarps = kRowThreads / kWarpThreads;
  for (std::uint32_t group = threadIdx.x / kWarpThreads; group < num_groups; group += kWarps) {
    double sum = 0;
    const std::uint32_t num_sums = slices.group_channels * thread.row_lanes;
    for (std::uint32_t i = threadIdx.x % kWarpThreads; i < num_sums; i += kWarpThreads) {
      const std::uint32_t channel = group * slices.group_channels + i % slices.group_channels;
      const std::uint32_t from = i / slices.group_channels * slices.columns + channel / kValues;
      sum += static_cast<double>(of_thread[channel % kValues * kRowThreads + from]);
    }
    sum = warp_sum(sum);
    if (threadIdx.x % kWarpThreads == 0) means[group] = static_cast<float>(sum / count);
  }
  __syncthreads();
}

/// The group, counted from the slice's first, of each value of a pack.
template <unsigned kValues>
__device__ std::uint32_t group_of(const GroupSlices& slices, std::uint32_t pack, unsigned v) {
  return (pack * kValues + v) / slices.group_channels;
}

/// Mean and 1 / deviation of each group, in two passes over a sample's slice: a mean far from 0 costs no digits.
template <class T, unsigned kValues>
__global__ void __launch_bounds__(kRowThreads)
    group_factors_kernel(GroupNormForward args, GroupSlices slices) {
  PENSTOCK_SHARED(float, of_thread, kValues* kRowThreads);
  PENSTOCK_SHARED(float, means, kSliceChannels + kValues);
  PENSTOCK_SHARED(float, variances, kSliceChannels + kValues);
  const std::size_t sample = blockIdx.x / slices.num_slices;
  const std::uint32_t first_group = blockIdx.x % slices.num_slices * slices.slice_groups;
  const std::uint32_t left = args.groups - first_group;
  const std::uint32_t num_groups = left < slices.slice_groups ? left : slices.slice_groups;
  const SliceThread thread{.first_channel = first_group * slices.group_channels,
                           .packs = num_groups * slices.group_channels / kValues,
                           .column = threadIdx.x % slices.columns,
                           .row_lane = threadIdx.x / slices.columns,
                           .row_lanes = kRowThreads / slices.columns};
  float sums[kValues] = {};
  for_each_pack<T, kValues>(args, slices, thread, sample,
                            [&](std::uint32_t, const float(&values)[kValues]) {
                              PENSTOCK_UNROLL
                              for (unsigned v = 0; v < kValues; ++v) sums[v] += values[v];
                            });
  group_means(slices, thread, num_groups, args.places, sums, of_thread, means);
  float own_means[kValues];
  PENSTOCK_UNROLL
  for (unsigned v = 0; v < kValues; ++v) {
    const std::uint32_t group = group_of<kValues>(slices, thread.column, v);
    own_means[v] = group < num_groups ? means[group] : 0.0f;
    sums[v] = 0;
  }
  for_each_pack<T, kValues>(args, slices, thread, sample,
                            [&](std::uint32_t, const float(&values)[kValues]) {
                              PENSTOCK_UNROLL
                              for (unsigned v = 0; v < kValues; ++v) {
                                const float deviation = values[v] - own_means[v];
                                sums[v] += deviation * deviation;
                              }
                            });
  group_means(slices, thread, num_groups, args.places, sums, of_thread, variances);
  for (std::uint32_t group = threadIdx.x; group < num_groups; group += kRowThreads) {
    float* const factors = args.factors + 2 * (sample * args.groups + first_group + group);
    factors[0] = means[group];
    factors[1] = 1.0f / std::sqrt(variances[group] + static_cast<float>(args.epsilon));
  }
}

template <class T, class Use>
DeviceStatus with_group_packs(std::uint32_t group_channels, std::uint32_t channels,
                              std::initializer_list<const void*> pointers, const Use& use) {
  if (!has_group_packs<kVectorValues<T>>(group_channels)) return use.template operator()<1u>();
  return with_row_packs<T>(channels, pointers, use);
}

}  // namespace

DeviceStatus group_factors(const GroupNormForward& args, Stream stream) {
  return with_value_type(args.type, [&]<class T>(T) {
    return with_group_packs<T>(
        args.channels / args.groups, args.channels, {args.x}, [&]<unsigned kValues>() {
          const GroupSlices slices = group_slices<kValues>(args);
          const auto num_blocks = static_cast<unsigned>(args.samples * slices.num_slices);
          return launch("group_factors", group_factors_kernel<T, kValues>,
                        {.grid = {num_blocks}, .block = {kRowThreads}}, stream, args, slices);
        });
  });
}

}  // namespace penstock::train::cuda
