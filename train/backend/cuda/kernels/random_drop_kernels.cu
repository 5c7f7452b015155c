#include "train/backend/cuda/kernels/random_drop_kernels.h"

#include "train/backend/cuda/kernels/launch.h"
#include "train/backend/cuda/kernels/packed_values.h"
#include "train/graph/train_draws.h"

namespace penstock::train::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kDraws =
    4;  // of one quad: elements side by side in the order channel, row, column

/// What all threads know of the draws.
struct DropRule {
  const StepBlock* step;
  std::uint32_t node;
  std::uint32_t threshold;
  float scale;
};

/// Draws of one sample, as bits: 1 where a value is kept.
class SampleDraws {
 public:
  __device__ SampleDraws(const DropRule& rule, std::size_t sample)
      : seed_(rule.step->seed),
        step_(rule.step->step),
        place_(rule.step->first_place + static_cast<std::uint32_t>(sample)),
        node_(rule.node),
        threshold_(rule.threshold) {}

  /// Bit k: element 4 * quad + k.
  __device__ unsigned kept_of_quad(std::size_t quad) const {
    const PhiloxCounter words = dropout_words(seed_, step_, place_, node_, quad);
    unsigned kept = 0;
    PENSTOCK_UNROLL
    for (unsigned k = 0; k < kDraws; ++k) kept |= (words[k] >= threshold_ ? 1u : 0u) << k;
    return kept;
  }

  /// Bit k: element `first` + k, for `count` of at most 4, which may lie in two quads.
  __device__ unsigned kept_from(std::size_t first, unsigned count) const {
    const auto before = static_cast<unsigned>(first % kDraws);
    unsigned kept = kept_of_quad(first / kDraws);
    if (before + count > kDraws) kept |= kept_of_quad(first / kDraws + 1) << kDraws;
    return kept >> before;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t step_;
  std::uint32_t place_;
  std::uint32_t node_;
  std::uint32_t threshold_;
};

/// A dropped value is 0, whatever it was.
__device__ float drop(float value, bool is_kept, float scale) {
  return is_kept ? value * scale : 0.0f;
}

/// Blocks of a sample stand side by side.
struct SampleBlocks {
  std::uint32_t per_sample;
  std::size_t values;  // of a sample

  __device__ std::size_t sample() const { return blockIdx.x / per_sample; }
  __device__ std::size_t thread() const {
    return std::size_t{blockIdx.x % per_sample} * kThreads + threadIdx.x;
  }
};

SampleBlocks sample_blocks(const RandomDrop& args, std::size_t threads_per_sample) {
  return {.per_sample = static_cast<std::uint32_t>(num_blocks_for(threads_per_sample, kThreads)),
          .values = args.places * args.channels};
}

template <class... Params, class... Args>
DeviceStatus launch_drop(const RandomDrop& args, const SampleBlocks& blocks,
                         void (*kernel)(Params...), Stream stream, const Args&... of_kernel) {
  const auto num_blocks = static_cast<unsigned>(args.samples * blocks.per_sample);
  return launch("random_drop", kernel, {.grid = {num_blocks}, .block = {kThreads}}, stream, blocks,
                of_kernel...);
}

constexpr unsigned kPacksOfThread = 4;

/// One draw decides on a sample.
template <unsigned kValues, class T>
__global__ void __launch_bounds__(kThreads)
    drop_samples_kernel(SampleBlocks blocks, DropRule rule, const T* from, T* to) {
  const std::size_t sample = blocks.sample();
  const bool is_kept = (SampleDraws(rule, sample).kept_of_quad(0) & 1u) != 0;
  const std::size_t num_packs = blocks.values / kValues;
  const std::size_t num_threads = std::size_t{blocks.per_sample} * kThreads;
  PackedValues<T, kValues> packs[kPacksOfThread];
  PENSTOCK_UNROLL
  for (unsigned k = 0; k < kPacksOfThread; ++k) {
    const std::size_t pack = blocks.thread() + k * num_threads;
    if (pack < num_packs) {
      packs[k] = load_packed<kValues>(from + sample * blocks.values + pack * kValues);
    }
  }
  PENSTOCK_UNROLL
  for (unsigned k = 0; k < kPacksOfThread; ++k) {
    const std::size_t pack = blocks.thread() + k * num_threads;
    if (pack >= num_packs) continue;
    float values[kValues];
    unpack(packs[k], values);
    for (float& value : values) value = drop(value, is_kept, rule.scale);
    store_packed(to + sample * blocks.values + pack * kValues, values);
  }
}

template <unsigned kValues>
constexpr unsigned kRunValues = kValues < kDraws ? kDraws : kValues;

/// Where the order of values is that of draws: a thread takes a run of whole quads.
template <unsigned kValues, class T>
__global__ void __launch_bounds__(kThreads)
    drop_runs_kernel(SampleBlocks blocks, DropRule rule, const T* from, T* to) {
  constexpr unsigned kRun = kRunValues<kValues>;
  const std::size_t first = blocks.thread() * kRun;
  if (first >= blocks.values) return;
  const SampleDraws draws(rule, blocks.sample());
  unsigned kept = draws.kept_of_quad(first / kDraws);
  if constexpr (kRun == 2 * kDraws) kept |= draws.kept_of_quad(first / kDraws + 1) << kDraws;
  const std::size_t place = blocks.sample() * blocks.values + first;
  PENSTOCK_UNROLL
  for (unsigned begin = 0; begin < kRun; begin += kValues) {
    if (first + begin >= blocks.values) return;
    float values[kValues];
    unpack(load_packed<kValues>(from + place + begin), values);
    PENSTOCK_UNROLL
    for (unsigned i = 0; i < kValues; ++i) {
      values[i] = drop(values[i], (kept >> (begin + i) & 1u) != 0, rule.scale);
    }
    store_packed(to + place + begin, values);
  }
}

/// A thread takes four places of a pack of channels, so that all draws of a quad are its own. Where the places of a
/// channel are no multiple of four, its quads begin elsewhere and each is drawn twice.
template <unsigned kValues, class T>
__global__ void __launch_bounds__(kThreads)
    drop_places_kernel(SampleBlocks blocks, DropRule rule, std::uint32_t places,
                       std::uint32_t channels, const T* from, T* to) {
  static_assert(kValues * kDraws <= 32, "bits of a word");
  const auto thread = static_cast<std::uint32_t>(blocks.thread());
  const std::uint32_t num_packs = channels / kValues;
  const std::uint32_t channel = thread % num_packs * kValues;
  const std::uint32_t first_place = thread / num_packs * kDraws;
  if (first_place >= places) return;
  const unsigned num_places = places - first_place < kDraws ? places - first_place : kDraws;
  const std::size_t first = blocks.sample() * blocks.values + channel;
  PackedValues<T, kValues> packs[kDraws];
  PENSTOCK_UNROLL
  for (unsigned k = 0; k < kDraws; ++k) {
    if (k < num_places) {
      packs[k] = load_packed<kValues>(from + first + std::size_t{first_place + k} * channels);
    }
  }
  const SampleDraws draws(rule, blocks.sample());
  std::uint32_t kept = 0;  // four bits by channel
  PENSTOCK_UNROLL
  for (unsigned i = 0; i < kValues; ++i) {
    const std::size_t element = std::size_t{channel + i} * places + first_place;
    kept |= (draws.kept_from(element, num_places) & 0xFu) << (i * kDraws);
  }
  PENSTOCK_UNROLL
  for (unsigned k = 0; k < kDraws; ++k) {
    if (k >= num_places) continue;
    float values[kValues];
    unpack(packs[k], values);
    PENSTOCK_UNROLL
    for (unsigned i = 0; i < kValues; ++i) {
      values[i] = drop(values[i], (kept >> (i * kDraws + k) & 1u) != 0, rule.scale);
    }
    store_packed(to + first + std::size_t{first_place + k} * channels, values);
  }
}

template <unsigned kValues, class T>
DeviceStatus drop_values(const RandomDrop& args, const DropRule& rule, Stream stream) {
  const auto* const from = static_cast<const T*>(args.from);
  auto* const to = static_cast<T*>(args.to);
  const std::size_t values = args.places * args.channels;
  if (args.drops_samples) {
    const auto blocks = sample_blocks(args, num_blocks_for(values, kPacksOfThread * kValues));
    return launch_drop(args, blocks, drop_samples_kernel<kValues, T>, stream, rule, from, to);
  }
  if (args.places == 1 || args.channels == 1) {
    const auto blocks = sample_blocks(args, num_blocks_for(values, kRunValues<kValues>));
    return launch_drop(args, blocks, drop_runs_kernel<kValues, T>, stream, rule, from, to);
  }
  const std::size_t quads = num_blocks_for(args.places, kDraws);
  const auto blocks = sample_blocks(args, quads * (args.channels / kValues));
  return launch_drop(args, blocks, drop_places_kernel<kValues, T>, stream, rule,
                     static_cast<std::uint32_t>(args.places), args.channels, from, to);
}

}  // namespace

DeviceStatus random_drop(const RandomDrop& args, Stream stream) {
  if (args.samples == 0) return {};
  const DropRule rule{.step = args.step,
                      .node = args.node,
                      .threshold = dropout_threshold(args.rate),
                      .scale = static_cast<float>(1.0 / (1.0 - args.rate))};
  return with_value_type(args.type, [&]<class T>(T) {
    if (has_whole_vectors<T>(args.channels) && are_vector_aligned({args.from, args.to})) {
      return drop_values<kVectorValues<T>, T>(args, rule, stream);
    }
    return drop_values<1, T>(args, rule, stream);
  });
}

}  // namespace penstock::train::cuda
