#include "augment/colour/finish_kernel.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "augment/element_bits.h"
#include "augment/simd_target.h"
#include "augment/warp/cache_bypass.h"

// As for the kernels that share these vectors.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/colour/finish_kernel.cpp"
#include <hwy/foreach_target.h>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "augment/colour/finish_vectors-inl.h"
#include "augment/colour/pixel_sinks-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

/// One job, block by block: what lies between two steps stays in the first cache.
template <class Element, std::uint32_t kChannels>
class Finisher {
 public:
  HWY_ATTR explicit Finisher(const FinishJob& job)
      : job_(job),
        colours_(job.tail, job.channels),
        out_(reinterpret_cast<T*>(job.slot.pixels)),
        num_px_(job.canvas.plane_px()),
        is_interleaved_(kChannels == 3 && job.slot.spec->layout == PixelLayout::kNhwc),
        streams_(is_past_caches(*job.slot.spec) && has_whole_vectors()) {}

  HWY_ATTR void run() {
    for (std::size_t begin = 0; begin < num_px_; begin += kBlockPx) {
      if (job_.slot.is_abandoned()) return;
      const std::size_t count = std::min(kBlockPx, num_px_ - begin);
      if (is_interleaved_) {
        write_pixels(begin, count);
      } else {
        write_lines(begin, count);
      }
    }
    if (streams_) hwy::FlushStream();
  }

 private:
  using T = typename Element::T;
  static constexpr bool kIsFloat32 = std::is_same_v<Element, Float32>;
  static constexpr std::size_t kBlockPx = 512;

  // Every block begins on a vector then.
  bool has_whole_vectors() const {
    const std::size_t vector_bytes = hn::Lanes(D()) * sizeof(float);
    const std::size_t line_bytes = is_interleaved_ ? 0 : num_px_ * sizeof(T);
    return (reinterpret_cast<std::uintptr_t>(out_) | line_bytes) % vector_bytes == 0;
  }

  template <class Sink>
  HWY_ATTR void finish_block(std::size_t begin, std::size_t count, const Sink& sink) const {
    const Canvas& canvas = job_.canvas;
    const float* const first = canvas.values + begin;
    if constexpr (kChannels == 1) {
      finish_gray_into(first, count, colours_, sink);
    } else if (const std::int16_t* const fixed = job_.fixed.values; fixed != nullptr) {
      const std::int16_t* const red = fixed + begin;
      const ConstFixedLines lines = {{red, red + num_px_, red + 2 * num_px_}};
      finish_fixed_into(lines, count, colours_, sink);
    } else {
      finish_into({first, first + num_px_, first + 2 * num_px_}, count, colours_, sink);
    }
  }

  HWY_ATTR void write_lines(std::size_t begin, std::size_t count) {
    LineSink<Element> slot{};
    for (std::uint32_t c = 0; c < kChannels; ++c) slot.line[c] = out_ + c * num_px_ + begin;
    if (!streams_) return finish_block(begin, count, slot);
    if constexpr (kIsFloat32) return finish_block(begin, count, StreamedLineSink{slot});
    finish_block(begin, count, own_lines());
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      stream_bytes(lines_[c], count * sizeof(T), slot.line[c]);
    }
  }

  HWY_ATTR void write_pixels(std::size_t begin, std::size_t count) {
    if constexpr (kChannels == 3) {
      T* const to = out_ + begin * kChannels;
      T* const pixels = streams_ ? pixels_ : to;
      if constexpr (kIsFloat32 && kStreamsPixels) {
        if (streams_) return finish_block(begin, count, StreamedPixelSink{{to}});
      }
      if constexpr (kIsFloat32) {
        finish_block(begin, count, PixelSink{pixels});
      } else {
        finish_block(begin, count, own_lines());
        const T* const lines[3] = {lines_[0], lines_[1], lines_[2]};
        interleave(lines, count, pixels);
      }
      if (streams_) stream_bytes(pixels_, count * kChannels * sizeof(T), to);
    }
  }

  LineSink<Element> own_lines() {
    LineSink<Element> sink{};
    for (std::uint32_t c = 0; c < kChannels; ++c) sink.line[c] = lines_[c];
    return sink;
  }

  const FinishJob& job_;
  const PixelColours colours_;
  T* const out_;
  const std::size_t num_px_;
  const bool is_interleaved_;
  const bool streams_;  // stores past the caches
  alignas(64) T lines_[kChannels][kBlockPx];
  alignas(64) T pixels_[kChannels * kBlockPx];
};

template <class Element>
HWY_ATTR void finish_as(const FinishJob& job) {
  if (job.canvas.channels == 1) {
    Finisher<Element, 1>(job).run();
  } else {
    Finisher<Element, 3>(job).run();
  }
}

HWY_ATTR void finish_of(const FinishJob& job) {
  switch (job.slot.spec->element) {
    case ElementType::kUint8:
      return finish_as<Uint8>(job);
    case ElementType::kFloat16:
      return finish_as<Float16>(job);
    case ElementType::kBfloat16:
      return finish_as<Bfloat16>(job);
    case ElementType::kFloat32:
      return finish_as<Float32>(job);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {

HWY_EXPORT(finish_of);

void finish(const FinishJob& job) noexcept {
  if (is_scalar_forced()) return finish_pixel_by_pixel(job);
  HWY_DYNAMIC_DISPATCH(finish_of)(job);
}

void finish_pixel_by_pixel(const FinishJob& job) noexcept {
  const BatchSpec& spec = *job.slot.spec;
  const Canvas& canvas = job.canvas;
  const std::size_t num_px = canvas.plane_px();
  const PixelColours colours(job.tail, job.channels);
  const std::int16_t* const fixed = job.fixed.values;
  for (std::size_t i = 0; i < num_px; ++i) {
    std::array<float, 3> values{};
    if (fixed != nullptr) {
      values = finished_fixed_pixel({fixed[i], fixed[num_px + i], fixed[2 * num_px + i]}, colours);
    } else if (canvas.channels == 1) {
      values[0] = finished_gray(canvas.plane(0)[i], colours);
    } else {
      values =
          finished_pixel({canvas.plane(0)[i], canvas.plane(1)[i], canvas.plane(2)[i]}, colours);
    }
    for (std::uint32_t c = 0; c < canvas.channels; ++c) {
      const std::size_t at =
          spec.layout == PixelLayout::kNchw ? c * num_px + i : i * canvas.channels + c;
      write_element(spec.element, values[c], job.slot.pixels + at * element_bytes(spec.element));
    }
  }
}

}  // namespace penstock::augment
#endif
