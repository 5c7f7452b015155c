#include "tools/convert/image/jpeg_writer.h"

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <jpeglib.h>

#include "streamer/core/error.h"
#include "tools/convert/image/exif_orientation.h"

namespace penstock::convert {
namespace {

struct WriteErrors {
  jpeg_error_mgr base;  // first: libjpeg hands a pointer to it back
  std::jmp_buf on_error;
  std::array<char, JMSG_LENGTH_MAX> text;
};

void leave_writing(j_common_ptr cinfo) {
  auto* errors = reinterpret_cast<WriteErrors*>(cinfo->err);
  cinfo->err->format_message(cinfo, errors->text.data());
  std::longjmp(errors->on_error, 1);
}

}  // namespace

// Owned apart because longjmp runs no destructors. libjpeg may destroy twice, and what was never
// created.
struct JpegWriter::State {
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    // Until then `bytes` is the first buffer, which libjpeg has freed once it took a larger one.
    if (has_destination) cinfo.dest->term_destination(&cinfo);
    jpeg_destroy_compress(&cinfo);
    std::free(bytes);  // allocated by libjpeg with malloc
  }

  // `exif` is empty, or one segment without marker and length.
  bool begin(const JpegWriting& writing, const std::vector<std::byte>& exif) {
    cinfo.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = leave_writing;
    if (setjmp(errors.on_error) != 0) return false;
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &bytes, &num_bytes);
    has_destination = true;
    cinfo.image_width = writing.sides.width_px;
    cinfo.image_height = writing.sides.height_px;
    cinfo.input_components = static_cast<int>(writing.channels);
    cinfo.in_color_space = writing.channels == 1                   ? JCS_GRAYSCALE
                           : writing.colours == PixelColours::kYcc ? JCS_YCbCr
                                                                   : JCS_RGB;
    jpeg_set_defaults(&cinfo);
    jpeg_set_quality(&cinfo, writing.quality, TRUE);
    for (int c = 0; c < cinfo.num_components; ++c) {
      const bool is_luma = c == 0 && cinfo.num_components == 3;
      cinfo.comp_info[c].h_samp_factor = is_luma ? writing.chroma.x : 1;
      cinfo.comp_info[c].v_samp_factor = is_luma ? writing.chroma.y : 1;
    }
    jpeg_start_compress(&cinfo, TRUE);
    if (!exif.empty()) {
      jpeg_write_marker(&cinfo, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(exif.data()),
                        static_cast<unsigned>(exif.size()));
    }
    for (const std::vector<std::byte>& piece : writing.profile) {
      jpeg_write_marker(&cinfo, JPEG_APP0 + 2, reinterpret_cast<const JOCTET*>(piece.data()),
                        static_cast<unsigned>(piece.size()));
    }
    return true;
  }

  bool add(const ImageView& rows) {
    if (setjmp(errors.on_error) != 0) return false;
    for (std::uint32_t y = 0; y < rows.height_px; ++y) {
      // libjpeg's interface is older than const; it does not write into the row.
      JSAMPROW row = const_cast<JSAMPROW>(rows.row(y));
      jpeg_write_scanlines(&cinfo, &row, 1);
    }
    return true;
  }

  bool finish() {
    if (setjmp(errors.on_error) != 0) return false;
    jpeg_finish_compress(&cinfo);
    return true;
  }

  jpeg_compress_struct cinfo{};
  WriteErrors errors{};
  bool has_destination = false;
  unsigned char* bytes = nullptr;
  unsigned long num_bytes = 0;
};

namespace {

[[noreturn]] void refuse(const char* words) {
  throw Error(ErrorCode::kInternal, std::string("encode JPEG: libjpeg: ") + words);
}

}  // namespace

JpegWriter::JpegWriter() = default;
JpegWriter::~JpegWriter() = default;

void JpegWriter::begin(const JpegWriting& writing) {
  state_ = std::make_unique<State>();
  std::vector<std::byte> exif;
  if (writing.orientation != 1) exif = orientation_exif(writing.orientation);
  if (!state_->begin(writing, exif)) refuse(state_->errors.text.data());
}

void JpegWriter::add(const ImageView& rows) {
  if (!state_->add(rows)) refuse(state_->errors.text.data());
}

std::vector<std::byte> JpegWriter::finish() {
  if (!state_->finish()) refuse(state_->errors.text.data());
  const auto* const begin = reinterpret_cast<const std::byte*>(state_->bytes);
  std::vector<std::byte> jpeg(begin, begin + state_->num_bytes);
  state_.reset();
  return jpeg;
}

std::uint32_t quantisation_of(int quality) {
  jpeg_compress_struct cinfo{};
  jpeg_error_mgr errors{};
  cinfo.err = jpeg_std_error(&errors);
  jpeg_create_compress(&cinfo);
  cinfo.in_color_space = JCS_GRAYSCALE;
  cinfo.input_components = 1;
  jpeg_set_defaults(&cinfo);
  jpeg_set_quality(&cinfo, quality, TRUE);
  std::uint32_t sum = 0;
  for (const auto step : cinfo.quant_tbl_ptrs[0]->quantval) sum += step;
  jpeg_destroy_compress(&cinfo);
  return sum;
}

}  // namespace penstock::convert
