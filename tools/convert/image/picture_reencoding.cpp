#include "tools/convert/image/picture_reencoding.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/jpeg_fault.h"
#include "tools/convert/image/luma_row.h"
#include "tools/convert/image/picture_bytes_writer.h"
#include "tools/convert/image/row_resizer.h"

namespace penstock::convert {
namespace {

/// What a picture is, and what becomes of it.
struct Recipe {
  SidesPx from;
  std::uint32_t from_channels = 3;
  PictureForm form;

  bool is_resized() const { return form.writing.sides != from; }
  bool keeps_pixels() const {
    return form.codec != Codec::kJpeg && !is_resized() && form.writing.channels == from_channels;
  }
};

Recipe recipe_of(PictureKind kind, SidesPx sides, std::uint32_t channels, std::uint8_t orientation,
                 const CheckSettings& settings) {
  const EncodeSettings& encode = settings.encode;
  Recipe recipe{.from = sides, .from_channels = channels, .form = {}};
  const SidesPx to = sides_within(target_sides(sides, encode), settings.max_px);
  const bool is_turned = orientation != 1 && settings.is_fixed(ReasonCode::kExifOrientation);
  recipe.form = {.codec = stored_codec(kind, to, encode),
                 .writing = {.sides = to,
                             .channels = encode.grayscale ? 1 : channels,
                             .quality = encode.jpeg_quality()},
                 .turned_by = is_turned ? orientation : std::uint8_t{1}};
  if (encode.is_asked() && !is_turned) recipe.form.writing.orientation = orientation;
  return recipe;
}

// The verdict on what is stored: the statistics are those of the pixels that training will see.
ImageVerdict check_stored(std::vector<std::byte> bytes, const PictureForm& form,
                          const CheckSettings& settings, StoredPictureCheck& check,
                          const std::stop_token& stop) {
  ImageVerdict verdict;
  switch (form.codec) {
    case Codec::kJpeg: {
      const Result<JpegHeader> header = check.read_header(bytes);
      check_internal(header.ok(), "a re-encoded picture has a header");
      verdict = check.check_jpeg(bytes, header.value(), {.depth = settings.depth}, stop);
      break;
    }
    case Codec::kPng:
      verdict = check.check_png(bytes, settings.depth, stop);
      break;
    case Codec::kRaw: {
      const SidesPx sides = form.stored_sides();
      verdict = check_raw(bytes,
                          {.height_px = sides.height_px,
                           .width_px = sides.width_px,
                           .channels = form.writing.channels},
                          settings);
      break;
    }
  }
  check_internal(verdict.fate == FileFate::kKept, "a re-encoded picture decodes");
  verdict.fate = FileFate::kReencoded;
  verdict.reencoded = std::move(bytes);
  return verdict;
}

ImageVerdict finish(PictureBytesWriter& writer, const Recipe& recipe, std::uint8_t orientation,
                    const CheckSettings& settings, StoredPictureCheck& check,
                    const std::stop_token& stop) {
  ImageVerdict verdict = check_stored(writer.finish(), recipe.form, settings, check, stop);
  const bool is_turned = recipe.form.turned_by != 1;
  verdict.record.orientation = is_turned ? 1 : orientation;
  if (is_turned) verdict.mended.add(ReasonCode::kExifOrientation);
  verdict.is_resized = recipe.is_resized();
  verdict.is_lossy = !recipe.keeps_pixels();
  return verdict;
}

Resizing resizing_of(const Recipe& recipe, std::uint32_t decode_scale) {
  return {.stored = recipe.from,
          .decode_scale = decode_scale,
          .target = recipe.form.writing.sides,
          .channels = recipe.form.writing.channels};
}

std::uint32_t decode_scale_of(const Recipe& recipe) {
  return recipe.is_resized() ? choose_decode_scale(recipe.from, recipe.form.writing.sides) : 1;
}

}  // namespace

Codec stored_codec(PictureKind kind, SidesPx sides, const EncodeSettings& encode) {
  switch (encode.codec) {
    case CodecChoice::kAsFound:
      return kind == PictureKind::kBarePixels  ? Codec::kRaw
             : kind == PictureKind::kPngSample ? Codec::kPng
                                               : Codec::kJpeg;
    case CodecChoice::kJpeg:
      return Codec::kJpeg;
    case CodecChoice::kPng:
      return kind == PictureKind::kJpeg ? Codec::kJpeg : Codec::kPng;
    case CodecChoice::kRaw:
      return Codec::kRaw;
    case CodecChoice::kAuto:
      return std::max(sides.width_px, sides.height_px) <= kAutoRawSidePx ? Codec::kRaw
                                                                         : Codec::kJpeg;
  }
  return Codec::kJpeg;
}

bool asks_for_encoding(std::span<const std::byte> jpeg, SidesPx sides, std::uint32_t components,
                       const EncodeSettings& encode) {
  if (!encode.decodes_jpeg()) return false;
  const SidesPx target = target_sides(sides, encode);
  if (target != sides || stored_codec(PictureKind::kJpeg, target, encode) != Codec::kJpeg ||
      (encode.grayscale && components != 1)) {
    return true;
  }
  if (!encode.quality) return false;
  JpegReader reader;
  return reader.open(jpeg, {}, {}) &&
         reader.quantisation() < quantisation_of(encode.jpeg_quality());
}

bool changes_pixels(SidesPx sides, std::uint32_t channels, std::uint8_t orientation,
                    const CheckSettings& settings) {
  return target_sides(sides, settings.encode) != sides ||
         (settings.encode.grayscale && channels == 3) ||
         (orientation != 1 && settings.is_fixed(ReasonCode::kExifOrientation));
}

bool is_too_long_for_jpeg(PictureKind kind, SidesPx sides, const EncodeSettings& encode) {
  const SidesPx target = target_sides(sides, encode);
  return stored_codec(kind, target, encode) == Codec::kJpeg &&
         std::max(target.width_px, target.height_px) > kMaxJpegSidePx;
}

ImageVerdict reencode(const DecodedPixels& pixels, PictureKind kind, std::uint8_t orientation,
                      const CheckSettings& settings, StoredPictureCheck& check,
                      const std::stop_token& stop) {
  const Recipe recipe =
      recipe_of(kind, {pixels.width_px, pixels.height_px}, pixels.channels, orientation, settings);
  PictureBytesWriter writer;
  writer.begin(recipe.form);
  if (!recipe.is_resized() && recipe.form.writing.channels == pixels.channels) {
    writer.add(pixels.view());
  } else {
    RowResizer& resizer = check.resizer();
    resizer.begin(resizing_of(recipe, 1));
    const bool makes_gray = recipe.form.writing.channels != pixels.channels;
    const ImageView view = pixels.view();
    for (std::uint32_t y = 0; y < view.height_px; ++y) {
      if (makes_gray) {
        add_luma_row(view.row(y), view.width_px, resizer.next_row());
      } else {
        std::copy_n(view.row(y), view.row_stride_bytes, resizer.next_row());
      }
      resizer.add_row([&](const ImageView& lines) { writer.add(lines); });
      check_decode_stop(stop);
    }
    check.trim();
  }
  ImageVerdict verdict = finish(writer, recipe, orientation, settings, check, stop);
  verdict.is_lossy = verdict.is_lossy || pixels.had_alpha || pixels.had_16_bits;
  return verdict;
}

ImageVerdict reencode_jpeg(std::span<const std::byte> jpeg, const JpegReading& reading,
                           const CheckSettings& settings, StoredPictureCheck& check,
                           const std::stop_token& stop) {
  const auto refused = [&](const JpegReader& reader) {
    check_decode_stop(stop);
    const std::string why = reader.words();
    return quarantined(reason_of_jpeg_text(why), why);
  };
  JpegReader reader;
  if (!reader.open(jpeg, reading, stop)) return refused(reader);
  const std::uint8_t orientation = read_exif_orientation(jpeg);
  const std::uint32_t channels = reader.num_components() == 1 ? 1 : 3;
  Recipe recipe = recipe_of(PictureKind::kJpeg, reader.sides(), channels, orientation, settings);
  JpegWriting& writing = recipe.form.writing;
  if (settings.encode.is_asked() && recipe.form.codec == Codec::kJpeg) {
    writing.chroma = reader.chroma();
    if (writing.channels == 3) writing.profile = reader.profile();
    if (writing.channels == 3 && reader.is_ycc()) writing.colours = PixelColours::kYcc;
  }
  const std::uint32_t decode_scale = decode_scale_of(recipe);
  PictureBytesWriter writer;
  writer.begin(recipe.form);
  if (!reader.start(decode_scale, writing.channels, writing.colours)) return refused(reader);
  RowResizer& resizer = check.resizer();
  resizer.begin(resizing_of(recipe, decode_scale));
  for (std::uint32_t y = 0; y < reader.rows().height_px; ++y) {
    if (!reader.read_row(resizer.next_row())) return refused(reader);
    resizer.add_row([&](const ImageView& lines) { writer.add(lines); });
  }
  if (!reader.finish()) return refused(reader);
  check.trim();
  ImageVerdict verdict = finish(writer, recipe, orientation, settings, check, stop);
  const bool is_exact = reader.num_components() != 4 && !reading.tolerates_damage;
  verdict.is_lossy = verdict.is_lossy || !is_exact;
  return verdict;
}

std::uint64_t encoding_bytes(PictureKind kind, SidesPx sides, std::uint32_t channels,
                             const CheckSettings& settings) {
  // Turned: once more the pixels, and the turned ones, whatever the picture's orientation.
  const std::uint8_t orientation = settings.is_fixed(ReasonCode::kExifOrientation) ? 6 : 1;
  const Recipe recipe = recipe_of(kind, sides, channels, orientation, settings);
  // A JPEG of at most 3 bytes a pixel, once in a buffer that doubles as it grows, once copied; bare
  // pixels, once collected, once copied; a PNG of as much, in such a buffer beside the pixels.
  constexpr std::uint64_t kResultBytesPerPx = 9;
  constexpr std::uint64_t kPngBytesPerPx = 12;
  constexpr std::uint64_t kTurnedBytesPerPx = 6;
  const std::uint64_t per_px =
      (recipe.form.codec == Codec::kPng ? kPngBytesPerPx : kResultBytesPerPx) +
      (recipe.form.turned_by != 1 ? kTurnedBytesPerPx : 0);
  const std::uint32_t decode_scale = kind == PictureKind::kJpeg ? decode_scale_of(recipe) : 1;
  return RowResizer::memory_bytes(resizing_of(recipe, decode_scale)) +
         recipe.form.writing.sides.num_px() * per_px;
}

}  // namespace penstock::convert
