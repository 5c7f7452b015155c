#include "tests/augment/fuzz/sample_trial.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "augment/augment_draws.h"
#include "augment/augment_transform.h"
#include "augment/sampling_plan.h"
#include "augment/simd_target.h"
#include "streamer/core/error.h"
#include "tests/augment/fuzz/random_settings.h"
#include "tests/augment/fuzz/twin_comparison.h"
#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

std::uint32_t whole_between(std::uint32_t lo, std::uint32_t hi, std::mt19937_64& random) {
  return lo + static_cast<std::uint32_t>(random() % (hi - lo + 1));
}

/// Photographs in small, thin ones up to the longest side that JPEG has, and single pixels.
SizePx random_stored_size(std::mt19937_64& random) {
  const auto between = [&](std::uint32_t lo, std::uint32_t hi) {
    return whole_between(lo, hi, random);
  };
  switch (random() % 12) {
    case 0: {
      const std::uint32_t length = random() % 4 == 0 ? 65'500 : between(1, 65'500);
      const std::uint32_t other = between(1, 4);
      return random() % 2 == 0 ? SizePx{length, other} : SizePx{other, length};
    }
    case 1:
      return {between(1, 3), between(1, 3)};
    case 2:
      return {between(1, 600), between(1, 600)};
    default:
      return {between(1, 160), between(1, 160)};
  }
}

std::uint32_t random_output_side(std::uint32_t most_px, std::mt19937_64& random) {
  if (random() % 8 == 0) return 1;
  if (random() % 4 == 0) return whole_between(1, 17, random);
  return whole_between(1, most_px, random);
}

/// What uint8 and float16 batches refuse becomes what they take.
void make_settings_fit(SampleTrial& trial) {
  if (trial.spec.element == ElementType::kUint8) {
    trial.config.mean = {};
    trial.config.std = {1, 1, 1};
    trial.config.random_erasing_value = std::clamp(trial.config.random_erasing_value, 0.0, 255.0);
  }
  try {
    AugmentTransform(trial.config).accept(trial.spec);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument ||
        trial.spec.element != ElementType::kFloat16) {
      throw TrialFailure(std::string("valid settings are refused: ") + error.what());
    }
    trial.spec.element = ElementType::kBfloat16;
  }
}

/// Noise, of which some has few levels or only one, so that ties and flat places occur.
TestPicture random_picture(SizePx size, std::uint32_t channels, std::mt19937_64& random) {
  TestPicture picture{{}, size, channels};
  picture.bytes.resize(std::size_t{size.width} * size.height * channels);
  const std::uint64_t kept = random() % 4 == 0 ? 0xC0C0C0C0C0C0C0C0u : ~std::uint64_t{0};
  const std::uint64_t flat = random() % 16 == 0 ? random() : 0;
  for (std::size_t i = 0; i < picture.bytes.size(); i += 8) {
    const std::uint64_t bytes = flat != 0 ? flat : random() & kept;
    std::memcpy(&picture.bytes[i], &bytes, std::min<std::size_t>(8, picture.bytes.size() - i));
  }
  return picture;
}

/// The decoded pixels of a region: those that its pixels at full resolution lie in.
RectPx decoded_region(const RectPx& region, std::uint32_t scale) {
  const auto end = [scale](std::uint32_t begin, std::uint32_t length) {
    return (begin + length + scale - 1) / scale;
  };
  const std::uint32_t x = region.x / scale;
  const std::uint32_t y = region.y / scale;
  return {x, y, end(region.x, region.width) - x, end(region.y, region.height) - y};
}

/// Copies a region to where a read of one byte beside it ends the program. Sometimes with bytes of nobody
/// behind rows or pixels.
DecodedView guarded_region(const TestPicture& whole, const RectPx& region, std::uint32_t scale,
                           GuardedMemory& memory, std::mt19937_64& random) {
  const std::uint32_t pixel_stride = whole.channels == 3 && random() % 8 == 0 ? 4 : whole.channels;
  const std::size_t row_bytes = std::size_t{region.width} * pixel_stride;
  const std::size_t stride = row_bytes + (random() % 4 == 0 ? random() % 40 : 0);
  const std::size_t num_bytes = stride * (region.height - 1) + row_bytes;
  const GuardedEnd end = random() % 3 == 0 ? GuardedEnd::kFront : GuardedEnd::kBack;
  std::byte* const pixels = memory.place(num_bytes, end, static_cast<std::byte>(random())).data();
  for (std::uint32_t y = 0; y < region.height; ++y) {
    for (std::uint32_t x = 0; x < region.width; ++x) {
      std::memcpy(pixels + y * stride + std::size_t{x} * pixel_stride,
                  whole.view().row(region.y + y) + std::size_t{region.x + x} * whole.channels,
                  whole.channels);
    }
  }
  return {{reinterpret_cast<const std::uint8_t*>(pixels), region.width, region.height,
           whole.channels, pixel_stride, stride},
          region,
          scale};
}

/// Gives the choice back.
struct ForcedTarget {
  explicit ForcedTarget(std::string_view name) { force_simd_target(name); }
  ForcedTarget(const ForcedTarget&) = delete;
  ForcedTarget& operator=(const ForcedTarget&) = delete;
  ~ForcedTarget() { force_simd_target("auto"); }
};

/// A machine's vector units and the pixel-by-pixel way.
const std::vector<std::string>& target_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> supported;
    for (const SimdTarget& target : simd_targets()) {
      if (target.is_supported) supported.push_back(target.name);
    }
    return supported;
  }();
  return names;
}

void check_plan(const SampleTrial& trial, const AugmentTransform& transform,
                const SamplePlan& plan) {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw TrialFailure(what);
  };
  const std::uint32_t scale = plan.decode_scale;
  require(scale == 1 || scale == 2 || scale == 4 || scale == 8, "no decode scale");
  require(scale <= trial.info.max_decode_scale, "a decode scale that the codec has not");
  require(scale >= transform.finest_decode_scale(trial.info, trial.spec),
          "a finer decode scale than the finest");
  require(plan.scratch_bytes <= transform.worst_case_scratch_bytes(trial.spec),
          "more scratch than the worst case");
  const RectPx& region = plan.source_region;
  require(region.width > 0 && region.height > 0 &&
              std::uint64_t{region.x} + region.width <= trial.info.width_px &&
              std::uint64_t{region.y} + region.height <= trial.info.height_px,
          "a region that is not within the picture");
}

std::string view_text(const DecodedView& decoded) {
  std::ostringstream text;
  text << "region " << decoded.region.x << ", " << decoded.region.y << ", " << decoded.region.width
       << " x " << decoded.region.height << " at scale 1/" << decoded.decode_scale
       << ", pixel stride " << decoded.image.pixel_stride_bytes << ", row stride "
       << decoded.image.row_stride_bytes;
  return text.str();
}

std::string first_difference(const std::vector<std::byte>& a, const std::vector<std::byte>& b) {
  const auto at = std::ranges::mismatch(a, b).in1 - a.begin();
  std::ostringstream text;
  text << "byte " << at << " of " << a.size();
  return text.str();
}

}  // namespace

SampleTrial draw_sample_trial(std::mt19937_64& random) {
  SampleTrial trial;
  trial.config = random_settings(random);
  // Now and then large enough for a canvas that no other scratch has room for.
  const std::uint32_t most_px = random() % 16 == 0 ? 300 : 48;
  trial.spec = {.batch = 1 + static_cast<std::uint32_t>(random() % 2),
                .height_px = random_output_side(most_px, random),
                .width_px = random_output_side(most_px, random),
                .channels = random() % 3 == 0 ? 1u : 3u,
                .element = static_cast<ElementType>(random() % 4),
                .layout = random() % 2 == 0 ? PixelLayout::kNchw : PixelLayout::kNhwc};
  const SizePx stored = random_stored_size(random);
  trial.info = {.width_px = stored.width,
                .height_px = stored.height,
                .orientation = static_cast<std::uint8_t>(1 + random() % 8),
                .max_decode_scale = static_cast<std::uint8_t>(random() % 3 == 0 ? 1 : 8)};
  trial.picture_channels = random() % 5 == 0 ? 1 : trial.spec.channels;
  trial.place = {
      .seed = random(), .epoch = whole_between(0, 9, random), .position = random() % 100'000};
  make_settings_fit(trial);
  // Slow ways look at every pixel that a filter covers, for every pixel of the output.
  while (num_looks(trial) > 1e7) {
    trial.spec.width_px = (trial.spec.width_px + 1) / 2;
    trial.spec.height_px = (trial.spec.height_px + 1) / 2;
  }
  return trial;
}

void SampleTrials::run(const SampleTrial& trial, std::mt19937_64& random) {
  ++tally_.num_trials;
  const AugmentTransform transform(trial.config);
  const Draws draws(trial.place);
  const SamplePlan plan = transform.plan(trial.info, trial.spec, draws);
  check_plan(trial, transform, plan);
  const SizePx whole_size =
      decoded_size({trial.info.width_px, trial.info.height_px}, plan.decode_scale);
  const TestPicture whole = random_picture(whole_size, trial.picture_channels, random);
  const DecodedView part =
      guarded_region(whole, decoded_region(plan.source_region, plan.decode_scale),
                     plan.decode_scale, picture_, random);

  const auto run_on = [&](const std::string& name, const AugmentTransform& with,
                          const DecodedView& decoded) {
    const ForcedTarget forced(name);
    const auto garbage = [&] { return static_cast<std::byte>(random()); };
    const auto end = [&] { return random() % 2 == 0 ? GuardedEnd::kFront : GuardedEnd::kBack; };
    const std::size_t alignment = random() % 2 == 0 ? 1 : 64;
    const auto scratch = scratch_.place(plan.scratch_bytes, end(), garbage(), alignment);
    const auto slot =
        slot_.place(trial.spec.sample_bytes(), end(), garbage(), element_bytes(trial.spec.element));
    with.apply(decoded, plan, scratch, {&trial.spec, slot.data()});
    return std::vector<std::byte>(slot.begin(), slot.end());
  };

  // The slot held other bytes each time: what is not written differs.
  const std::vector<std::byte> expected =
      run_on("scalar", transform, whole.decoded(plan.decode_scale));
  const std::string names[] = {"auto", target_names()[random() % target_names().size()]};
  for (const std::string& name : names) {
    const std::vector<std::byte> found = run_on(name, transform, part);
    if (found == expected) continue;
    const bool is_region = run_on(name, transform, whole.decoded(plan.decode_scale)) == expected;
    throw TrialFailure(name + " differs from scalar" +
                       (is_region ? ", with the region asked for, " : ", ") + "from " +
                       first_difference(expected, found) + " on; " + view_text(part));
  }
  compare_with_twin(trial, plan.decode_scale, whole, expected, tally_);

  // Settings of one identity are one run: they must give the same bytes.
  const AugmentTransform changed(with_one_field_changed(trial.config, random));
  if (changed.identity() != transform.identity()) return;
  const SamplePlan other = changed.plan(trial.info, trial.spec, draws);
  std::vector<std::byte> scratch(other.scratch_bytes);
  std::vector<std::byte> slot(trial.spec.sample_bytes());
  try {
    changed.accept(trial.spec);
  } catch (const Error&) {
    return;
  }
  const TestPicture again{whole.bytes, whole.size, whole.channels};
  if (other.decode_scale != plan.decode_scale) {
    throw TrialFailure("settings of one identity ask for other scales");
  }
  changed.apply(again.decoded(plan.decode_scale), other, scratch, {&trial.spec, slot.data()});
  if (slot != expected) {
    throw TrialFailure("settings of one identity give other bytes, from " +
                       first_difference(expected, slot) + " on:\n" + changed.identity());
  }
}

}  // namespace penstock::augment
