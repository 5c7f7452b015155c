#include "augment/finish_kernel.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "augment/cache_bypass.h"
#include "augment/element_bits.h"

// As for the kernels that share these vectors.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/finish_kernel.cpp"
#include <hwy/foreach_target.h>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "augment/colour_vectors-inl.h"
#include "augment/element_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

/// One job, block by block: what lies between two steps stays in the first cache.
template <class Element, std::uint32_t kChannels>
class Finisher {
 public:
  HWY_ATTR explicit Finisher(const FinishJob& job)
      : job_(job),
        out_(reinterpret_cast<T*>(job.slot.pixels)),
        num_px_(job.canvas.plane_px()),
        is_interleaved_(kChannels == 3 && job.slot.spec->layout == PixelLayout::kNhwc),
        streams_(is_past_caches(*job.slot.spec) && has_whole_vectors()) {
    const bool is_folded = job.tail.matrix && !job.tail.hue_sixths;
    if (job.tail.matrix) {
      mixes_ = job.tail.matrix->mixes(is_folded ? job.channels : std::array<ChannelScale, 3>{});
      is_diagonal_ = job.tail.matrix->is_diagonal();
    }
    if (!is_folded) scales_ = job.channels;
  }

  HWY_ATTR void run() {
    for (std::size_t begin = 0; begin < num_px_; begin += kBlockPx) {
      if (job_.slot.is_abandoned()) return;
      write_block(begin, std::min(kBlockPx, num_px_ - begin));
    }
    if (streams_) hwy::FlushStream();
  }

 private:
  using T = typename Element::T;
  static constexpr std::size_t kBlockPx = 512;

  // Every block begins on a vector then.
  bool has_whole_vectors() const {
    const std::size_t vector_bytes = hn::Lanes(D()) * sizeof(float);
    const std::size_t line_bytes = is_interleaved_ ? 0 : num_px_ * sizeof(T);
    return (reinterpret_cast<std::uintptr_t>(out_) | line_bytes) % vector_bytes == 0;
  }

  HWY_ATTR void write_block(std::size_t begin, std::size_t count) {
    PlanesIn in{};
    for (std::uint32_t c = 0; c < kChannels; ++c) in.plane[c] = job_.canvas.plane(c).data() + begin;
    if (writes_mixes()) return write_mixes(in, begin, count);
    if (job_.tail.matrix) {
      mix_into<Store::kThroughCaches>(in, coloured(), count);
      in = coloured_in();
    }
    if (kChannels == 3 && job_.tail.hue_sixths) {
      turn_hue_planes(in, coloured(), count, *job_.tail.hue_sixths);
      in = coloured_in();
    }
    convert(in, begin, count);
  }

  /// Whether the mixes are what the slot holds.
  bool writes_mixes() const {
    return std::is_same_v<Element, Float32> && !is_interleaved_ && job_.tail.matrix &&
           !job_.tail.hue_sixths;
  }

  HWY_ATTR void write_mixes(const PlanesIn& in, std::size_t begin, std::size_t count) {
    PlanesOut to{};
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      to.plane[c] = reinterpret_cast<float*>(out_) + c * num_px_ + begin;
    }
    if (streams_) {
      mix_into<Store::kPastCaches>(in, to, count);
    } else {
      mix_into<Store::kThroughCaches>(in, to, count);
    }
  }

  template <Store kStore>
  HWY_ATTR void mix_into(const PlanesIn& in, const PlanesOut& to, std::size_t count) const {
    if (kChannels == 3 && !is_diagonal_) return mix_planes<kStore>(in, to, count, mixes_);
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      mix_plane<kStore>(in.plane[c], to.plane[c], count, mixes_[c].gains[c], mixes_[c]);
    }
  }

  HWY_ATTR void convert(const PlanesIn& in, std::size_t begin, std::size_t count) {
    const bool is_direct = !is_interleaved_ && !streams_;
    const T* lines[kChannels];
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      T* const line = is_direct ? out_ + c * num_px_ + begin : lines_[c];
      convert_line<Element>(in.plane[c], count, scales_[c], line);
      lines[c] = line;
    }
    if (is_interleaved_) {
      T* const to = out_ + begin * kChannels;
      if constexpr (kChannels == 3) interleave(lines, count, streams_ ? pixels_ : to);
      if (streams_) stream_bytes(pixels_, count * kChannels * sizeof(T), to);
    } else if (streams_) {
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        stream_bytes(lines[c], count * sizeof(T), out_ + c * num_px_ + begin);
      }
    }
  }

  PlanesOut coloured() {
    PlanesOut planes{};
    for (std::uint32_t c = 0; c < kChannels; ++c) planes.plane[c] = coloured_[c];
    return planes;
  }
  PlanesIn coloured_in() const {
    PlanesIn planes{};
    for (std::uint32_t c = 0; c < kChannels; ++c) planes.plane[c] = coloured_[c];
    return planes;
  }

  const FinishJob& job_;
  T* const out_;
  const std::size_t num_px_;
  const bool is_interleaved_;
  const bool streams_;  // stores past the caches
  bool is_diagonal_ = true;
  ChannelMixes mixes_{};
  std::array<ChannelScale, 3> scales_{};
  alignas(64) float coloured_[kChannels][kBlockPx];
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
  HWY_DYNAMIC_DISPATCH(finish_of)(job);
}

void finish_pixel_by_pixel(const FinishJob& job) noexcept {
  const BatchSpec& spec = *job.slot.spec;
  const Canvas& canvas = job.canvas;
  const std::size_t num_px = canvas.plane_px();
  const bool is_folded = job.tail.matrix && !job.tail.hue_sixths;
  const std::array<ChannelScale, 3> unit{};
  ChannelMixes mixes{};
  if (job.tail.matrix) mixes = job.tail.matrix->mixes(is_folded ? job.channels : unit);
  const std::array<ChannelScale, 3>& scales = is_folded ? unit : job.channels;
  for (std::size_t i = 0; i < num_px; ++i) {
    std::array<float, 3> values{};
    for (std::uint32_t c = 0; c < canvas.channels; ++c) values[c] = canvas.plane(c)[i];
    if (job.tail.matrix && canvas.channels == 1) {
      values[0] = mix_one(values[0], mixes[0].gains[0], mixes[0]);
    } else if (job.tail.matrix) {
      const std::array<float, 3> before = values;
      for (std::size_t c = 0; c < 3; ++c) values[c] = mix_three(before, mixes[c]);
    }
    if (job.tail.hue_sixths && canvas.channels == 3) {
      values = turn_hue(values, *job.tail.hue_sixths);
    }
    for (std::uint32_t c = 0; c < canvas.channels; ++c) {
      const std::size_t at =
          spec.layout == PixelLayout::kNchw ? c * num_px + i : i * canvas.channels + c;
      write_element(spec.element, values[c] * scales[c].gain + scales[c].bias,
                    job.slot.pixels + at * element_bytes(spec.element));
    }
  }
}

}  // namespace penstock::augment
#endif
