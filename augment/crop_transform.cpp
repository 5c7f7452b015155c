#include "augment/crop_transform.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "augment/colour/colour_matrix.h"
#include "augment/colour/element_fit.h"
#include "augment/planned_sample.h"
#include "augment/sample_pass.h"
#include "augment/warp/turned_positions.h"
#include "streamer/core/crop_record.h"
#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::augment {
namespace {

[[noreturn]] void refuse(const char* field, std::string_view expected, std::string_view found) {
  throw Error(ErrorCode::kUnsupported,
              std::string("augment: ") + field + ": expected " + std::string(expected) +
                  " where a device makes the pixels, found " + std::string(found),
              "--augment-on cpu");
}

/// One kernel takes one pixel or four, and one matrix.
void check_can_be_recorded(const AugmentConfig& config) {
  if (config.interpolation != Interpolation::kBilinear &&
      config.interpolation != Interpolation::kNearest) {
    refuse("interpolation", "bilinear or nearest", interpolation_name(config.interpolation));
  }
  if (config.hue_range > 0) refuse("hue_range", "0", number_text(config.hue_range));
  if (config.auto_augment != AutoAugment::kNone) {
    refuse("auto_augment", "none", auto_augment_name(config.auto_augment));
  }
}

/// A picture of the output's sides, in bytes.
BatchSpec byte_picture(const BatchSpec& spec) noexcept {
  return {.batch = 1,
          .height_px = spec.height_px,
          .width_px = spec.width_px,
          .channels = spec.channels,
          .element = ElementType::kUint8,
          .layout = PixelLayout::kNhwc};
}

std::uint64_t place_bytes(std::uint64_t pixel_bytes) noexcept {
  constexpr std::uint64_t kAlignment = BatchSpec::kCropAlignment;
  return (sizeof(CropRecord) + pixel_bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// Linear steps as one matrix, normalised. Contrast is about the mean of a picture that nobody has sampled yet, so
/// what it adds is told as factors of the three means: the difference that a mean of 1 makes.
void record_colours(const ColourSteps& colours, std::uint32_t channels,
                    const std::array<ChannelScale, 3>& scales, CropRecord& record) noexcept {
  const auto matrix_of = [&](const ColourMatrix::Means& means) {
    ColourMatrix matrix(channels);
    for (const ColourStep& step : colours.steps()) matrix.append(step, means);
    return matrix;
  };
  if (colours.empty()) return;
  record.has_mix = 1;
  const ColourMatrix matrix = matrix_of({});
  const ChannelMixes mixes = matrix.mixes(scales);
  for (std::size_t c = 0; c < mixes.size(); ++c) {
    std::ranges::copy(mixes[c].gains, record.mixes[c].gains);
    record.mixes[c].offset = mixes[c].offset;
    record.mixes[c].lowest = mixes[c].lowest;
    record.mixes[c].highest = mixes[c].highest;
  }
  const bool has_contrast = std::ranges::any_of(colours.steps(), [](const ColourStep& step) {
    return step.kind == ColourStepKind::kContrast;
  });
  if (!has_contrast) return;
  record.needs_means = 1;
  const std::array<double, 3> without = matrix.offsets();
  for (std::size_t mean = 0; mean < channels; ++mean) {
    ColourMatrix::Means means{};
    means[mean] = 1;
    const std::array<double, 3> with = matrix_of(means).offsets();
    for (std::size_t c = 0; c < mixes.size(); ++c) {
      record.mixes[c].of_means[mean] =
          static_cast<float>((with[c] - without[c]) * static_cast<double>(scales[c].gain));
    }
  }
}

/// What becomes of the picture once it is sampled.
CropRecord finishing_record(const AugmentConfig& config, const PlannedSample& planned,
                            std::uint32_t channels) noexcept {
  const std::array<ChannelScale, 3> scales = channel_scales(config);
  CropRecord record;
  record.mark = CropRecord::kPicture;
  record.fill_value = static_cast<float>(config.cval);
  record_colours(planned.colours, channels, scales, record);
  for (std::size_t c = 0; c < scales.size(); ++c) {
    record.gains[c] = scales[c].gain;
    record.biases[c] = scales[c].bias;
  }
  record.erased = planned.erased;
  record.erased_value = static_cast<float>(config.random_erasing_value);
  return record;
}

void record_map(const AffineMap& map, SizePx output, CropRecord& record) noexcept {
  const double entries[6] = {map.xx, map.xy, map.x0, map.yx, map.yy, map.y0};
  std::ranges::copy(entries, record.map);
  if (!has_turned_positions(map, output)) return;
  const TurnedRow row(map, 0);
  record.is_stepped = 1;
  record.x.step = row.columns.step;
  record.y.step = row.rows.step;
}

/// The part of the decoded picture that the plan asked for: a decoder may give more.
RectPx wanted_part(const DecodedView& decoded, const RectPx& source) noexcept {
  const std::uint32_t scale = decoded.decode_scale;
  const auto cut = [scale](std::uint32_t begin, std::uint32_t length, std::uint32_t first,
                           std::uint32_t count) {
    const std::uint64_t end = (std::uint64_t{begin} + length + scale - 1) / scale;
    const std::uint32_t from = std::clamp(begin / scale, first, first + count - 1);
    const auto to = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(end, std::uint64_t{from} + 1, std::uint64_t{first} + count));
    return std::pair{from, to - from};
  };
  const auto [x, width] = cut(source.x, source.width, decoded.region.x, decoded.image.width_px);
  const auto [y, height] = cut(source.y, source.height, decoded.region.y, decoded.image.height_px);
  return {x, y, width, height};
}

void copy_row(const ImageView& image, const std::uint8_t* from, std::uint32_t width_px,
              std::byte* to) noexcept {
  if (image.pixel_stride_bytes == image.channels) {
    std::memcpy(to, from, std::size_t{width_px} * image.channels);
    return;
  }
  for (std::uint32_t x = 0; x < width_px; ++x) {
    std::memcpy(to + std::size_t{x} * image.channels,
                from + std::size_t{x} * image.pixel_stride_bytes, image.channels);
  }
}

/// `part` counts in pixels of the whole picture as decoded.
void copy_part(const DecodedView& decoded, const RectPx& part, const SampleSlot& slot) noexcept {
  const ImageView& image = decoded.image;
  const std::size_t row_bytes = std::size_t{part.width} * image.channels;
  std::byte* to = slot.pixels + sizeof(CropRecord);
  for (std::uint32_t y = 0; y < part.height && !slot.is_abandoned(); ++y, to += row_bytes) {
    const std::uint8_t* const from =
        image.row(part.y - decoded.region.y + y) +
        std::size_t{part.x - decoded.region.x} * image.pixel_stride_bytes;
    copy_row(image, from, part.width, to);
  }
}

/// A decoded picture and how the output lies in it.
struct MappedPicture {
  const DecodedView& decoded;
  AffineMap map;  // output pixels -> pixels of the whole picture as decoded
  SizePx stored;  // sides of the whole at full resolution
};

void record_crop(const MappedPicture& picture, const RectPx& part, const AugmentConfig& config,
                 const BatchSpec& spec, CropRecord& record) noexcept {
  const SizePx whole = decoded_size(picture.stored, picture.decoded.decode_scale);
  const double scale = picture.decoded.decode_scale;
  record.channels = picture.decoded.image.channels;
  record.fill = static_cast<CropFill>(config.fill_mode);
  record.is_nearest = config.interpolation == Interpolation::kNearest ? 1 : 0;
  record.x = {.extent = picture.stored.width / scale,
              .last = static_cast<double>(whole.width) - 1,
              .begin = part.x,
              .length = part.width};
  record.y = {.extent = picture.stored.height / scale,
              .last = static_cast<double>(whole.height) - 1,
              .begin = part.y,
              .length = part.height};
  record_map(picture.map, {spec.width_px, spec.height_px}, record);
}

/// The crop is the output's picture: its map is the identity.
void record_sampled(const BatchSpec& spec, CropRecord& record) noexcept {
  const auto whole_axis = [](std::uint32_t length_px) {
    return CropAxis{.extent = static_cast<double>(length_px),
                    .last = static_cast<double>(length_px) - 1,
                    .length = length_px};
  };
  record.channels = spec.channels;
  record.x = whole_axis(spec.width_px);
  record.y = whole_axis(spec.height_px);
}

void sample_picture(const MappedPicture& picture, const AugmentConfig& config,
                    std::span<std::byte> scratch, const SampleSlot& slot) noexcept {
  const BatchSpec bytes = byte_picture(*slot.spec);
  ChannelScale pixels;
  pixels.fill = static_cast<float>(config.cval);
  fill_slot({.warp = {.decoded = picture.decoded,
                      .map = picture.map,
                      .stored = picture.stored,
                      .fill_mode = config.fill_mode,
                      .interpolation = config.interpolation,
                      .channels = {pixels, pixels, pixels},
                      .slot = {.spec = &bytes,
                               .pixels = slot.pixels + sizeof(CropRecord),
                               .stop = slot.stop}}},
            scratch);
}

}  // namespace

CropTransform::CropTransform(AugmentConfig config) : finished_(config) {}

std::uint32_t CropTransform::crop_bytes(const SampleInfo& info,
                                        const BatchSpec& spec) const noexcept {
  const SizePx decoded =
      decoded_size({info.width_px, info.height_px}, finest_decode_scale(info, spec));
  const std::uint64_t output_bytes = byte_picture(spec).sample_bytes();
  const std::uint64_t picture_bytes = std::uint64_t{decoded.width} * decoded.height * spec.channels;
  return static_cast<std::uint32_t>(
      place_bytes(std::clamp(picture_bytes, output_bytes, kMostOutputs * output_bytes)));
}

void CropTransform::accept(const BatchSpec& spec) const {
  spec.validate();
  check_can_be_recorded(config());
  const std::uint64_t fewest_bytes = place_bytes(byte_picture(spec).sample_bytes());
  if (spec.crop_bytes < fewest_bytes) {
    refuse_setting({"batch", "crop_bytes",
                    "at least " + std::to_string(fewest_bytes) + ", a picture of the batch",
                    std::to_string(spec.crop_bytes), "CropTransform::crop_bytes()"});
  }
  if (spec.element == ElementType::kUint8 || spec.layout != PixelLayout::kNhwc) {
    refuse_setting({"batch",
                    spec.layout != PixelLayout::kNhwc ? "layout" : "element",
                    "floats in NHWC, which crops become",
                    "another",
                    {}});
  }
  check_element_fits(config(), spec);
}

SamplePlan CropTransform::plan(const SampleInfo& info, const BatchSpec& spec,
                               const Draws& draws) const noexcept {
  const PlannedSample planned = plan_sample(config(), info, spec, draws);
  SamplePlan plan = decode_plan(config(), planned, info, spec);
  plan.scratch_bytes = worst_case_scratch_bytes(spec);
  plan.store(planned);
  return plan;
}

void CropTransform::apply(const DecodedView& decoded, const SamplePlan& plan,
                          std::span<std::byte> scratch, const SampleSlot& slot) const noexcept {
  const auto planned = plan.load<PlannedSample>();
  const BatchSpec& spec = *slot.spec;
  const AffineMap map = compose(planned.map, decode_scale_map(decoded.decode_scale));
  CropRecord record = finishing_record(config(), planned, spec.channels);
  const RectPx part = wanted_part(decoded, plan.source_region);
  const std::uint64_t part_bytes = std::uint64_t{part.width} * part.height * decoded.image.channels;
  if (part_bytes <= spec.crop_bytes - sizeof(CropRecord)) {
    record_crop({decoded, map, planned.stored}, part, config(), spec, record);
    copy_part(decoded, part, slot);
  } else {
    record_sampled(spec, record);
    sample_picture({decoded, map, planned.stored}, config(), scratch, slot);
  }
  std::memcpy(slot.pixels, &record, sizeof(record));
}

std::uint32_t CropTransform::finest_decode_scale(const SampleInfo& info,
                                                 const BatchSpec& spec) const noexcept {
  return finished_.finest_decode_scale(info, spec);
}

std::size_t CropTransform::worst_case_scratch_bytes(const BatchSpec& spec) const noexcept {
  return sample_scratch_bytes(byte_picture(spec), config().interpolation, {});
}

bool CropTransform::takes_sample_draws() const noexcept {
  return finished_.takes_sample_draws();
}

std::string CropTransform::identity() const {
  return finished_.identity();  // the values are the same: a loader may go on with either
}

}  // namespace penstock::augment
