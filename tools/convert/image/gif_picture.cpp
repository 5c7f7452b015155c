#include "tools/convert/image/gif_picture.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "tools/convert/image/gif_codes.h"
#include "tools/convert/image/gif_file.h"
#include "tools/convert/image/picture_rows.h"

namespace penstock::convert {
namespace {

using Samples = std::array<std::uint8_t, 4>;

bool is_gray(const ColorMapObject& palette) {
  return std::all_of(palette.Colors, palette.Colors + palette.ColorCount,
                     [](const GifColorType& colour) {
                       return colour.Red == colour.Green && colour.Green == colour.Blue;
                     });
}

bool covers_canvas(const GifFileType& gif) {
  return gif.Image.Width == gif.SWidth && gif.Image.Height == gif.SHeight;
}

RowKind kind_of(const GifFile& file) {
  const bool has_alpha = file.transparent_index().has_value() || !covers_canvas(*file.get());
  if (is_gray(*file.palette())) return has_alpha ? RowKind::kGrayAlpha : RowKind::kGray;
  return has_alpha ? RowKind::kRgba : RowKind::kRgb;
}

// What each index stands for, in the order of `kind`.
std::array<Samples, 256> samples_of_indices(const GifFile& file, RowKind kind) {
  constexpr std::uint8_t kOpaque = 255;
  std::array<Samples, 256> samples{};
  const unsigned num_colours = num_samples(kind) >= 3 ? 3 : 1;
  for (Samples& one : samples) one[num_colours] = kOpaque;
  const ColorMapObject& palette = *file.palette();
  for (int i = 0; i < std::min(palette.ColorCount, 256); ++i) {
    const GifColorType& colour = palette.Colors[i];
    const std::uint8_t values[] = {colour.Red, colour.Green, colour.Blue};
    std::copy_n(values, num_colours, samples[i].begin());
  }
  if (file.transparent_index()) samples[*file.transparent_index()][num_colours] = 0;
  return samples;
}

std::optional<std::string> fault_of_frame(const GifFile& file, const DeclaredSize& declared) {
  const GifFileType& gif = *file.get();
  const DeclaredSize canvas{static_cast<std::uint64_t>(gif.SWidth),
                            static_cast<std::uint64_t>(gif.SHeight)};
  if (auto why = other_sides(declared, canvas)) return why;
  const GifImageDesc& frame = gif.Image;
  if (frame.Width == 0 || frame.Height == 0) return "GIF with a frame without sides";
  if (frame.Left + frame.Width > gif.SWidth || frame.Top + frame.Height > gif.SHeight) {
    return "GIF with a frame outside its canvas";
  }
  if (file.palette() == nullptr) return "GIF without a palette";
  return std::nullopt;
}

// Opens `gif` at its first frame, or says why not.
std::optional<std::string> open_frame(GifFile& file, const DeclaredSize& declared) {
  if (!file.is_open()) return file.complaint();
  if (auto why = file.find_frame()) return why;
  return fault_of_frame(file, declared);
}

class FrameRows {
 public:
  FrameRows(GifFile& file, const DeclaredSize& size, const RgbColour& background)
      : file_(file),
        kind_(kind_of(file)),
        samples_(samples_of_indices(file, kind_)),
        rows_(size, kind_, background) {
    if (!covers_canvas(*file.get())) clear(size);
    indices_.resize(static_cast<std::size_t>(file.get()->Image.Width));
    row_.resize(indices_.size() * num_samples(kind_));
  }

  // False where giflib fails.
  bool read() {
    constexpr std::uint32_t kEveryRow[][2] = {{0, 1}};
    // First row and step of each of the four passes (appendix E).
    constexpr std::uint32_t kInterlaced[][2] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
    using Passes = std::span<const std::uint32_t[2]>;
    const GifImageDesc& frame = file_.get()->Image;
    for (const auto& [first, step] : frame.Interlace ? Passes(kInterlaced) : Passes(kEveryRow)) {
      for (std::uint32_t y = first; y < static_cast<std::uint32_t>(frame.Height); y += step) {
        if (!read_row(y)) return false;
      }
    }
    return true;
  }

  DecodedPixels take() { return rows_.take(); }

 private:
  void clear(const DeclaredSize& size) {
    const std::vector<std::uint8_t> transparent(size.width_px * num_samples(kind_));
    for (std::uint32_t y = 0; y < size.height_px; ++y) rows_.put(y, 0, transparent);
  }

  bool read_row(std::uint32_t y) {
    const GifImageDesc& frame = file_.get()->Image;
    if (DGifGetLine(file_.get(), indices_.data(), frame.Width) == GIF_ERROR) return false;
    const unsigned num = num_samples(kind_);
    for (std::size_t x = 0; x < indices_.size(); ++x) {
      std::copy_n(samples_[indices_[x]].begin(), num, &row_[x * num]);
    }
    rows_.put(static_cast<std::uint32_t>(frame.Top) + y, static_cast<std::uint32_t>(frame.Left),
              row_);
    return true;
  }

  GifFile& file_;
  RowKind kind_;
  std::array<Samples, 256> samples_;
  PictureRows rows_;
  std::vector<std::uint8_t> indices_;
  std::vector<std::uint8_t> row_;
};

}  // namespace

DecodeOutcome decode_gif_picture(std::span<const std::byte> gif, const DeclaredSize& declared,
                                 const RgbColour& background) {
  {
    GifFile codes(gif);
    if (auto why = open_frame(codes, declared)) return *std::move(why);
    if (auto why = fault_of_gif_codes(codes)) return *std::move(why);
  }
  GifFile file(gif);
  if (auto why = open_frame(file, declared)) return *std::move(why);
  FrameRows rows(file, declared, background);
  if (!rows.read()) return file.complaint();
  return rows.take();
}

std::uint64_t gif_decoding_bytes(const DeclaredSize& size) noexcept {
  constexpr std::uint64_t kPixelBytes = 3;
  constexpr std::uint64_t kRowBytesPerPx = 5;  // indices, and samples with alpha
  return kGiflibBytes + size.num_px() * kPixelBytes + size.width_px * kRowBytesPerPx;
}

std::string giflib_version() {
  return fmt::format("{}.{}.{}", GIFLIB_MAJOR, GIFLIB_MINOR, GIFLIB_RELEASE);
}

}  // namespace penstock::convert
