#include "train/backend/cuda/kernels/input_kernels.h"

#include <type_traits>

#include "train/backend/cuda/kernels/launch.h"
#include "train/backend/cuda/kernels/packed_values.h"

namespace penstock::train::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kPixelChannels = 3;   // of the kernel for pictures
constexpr unsigned kStoredChannels = 4;  // likewise

constexpr unsigned kMostChannels = 4;

/// By value: they lie where all threads read them at once.
struct PixelFactors {
  float gain[kMostChannels];
  float offset[kMostChannels];
};

__device__ float pixel_value(std::uint8_t pixel) {
  return static_cast<float>(pixel);
}
template <class Pixel>
__device__ float pixel_value(Pixel pixel) {
  return to_float(pixel);
}

template <class T>
constexpr unsigned kPlacesAtOnce = kVectorValues<T> / kStoredChannels;

/// As much as one store of T takes.
template <class Pixel, class T>
struct PixelRun {
  Pixel pixels[kPlacesAtOnce<T> * kPixelChannels];
};

template <class Pixel, class T>
__device__ PixelRun<Pixel, T> load_run(const Pixel* pixels, std::size_t first_place) {
  PixelRun<Pixel, T> run;
  const Pixel* const from = pixels + first_place * kPixelChannels;
  if constexpr (std::is_same_v<Pixel, std::uint8_t> && kPlacesAtOnce<T> == 2) {
    // 6 bytes begin at an even place: three loads of two.
    const auto* const pairs = reinterpret_cast<const std::uint16_t*>(from);
    PENSTOCK_UNROLL
    for (unsigned i = 0; i < kPixelChannels; ++i) {
      const std::uint16_t pair = pairs[i];
      run.pixels[2 * i] = static_cast<std::uint8_t>(pair & 0xFFu);
      run.pixels[2 * i + 1] = static_cast<std::uint8_t>(pair >> 8);
    }
  } else {
    PENSTOCK_UNROLL
    for (unsigned i = 0; i < kPlacesAtOnce<T> * kPixelChannels; ++i) run.pixels[i] = from[i];
  }
  return run;
}

template <class Pixel, class T>
__device__ void store_run(const PixelRun<Pixel, T>& run, const PixelFactors& factors, T* to) {
  float values[kVectorValues<T>];
  PENSTOCK_UNROLL
  for (unsigned place = 0; place < kPlacesAtOnce<T>; ++place) {
    PENSTOCK_UNROLL
    for (unsigned c = 0; c < kPixelChannels; ++c) {
      const float pixel = pixel_value(run.pixels[place * kPixelChannels + c]);
      values[place * kStoredChannels + c] = factors.gain[c] * pixel + factors.offset[c];
    }
    values[place * kStoredChannels + kPixelChannels] = 0.0f;
  }
  store_packed(to, values);
}

/// One place, in any number of channels.
template <class Pixel, class T>
__device__ void convert_place(const Pixel* from, unsigned channels, unsigned stored_channels,
                              const PixelFactors& factors, T* to) {
  PENSTOCK_UNROLL
  for (unsigned c = 0; c < kMostChannels; ++c) {
    if (c < channels) {
      to[c] = from_float<T>(factors.gain[c] * pixel_value(from[c]) + factors.offset[c]);
    }
  }
  for (unsigned c = channels; c < stored_channels; ++c) to[c] = from_float<T>(0.0f);
}

constexpr unsigned kRunsOfThread = 4;

/// 3 channels to 4. A thread stores 16 bytes at once, beside those of the next thread, and its loads touch the
/// bytes between its neighbours' loads: a warp reads and writes whole lines.
template <class Pixel, class T>
__global__ void __launch_bounds__(kThreads)
    picture_kernel(std::size_t num_places, PixelFactors factors, const Pixel* pixels, T* values) {
  constexpr unsigned kPlaces = kPlacesAtOnce<T>;
  const std::size_t num_runs = num_places / kPlaces;
  const std::size_t first_run = std::size_t{blockIdx.x} * (kThreads * kRunsOfThread) + threadIdx.x;
  PixelRun<Pixel, T> runs[kRunsOfThread];
  PENSTOCK_UNROLL
  for (unsigned k = 0; k < kRunsOfThread; ++k) {
    const std::size_t run = first_run + k * kThreads;
    if (run < num_runs) runs[k] = load_run<Pixel, T>(pixels, run * kPlaces);
  }
  PENSTOCK_UNROLL
  for (unsigned k = 0; k < kRunsOfThread; ++k) {
    const std::size_t run = first_run + k * kThreads;
    if (run < num_runs) store_run(runs[k], factors, values + run * kVectorValues<T>);
  }
  if (kPlaces > 1 && first_run == 0 && num_places % kPlaces != 0) {
    const std::size_t last = num_places - 1;
    convert_place(pixels + last * kPixelChannels, kPixelChannels, kStoredChannels, factors,
                  values + last * kStoredChannels);
  }
}

template <class Pixel, class T>
__global__ void __launch_bounds__(kThreads)
    place_kernel(std::size_t num_places, unsigned channels, unsigned stored_channels,
                 PixelFactors factors, const Pixel* pixels, T* values) {
  const std::size_t place = std::size_t{blockIdx.x} * kThreads + threadIdx.x;
  if (place >= num_places) return;
  convert_place(pixels + place * channels, channels, stored_channels, factors,
                values + place * stored_channels);
}

/// Calls use(Pixel{}).
template <class Use>
DeviceStatus with_pixel_type(PixelType type, Use&& use) {
  switch (type) {
    case PixelType::kUint8:
      return use(std::uint8_t{});
    case PixelType::kFloat16:
      return use(__half{});
    case PixelType::kBfloat16:
      return use(__nv_bfloat16{});
    case PixelType::kFloat32:
      break;
  }
  return use(float{});
}

template <class Pixel, class T>
DeviceStatus convert_pixels(const InputPixels& args, Stream stream) {
  PixelFactors factors{};
  for (unsigned c = 0; c < args.channels; ++c) {
    factors.gain[c] = args.gain[c];
    factors.offset[c] = args.offset[c];
  }
  const auto* const pixels = static_cast<const Pixel*>(args.pixels);
  auto* const values = static_cast<T*>(args.values);
  // Pairs of bytes are read at once, and a batch may begin anywhere.
  const bool is_even = reinterpret_cast<std::uintptr_t>(pixels) % 2 == 0;
  if (args.channels == kPixelChannels && args.stored_channels == kStoredChannels && is_even &&
      are_vector_aligned({values})) {
    const std::size_t num_blocks =
        num_blocks_for(args.num_places, kThreads * kRunsOfThread * kPlacesAtOnce<T>);
    return launch("input_pixels", picture_kernel<Pixel, T>,
                  {.grid = {static_cast<unsigned>(num_blocks)}, .block = {kThreads}}, stream,
                  args.num_places, factors, pixels, values);
  }
  const std::size_t num_blocks = num_blocks_for(args.num_places, kThreads);
  return launch("input_pixels", place_kernel<Pixel, T>,
                {.grid = {static_cast<unsigned>(num_blocks)}, .block = {kThreads}}, stream,
                args.num_places, args.channels, args.stored_channels, factors, pixels, values);
}

}  // namespace

DeviceStatus input_pixels(const InputPixels& args, Stream stream) {
  if (args.num_places == 0) return {};
  return with_pixel_type(args.pixel_type, [&]<class Pixel>(Pixel) {
    return with_value_type(args.value_type,
                           [&]<class T>(T) { return convert_pixels<Pixel, T>(args, stream); });
  });
}

}  // namespace penstock::train::cuda
