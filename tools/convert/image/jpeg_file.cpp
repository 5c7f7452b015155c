#include "tools/convert/image/jpeg_file.h"

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <jpeglib.h>

#include "streamer/core/error.h"
#include "streamer/read/jpeg_warning.h"

namespace penstock::convert {
namespace {

struct JpegErrors {
  jpeg_error_mgr base;  // first: libjpeg hands a pointer to it back
  std::jmp_buf on_error;
  std::array<char, JMSG_LENGTH_MAX> text;
};

void leave_libjpeg(j_common_ptr cinfo) {
  auto* errors = reinterpret_cast<JpegErrors*>(cinfo->err);
  cinfo->err->format_message(cinfo, errors->text.data());
  std::longjmp(errors->on_error, 1);
}

void leave_on_warning(j_common_ptr cinfo, int level) {
  if (level < 0 && !costs_no_pixel(cinfo->err->msg_code)) leave_libjpeg(cinfo);
}

jpeg_error_mgr* prepare(JpegErrors& errors) {
  jpeg_std_error(&errors.base);
  errors.base.error_exit = leave_libjpeg;
  errors.base.emit_message = leave_on_warning;
  return &errors.base;
}

struct FreeBytes {
  void operator()(unsigned char* bytes) const noexcept { std::free(bytes); }
};

// What encode writes into; owned by the caller because longjmp runs no destructors. libjpeg may
// destroy twice, and what was never created.
struct EncodeState {
  EncodeState() = default;
  EncodeState(const EncodeState&) = delete;
  EncodeState& operator=(const EncodeState&) = delete;
  ~EncodeState() { jpeg_destroy_compress(&cinfo); }

  jpeg_compress_struct cinfo{};
  JpegErrors errors{};
  bool has_destination = false;
  unsigned char* bytes = nullptr;
  unsigned long num_bytes = 0;
};

bool encode(EncodeState& state, const ImageView& image) {
  jpeg_compress_struct& cinfo = state.cinfo;
  cinfo.err = prepare(state.errors);
  if (setjmp(state.errors.on_error) != 0) {
    // Until then `bytes` is the first buffer, which libjpeg has freed once it took a larger one.
    if (state.has_destination) cinfo.dest->term_destination(&cinfo);
    return false;
  }
  jpeg_create_compress(&cinfo);
  jpeg_mem_dest(&cinfo, &state.bytes, &state.num_bytes);
  state.has_destination = true;
  cinfo.image_width = image.width_px;
  cinfo.image_height = image.height_px;
  cinfo.input_components = static_cast<int>(image.channels);
  cinfo.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&cinfo);
  jpeg_set_quality(&cinfo, kReencodeQuality, TRUE);
  for (int c = 0; c < cinfo.num_components; ++c) {
    cinfo.comp_info[c].h_samp_factor = 1;
    cinfo.comp_info[c].v_samp_factor = 1;
  }
  jpeg_start_compress(&cinfo, TRUE);
  while (cinfo.next_scanline < cinfo.image_height) {
    // libjpeg's interface is older than const; it does not write into the row.
    JSAMPROW row = const_cast<JSAMPROW>(image.row(cinfo.next_scanline));
    jpeg_write_scanlines(&cinfo, &row, 1);
  }
  jpeg_finish_compress(&cinfo);
  return true;
}

struct CmykState {
  CmykState() = default;
  CmykState(const CmykState&) = delete;
  CmykState& operator=(const CmykState&) = delete;
  ~CmykState() { jpeg_destroy_decompress(&cinfo); }  // also when there is no memory for pixels

  jpeg_decompress_struct cinfo{};
  JpegErrors errors{};
  std::vector<std::uint8_t> row_cmyk;
  DecodedPixels pixels;
};

std::uint8_t multiply_255(unsigned a, unsigned b) {
  return static_cast<std::uint8_t>((a * b + 127) / 255);
}

// Light that passes an ink: the stored value itself where inks are stored inverted.
void add_rgb_row(const std::uint8_t* cmyk, std::uint32_t width_px, bool is_inverted,
                 std::uint8_t* rgb) {
  const unsigned flip = is_inverted ? 0 : 255;
  for (std::uint32_t x = 0; x < width_px; ++x, cmyk += 4, rgb += 3) {
    const unsigned black = cmyk[3] ^ flip;
    for (int c = 0; c < 3; ++c) rgb[c] = multiply_255(cmyk[c] ^ flip, black);
  }
}

bool decode_cmyk(CmykState& state, std::span<const std::byte> jpeg) {
  jpeg_decompress_struct& cinfo = state.cinfo;
  cinfo.err = prepare(state.errors);
  if (setjmp(state.errors.on_error) != 0) return false;
  jpeg_create_decompress(&cinfo);
  jpeg_mem_src(&cinfo, reinterpret_cast<const unsigned char*>(jpeg.data()), jpeg.size());
  jpeg_read_header(&cinfo, TRUE);
  cinfo.out_color_space = JCS_CMYK;
  jpeg_start_decompress(&cinfo);
  const std::size_t row_bytes = std::size_t{cinfo.output_width} * 3;
  state.pixels.width_px = cinfo.output_width;
  state.pixels.height_px = cinfo.output_height;
  state.pixels.pixels_hwc.resize(row_bytes * cinfo.output_height);
  state.row_cmyk.resize(std::size_t{cinfo.output_width} * 4);
  const bool is_inverted = cinfo.saw_Adobe_marker != 0;
  while (cinfo.output_scanline < cinfo.output_height) {
    const JDIMENSION y = cinfo.output_scanline;
    JSAMPROW row = state.row_cmyk.data();
    jpeg_read_scanlines(&cinfo, &row, 1);
    add_rgb_row(row, cinfo.output_width, is_inverted, &state.pixels.pixels_hwc[y * row_bytes]);
  }
  jpeg_finish_decompress(&cinfo);
  return true;
}

}  // namespace

std::vector<std::byte> encode_jpeg(const ImageView& image) {
  auto state = std::make_unique<EncodeState>();
  const bool is_done = encode(*state, image);
  const std::unique_ptr<unsigned char, FreeBytes> owner(state->bytes);
  if (!is_done) {
    throw Error(ErrorCode::kInternal,
                std::string("encode JPEG: libjpeg: ") + state->errors.text.data());
  }
  const auto* const begin = reinterpret_cast<const std::byte*>(owner.get());
  return {begin, begin + state->num_bytes};
}

DecodeOutcome decode_cmyk_jpeg(std::span<const std::byte> jpeg) {
  auto state = std::make_unique<CmykState>();
  if (!decode_cmyk(*state, jpeg)) return std::string(state->errors.text.data());
  return std::move(state->pixels);
}

}  // namespace penstock::convert
