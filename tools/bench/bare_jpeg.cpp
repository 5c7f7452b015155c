#include "tools/bench/bare_jpeg.h"

#include <csetjmp>
#include <cstdio>

#include <jpeglib.h>

#include "streamer/read/jpeg_warning.h"

namespace penstock::tools::bench {
namespace {

struct ErrorState {
  jpeg_error_mgr base;  // first: libjpeg hands a pointer to it back
  std::jmp_buf on_error;
  bool has_made_up_pixels;
};

void leave(j_common_ptr cinfo) {
  std::longjmp(reinterpret_cast<ErrorState*>(cinfo->err)->on_error, 1);
}

void note_warning(j_common_ptr cinfo, int level) {
  if (level >= 0 || costs_no_pixel(cinfo->err->msg_code)) return;
  reinterpret_cast<ErrorState*>(cinfo->err)->has_made_up_pixels = true;
}

}  // namespace

struct BareJpeg::Impl {
  jpeg_decompress_struct cinfo{};
  ErrorState error{};

  Impl() {
    cinfo.err = jpeg_std_error(&error.base);
    error.base.error_exit = leave;
    error.base.emit_message = note_warning;
    jpeg_create_decompress(&cinfo);
  }
  ~Impl() { jpeg_destroy_decompress(&cinfo); }

  void begin(std::span<const std::byte> encoded, std::uint32_t scale) {
    error.has_made_up_pixels = false;
    jpeg_mem_src(&cinfo, reinterpret_cast<const unsigned char*>(encoded.data()), encoded.size());
    jpeg_read_header(&cinfo, TRUE);
    cinfo.scale_num = 1;
    cinfo.scale_denom = scale;
    cinfo.out_color_space = JCS_RGB;
    jpeg_start_decompress(&cinfo);
  }

  // Reads `num_rows` rows of the width in force; false when they do not fit.
  bool read_rows(JDIMENSION num_rows, std::span<std::byte> pixels) {
    const std::size_t row_bytes = std::size_t{cinfo.output_width} * 3;
    if (row_bytes * num_rows > pixels.size()) return false;
    auto* row = reinterpret_cast<JSAMPROW>(pixels.data());
    for (JDIMENSION i = 0; i < num_rows; ++i, row += row_bytes) {
      jpeg_read_scanlines(&cinfo, &row, 1);
    }
    return true;
  }
};

BareJpeg::BareJpeg() : impl_(std::make_unique<Impl>()) {}
BareJpeg::BareJpeg(BareJpeg&&) noexcept = default;
BareJpeg::~BareJpeg() = default;

bool BareJpeg::decode_whole(std::span<const std::byte> encoded, const JpegCut& cut,
                            std::span<std::byte> pixels) noexcept {
  Impl& impl = *impl_;
  // Nothing with a destructor may live across this call: a longjmp would skip it.
  if (setjmp(impl.error.on_error) != 0) {
    jpeg_abort_decompress(&impl.cinfo);
    return false;
  }
  impl.begin(encoded, cut.scale);
  const bool fits = impl.read_rows(impl.cinfo.output_height, pixels);
  jpeg_abort_decompress(&impl.cinfo);
  return fits && !impl.error.has_made_up_pixels;
}

bool BareJpeg::decode_cut(std::span<const std::byte> encoded, const JpegCut& cut,
                          std::span<std::byte> pixels) noexcept {
  Impl& impl = *impl_;
  if (setjmp(impl.error.on_error) != 0) {
    jpeg_abort_decompress(&impl.cinfo);
    return false;
  }
  impl.begin(encoded, cut.scale);
  const RectPx& region = cut.region;
  JDIMENSION left = region.x / cut.scale;
  JDIMENSION width = (region.x + region.width + cut.scale - 1) / cut.scale - left;
  const JDIMENSION top = region.y / cut.scale;
  const JDIMENSION height = (region.y + region.height + cut.scale - 1) / cut.scale - top;
  if (width < impl.cinfo.output_width) jpeg_crop_scanline(&impl.cinfo, &left, &width);
  if (top > 0) jpeg_skip_scanlines(&impl.cinfo, top);
  const bool fits = impl.read_rows(height, pixels);
  jpeg_abort_decompress(&impl.cinfo);  // what lies below is not looked at
  return fits && !impl.error.has_made_up_pixels;
}

}  // namespace penstock::tools::bench
