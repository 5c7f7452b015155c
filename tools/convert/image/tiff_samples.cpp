#include "tools/convert/image/tiff_samples.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace penstock::convert {
namespace {

// The value of `num_bits` (at most 16) bits, the first one the highest.
unsigned bits_at(std::span<const std::uint8_t> bytes, std::size_t first_bit, unsigned num_bits) {
  unsigned value = 0;
  for (unsigned i = 0; i < 3; ++i) {
    const std::size_t at = first_bit / 8 + i;
    value = value << 8 | (at < bytes.size() ? bytes[at] : 0u);
  }
  return value >> (24 - first_bit % 8 - num_bits) & ((1u << num_bits) - 1);
}

// One picture has samples of one kind, and the kinds differ in the innermost loop.
template <class Sample>
void each_sample(std::size_t num_px, unsigned num_stored, unsigned num_taken, std::uint8_t* out,
                 unsigned out_stride, Sample sample) {
  for (std::size_t i = 0; i < num_px; ++i, out += out_stride) {
    for (unsigned s = 0; s < num_taken; ++s) out[s] = sample(i * num_stored + s);
  }
}

std::optional<TiffInk> ink_of(const TiffFile& file, unsigned num_colours) {
  switch (file.short_tag(TIFFTAG_PHOTOMETRIC,
                         num_colours == 1 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB)) {
    case PHOTOMETRIC_MINISWHITE:
      return TiffInk::kInvertedGray;
    case PHOTOMETRIC_MINISBLACK:
      return TiffInk::kGray;
    case PHOTOMETRIC_PALETTE:
      return TiffInk::kPalette;
    case PHOTOMETRIC_RGB:
      return TiffInk::kRgb;
    case PHOTOMETRIC_SEPARATED:
      return TiffInk::kCmyk;
    case PHOTOMETRIC_YCBCR: {
      // Libtiff has libjpeg make RGB of it.
      const bool is_jpeg = file.short_tag(TIFFTAG_COMPRESSION, 1) == COMPRESSION_JPEG &&
                           file.short_tag(TIFFTAG_PLANARCONFIG, 1) == PLANARCONFIG_CONTIG;
      if (is_jpeg && TIFFSetField(file.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB) == 1) {
        return TiffInk::kRgb;
      }
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

unsigned num_inks(TiffInk ink) {
  return ink == TiffInk::kRgb ? 3 : ink == TiffInk::kCmyk ? 4 : 1;
}

enum class Alpha { kNone, kStraight, kPremultiplied };

// What the sample behind the colours is. RGB with a fourth sample that nothing is said of is RGB with
// alpha, as OpenCV and others write it; of gray and CMYK that is left out.
Alpha alpha_of(TiffInk ink, unsigned num_stored, std::span<const std::uint16_t> extra) {
  if (num_stored <= num_inks(ink)) return Alpha::kNone;
  const std::uint16_t first = extra.empty() ? std::uint16_t{EXTRASAMPLE_UNSPECIFIED} : extra[0];
  if (first == EXTRASAMPLE_ASSOCALPHA) return Alpha::kPremultiplied;
  if (first == EXTRASAMPLE_UNASSALPHA) return Alpha::kStraight;
  return ink == TiffInk::kRgb && num_stored == 4 ? Alpha::kStraight : Alpha::kNone;
}

RowKind row_kind_of(TiffInk ink, Alpha alpha) {
  const bool is_gray = ink == TiffInk::kGray || ink == TiffInk::kInvertedGray;
  switch (alpha) {
    case Alpha::kNone:
      return is_gray ? RowKind::kGray : RowKind::kRgb;
    case Alpha::kStraight:
      return is_gray ? RowKind::kGrayAlpha : RowKind::kRgba;
    case Alpha::kPremultiplied:
      return is_gray ? RowKind::kGrayPremultiplied : RowKind::kRgbPremultiplied;
  }
  return RowKind::kRgb;
}

// As libtiff does, which takes one without large values for one of 8 bit.
std::uint8_t palette_value(std::uint16_t value, bool is_8_bit) {
  return static_cast<std::uint8_t>(is_8_bit ? value : value * 255u / 65535u);
}

bool has_palette(const TiffFile& file, TiffSamples& samples) {
  std::uint16_t* values[3] = {};
  if (TIFFGetField(file.get(), TIFFTAG_COLORMAP, &values[0], &values[1], &values[2]) != 1) {
    return false;
  }
  samples.is_palette_8_bit = true;
  for (int c = 0; c < 3; ++c) {
    const std::span<const std::uint16_t> all(values[c], std::size_t{1} << samples.num_bits);
    if (std::ranges::any_of(all, [](std::uint16_t value) { return value > 255; })) {
      samples.is_palette_8_bit = false;
    }
    samples.palette[c] = values[c];
  }
  return true;
}

}  // namespace

std::size_t TiffSamples::packed_bytes(std::size_t num_px) const noexcept {
  return (num_px * (has_planes ? 1 : num_stored) * num_bits + 7) / 8;
}

void TiffSamples::unpack(std::span<const std::uint8_t> packed, unsigned plane,
                         std::span<std::uint8_t> out) const noexcept {
  const std::size_t num_px = out.size() / num_used;
  const unsigned num_together = has_planes ? 1 : num_stored;
  const unsigned num_taken = has_planes ? 1 : num_used;
  std::uint8_t* const to = out.data() + (has_planes ? plane : 0);
  const auto each = [&](auto sample) {
    each_sample(num_px, num_together, num_taken, to, num_used, sample);
  };
  if (num_bits == 8) return each([&](std::size_t i) { return packed[i]; });
  if (num_bits == 16) {
    return each([&](std::size_t i) {
      std::uint16_t value = 0;
      std::memcpy(&value, &packed[2 * i], 2);
      return to_8_bit(value);
    });
  }
  const unsigned max = ink == TiffInk::kPalette ? 255 : (1u << num_bits) - 1;
  each([&](std::size_t i) { return to_8_bit_of(bits_at(packed, i * num_bits, num_bits), max); });
}

void TiffSamples::colour(std::span<const std::uint8_t> in,
                         std::span<std::uint8_t> out) const noexcept {
  const unsigned num_out = num_samples(row_kind);
  const bool has_alpha = num_used > num_inks(ink);
  const std::size_t num_px = in.size() / num_used;
  const std::uint8_t* from = in.data();
  std::uint8_t* to = out.data();
  for (std::size_t i = 0; i < num_px; ++i, from += num_used, to += num_out) {
    switch (ink) {
      case TiffInk::kGray:
        to[0] = from[0];
        break;
      case TiffInk::kInvertedGray:
        to[0] = static_cast<std::uint8_t>(255 - from[0]);
        break;
      case TiffInk::kPalette:
        for (int c = 0; c < 3; ++c) to[c] = palette_value(palette[c][from[0]], is_palette_8_bit);
        break;
      case TiffInk::kRgb:
        std::copy_n(from, 3, to);
        break;
      case TiffInk::kCmyk:
        // Libtiff's own formula.
        for (int c = 0; c < 3; ++c) {
          to[c] = static_cast<std::uint8_t>((255u - from[3]) * (255u - from[c]) / 255u);
        }
        break;
    }
    if (has_alpha) to[num_out - 1] = from[num_used - 1];
  }
}

std::variant<TiffSamples, TiffRgbOnly, std::string> read_tiff_samples(const TiffFile& file) {
  const unsigned num_bits = file.short_tag(TIFFTAG_BITSPERSAMPLE, 1);
  const unsigned num_stored = file.short_tag(TIFFTAG_SAMPLESPERPIXEL, 1);
  const unsigned format = file.short_tag(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  const bool is_whole = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID;
  if (!is_whole || num_bits > 16)
    return std::string("samples that are neither 8 nor 16 bit integers");
  if (num_bits == 0 || num_stored == 0) return std::string("TIFF with samples of no bits");
  std::uint16_t num_extra = 0;
  std::uint16_t* extra = nullptr;
  if (TIFFGetFieldDefaulted(file.get(), TIFFTAG_EXTRASAMPLES, &num_extra, &extra) != 1)
    num_extra = 0;
  const std::optional<TiffInk> ink =
      ink_of(file, num_stored - std::min<unsigned>(num_extra, num_stored - 1));
  if (!ink) return TiffRgbOnly{};
  if (num_stored < num_inks(*ink) ||
      (*ink == TiffInk::kCmyk && file.short_tag(TIFFTAG_INKSET, INKSET_CMYK) != INKSET_CMYK)) {
    return fmt::format("a picture with {} samples of such colours", num_stored);
  }
  const Alpha alpha = alpha_of(*ink, num_stored, {extra, num_extra});
  TiffSamples samples{.ink = *ink,
                      .num_bits = num_bits,
                      .num_stored = num_stored,
                      .num_used = num_inks(*ink) + (alpha != Alpha::kNone ? 1 : 0),
                      .has_planes = num_stored > 1 && file.short_tag(TIFFTAG_PLANARCONFIG, 1) ==
                                                          PLANARCONFIG_SEPARATE,
                      .row_kind = row_kind_of(*ink, alpha)};
  if (*ink == TiffInk::kPalette) {
    if (num_bits > 8) return fmt::format("a picture with a palette of {} bit", num_bits);
    if (!has_palette(file, samples)) return std::string("TIFF without its palette");
  }
  return samples;
}

}  // namespace penstock::convert
