// How one decoded picture becomes one place of a batch. Two phases: the plan is made before the
// sample is read, so that no more is decoded than the plan needs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <type_traits>

#include "streamer/core/batch.h"
#include "streamer/core/draws.h"
#include "streamer/core/image_view.h"

namespace penstock {

/// What is known of a sample before it is read.
struct SampleInfo {
  std::uint64_t sample_id = 0;
  std::uint32_t width_px = 0;   // as stored, before orientation
  std::uint32_t height_px = 0;  // as stored, before orientation
  std::uint32_t class_idx = kUnlabelled;
  std::uint8_t orientation = 1;  // EXIF, 1 to 8
  /// Largest decode scale that its codec offers: 8 for JPEG, 1 where only full size can be had.
  std::uint8_t max_decode_scale = 8;
};

/// What a transform decided for one sample.
struct SamplePlan {
  /// Part of the stored picture that will be sampled, in stored full-resolution pixels.
  RectPx source_region;
  /// Denominator of the decode scale: 1, 2, 4 or 8.
  std::uint32_t decode_scale = 1;
  /// Bytes of scratch that apply() needs.
  std::size_t scratch_bytes = 0;
  /// The transform's own, a trivially copyable value written with store().
  alignas(8) std::array<std::byte, 192> opaque{};

  template <class T>
  void store(const T& value) noexcept {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(opaque));
    __builtin_memcpy(opaque.data(), &value, sizeof value);
  }
  template <class T>
  T load() const noexcept {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(opaque));
    T value;
    __builtin_memcpy(&value, opaque.data(), sizeof value);
    return value;
  }
};
static_assert(std::is_trivially_copyable_v<SamplePlan>);

/// A decoded picture, or the part of it that was asked for.
struct DecodedView {
  ImageView image;
  /// Where image lies in the whole picture at decode scale: full size divided by the scale,
  /// rounded up, as libjpeg does.
  RectPx region;
  std::uint32_t decode_scale = 1;
};

/// One place of a batch, to be written in full.
///
/// Shapes  NCHW: plane c starts at pixels + c * channel_stride elements; NHWC: channels are
///         interleaved. Strides follow from the spec.
struct SampleSlot {
  const BatchSpec* spec = nullptr;
  std::byte* pixels =
      nullptr;  // spec->sample_bytes() bytes; of a crop, as many as it has are written
  /// Requested when nobody will look at the place any more; null: somebody will.
  const std::stop_token* stop = nullptr;

  /// Whether apply() may return early, whatever it has written. A look costs a few nanoseconds: one
  /// every row of pixels lets a stop end a large output.
  bool is_abandoned() const noexcept { return stop != nullptr && stop->stop_requested(); }
};

/// Turns decoded pictures into places of a batch.
///
/// Threads  plan() and apply() are called from many threads at once
/// Purity   both are pure functions of their arguments and of the settings: no clock, no state
class SampleTransform {
 public:
  virtual ~SampleTransform() = default;

  /// Throws Unsupported or InvalidArgument when this transform cannot fill such batches.
  virtual void accept(const BatchSpec& spec) const = 0;

  virtual SamplePlan plan(const SampleInfo& info, const BatchSpec& spec,
                          const Draws& draws) const noexcept = 0;

  virtual void apply(const DecodedView& decoded, const SamplePlan& plan,
                     std::span<std::byte> scratch, const SampleSlot& slot) const noexcept = 0;

  /// The finest (smallest) decode scale that any draw may ask for such a picture: the memory plan
  /// prices a dataset with it.
  virtual std::uint32_t finest_decode_scale(const SampleInfo& info,
                                            const BatchSpec& spec) const noexcept = 0;

  /// Bytes of scratch that no plan for this spec exceeds.
  virtual std::size_t worst_case_scratch_bytes(const BatchSpec& spec) const noexcept = 0;

  /// Whether it takes draws of DrawPurpose::kSample, the engine's own, which two transforms of a chain
  /// cannot share. A user's take user_purpose() instead (draws.h).
  virtual bool takes_sample_draws() const noexcept { return false; }

  /// Whether it writes crops where BatchSpec::crop_bytes asks for them. A loader refuses it otherwise.
  virtual bool writes_crops() const noexcept { return false; }

  /// All settings that affect bytes, one `key=value` per line in fixed order: part of the run's
  /// identity.
  virtual std::string identity() const = 0;
};

}  // namespace penstock
