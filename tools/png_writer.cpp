#include "tools/png_writer.h"

#include <png.h>

#include <array>
#include <csetjmp>
#include <new>
#include <string>
#include <string_view>

#include "streamer/core/error.h"

namespace penstock::tools {
namespace {

// zlib's fastest level, and its strategy for rows that a filter has made differences of (Z_RLE).
constexpr int kLevel = 1;
constexpr int kRunLengths = 3;

class PngWriter {
 public:
  PngWriter() {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, leave, pass_over);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() {
    if (png_ != nullptr) png_destroy_write_struct(&png_, &info_);
  }

  bool write(const ImageView& image, const std::span<const std::byte>& exif) {
    if (info_ == nullptr) {
      has_no_memory_ = true;
      return false;
    }
    // Nothing with a destructor may live across this call: a longjmp would skip it.
    if (setjmp(on_error_) != 0) return false;
    png_set_write_fn(png_, this, append, nullptr);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_compression_level(png_, kLevel);
    png_set_compression_strategy(png_, kRunLengths);
    png_set_filter(png_, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
    png_set_IHDR(png_, info_, image.width_px, image.height_px, 8,
                 image.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (!exif.empty()) {
      // libpng's interface is older than const; it copies.
      auto* const bytes =
          const_cast<png_bytep>(reinterpret_cast<const unsigned char*>(exif.data()));
      png_set_eXIf_1(png_, info_, static_cast<png_uint_32>(exif.size()), bytes);
    }
    png_write_info(png_, info_);
    for (std::uint32_t y = 0; y < image.height_px; ++y) png_write_row(png_, image.row(y));
    png_write_end(png_, nullptr);
    return true;
  }

  std::vector<std::byte> take() { return std::move(bytes_); }
  bool has_no_memory() const { return has_no_memory_; }
  std::string why() const { return text_.data(); }

 private:
  [[noreturn]] static void leave(png_structp png, png_const_charp message) {
    auto* const self = static_cast<PngWriter*>(png_get_error_ptr(png));
    const std::string_view text(message);
    self->text_[text.copy(self->text_.data(), self->text_.size() - 1)] = '\0';
    std::longjmp(self->on_error_, 1);
  }
  static void pass_over(png_structp, png_const_charp) {}
  static void append(png_structp png, png_bytep bytes, std::size_t num_bytes) {
    auto* const self = static_cast<PngWriter*>(png_get_io_ptr(png));
    try {  // libpng is C: nothing may be thrown through it
      const auto* const begin = reinterpret_cast<const std::byte*>(bytes);
      self->bytes_.insert(self->bytes_.end(), begin, begin + num_bytes);
    } catch (const std::bad_alloc&) {
      self->has_no_memory_ = true;
    }
    if (self->has_no_memory_) png_error(png, "no memory");
  }

  std::jmp_buf on_error_;
  std::array<char, 120> text_{};
  bool has_no_memory_ = false;
  std::vector<std::byte> bytes_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

std::vector<std::byte> encode_png(const ImageView& image, std::span<const std::byte> exif) {
  const bool is_plain =
      (image.channels == 1 || image.channels == 3) && image.pixel_stride_bytes == image.channels;
  check_internal(is_plain, "PNG is written of gray or RGB without gaps");
  PngWriter writer;
  if (writer.write(image, exif)) return writer.take();
  if (writer.has_no_memory()) {
    throw Error(ErrorCode::kOutOfMemory, "PNG: the machine refused an allocation");
  }
  throw Error(ErrorCode::kInternal, "PNG: " + writer.why());
}

}  // namespace penstock::tools
