#include "tools/convert/image/png_picture.h"

#include <png.h>

#include <array>
#include <bit>
#include <csetjmp>
#include <cstring>
#include <vector>

#include "tools/convert/image/encode_settings.h"
#include "tools/convert/image/picture_rows.h"

namespace penstock::convert {
namespace {

// libpng's objects; its functions find this by the pointers that libpng keeps.
class PngReader {
 public:
  explicit PngReader(std::span<const std::byte> png) : rest_(png) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, leave, pass_over);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() {
    if (png_ != nullptr) png_destroy_read_struct(&png_, &info_, nullptr);
  }

  // Reads what stands before the pixels, and asks for 8 or 16 bit with alpha where there is any.
  bool read_header() {
    if (info_ == nullptr) return false;
    // Nothing with a destructor may live across this call: a longjmp would skip it.
    if (setjmp(on_error_) != 0) return false;
    png_set_read_fn(png_, this, read_bytes);
    png_set_user_limits(png_, kMaxJpegSidePx, kMaxJpegSidePx);
    // All chunks but those of the picture, known or not.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    png_set_expand(png_);
    if constexpr (std::endian::native == std::endian::little) png_set_swap(png_);
    num_passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  DeclaredSize size() const {
    return {png_get_image_width(png_, info_), png_get_image_height(png_, info_)};
  }
  bool has_16_bits() const { return png_get_bit_depth(png_, info_) == 16; }
  std::size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  // Rows that are held: one, or where passes of interlacing come back to them, all.
  std::size_t num_rows_held() const { return num_passes_ == 1 ? 1 : size().height_px; }
  RowKind kind() const {
    constexpr std::array kKinds{RowKind::kGray, RowKind::kGrayAlpha, RowKind::kRgb, RowKind::kRgba};
    return kKinds[png_get_channels(png_, info_) - 1u];
  }

  // `held` is num_rows_held() rows, `row_8_bit` half a row where there are 16 bits.
  bool read_rows(std::span<std::uint8_t> held, std::span<std::uint8_t> row_8_bit,
                 PictureRows& rows) {
    if (setjmp(on_error_) != 0) return false;
    const std::size_t stride = num_passes_ == 1 ? 0 : row_bytes();
    const auto height_px = static_cast<std::uint32_t>(size().height_px);
    for (int pass = 0; pass < num_passes_; ++pass) {
      for (std::uint32_t y = 0; y < height_px; ++y) {
        const std::span<std::uint8_t> row = held.subspan(y * stride, row_bytes());
        png_read_row(png_, row.data(), nullptr);
        if (pass + 1 == num_passes_) rows.put(y, 0, in_8_bit(row, row_8_bit));
      }
    }
    png_read_end(png_, nullptr);
    return true;
  }

  std::string why() const { return info_ == nullptr ? "no memory for libpng" : text_.data(); }

 private:
  std::span<const std::uint8_t> in_8_bit(std::span<const std::uint8_t> row,
                                         std::span<std::uint8_t> narrow) const {
    if (narrow.empty()) return row;
    for (std::size_t i = 0; i < narrow.size(); ++i) {
      std::uint16_t value = 0;
      std::memcpy(&value, &row[2 * i], 2);
      narrow[i] = to_8_bit(value);
    }
    return narrow;
  }

  [[noreturn]] static void leave(png_structp png, png_const_charp message) {
    auto* const self = static_cast<PngReader*>(png_get_error_ptr(png));
    const std::string_view text(message);
    self->text_[text.copy(self->text_.data(), self->text_.size() - 1)] = '\0';
    std::longjmp(self->on_error_, 1);
  }
  // libpng warns of what costs no pixel, such as bytes after the last row; else it is an error.
  static void pass_over(png_structp, png_const_charp) {}
  static void read_bytes(png_structp png, png_bytep to, std::size_t num_bytes) {
    auto* const self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (self->rest_.size() < num_bytes) png_error(png, "the picture is cut short");
    std::memcpy(to, self->rest_.data(), num_bytes);
    self->rest_ = self->rest_.subspan(num_bytes);
  }

  std::jmp_buf on_error_;
  std::array<char, 120> text_{};
  std::span<const std::byte> rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int num_passes_ = 1;
};

}  // namespace

DecodeOutcome decode_png_picture(std::span<const std::byte> png, const DeclaredSize& declared,
                                 const RgbColour& background) {
  PngReader reader(png);
  if (!reader.read_header()) return reader.why();
  if (auto why = other_sides(declared, reader.size())) return *std::move(why);
  PictureRows rows(declared, reader.kind(), background);
  rows.set_had_16_bits(reader.has_16_bits());
  std::vector<std::uint8_t> held(reader.row_bytes() * reader.num_rows_held());
  std::vector<std::uint8_t> row_8_bit(reader.has_16_bits() ? reader.row_bytes() / 2 : 0);
  if (!reader.read_rows(held, row_8_bit, rows)) return reader.why();
  return rows.take();
}

std::string libpng_version() {
  return png_get_libpng_ver(nullptr);
}

}  // namespace penstock::convert
