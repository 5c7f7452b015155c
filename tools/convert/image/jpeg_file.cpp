#include "tools/convert/image/jpeg_file.h"

#include <algorithm>
#include <array>
#include <climits>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

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

// A progressive picture needs about ten scans; each is a pass over all coefficients. As the loader.
constexpr int kMaxScans = 500;

struct ReadProgress {
  jpeg_progress_mgr base;  // first: libjpeg hands a pointer to it back
  const std::stop_token* stop;
};

void leave_with(j_common_ptr cinfo, std::string_view text) {
  auto* errors = reinterpret_cast<JpegErrors*>(cinfo->err);
  errors->text[text.copy(errors->text.data(), errors->text.size() - 1)] = '\0';
  std::longjmp(errors->on_error, 1);
}

void watch_reading(j_common_ptr cinfo) {
  const auto* progress = reinterpret_cast<const ReadProgress*>(cinfo->progress);
  if (progress->stop->stop_requested()) leave_with(cinfo, "stopped");
  const auto* decompress = reinterpret_cast<const jpeg_decompress_struct*>(cinfo);
  if (decompress->input_scan_number > kMaxScans) leave_with(cinfo, "more than 500 scans");
}

// Means of squares of pixels, row by row.
class SquareMeans {
 public:
  void begin(std::uint32_t width_px, std::uint32_t channels, std::uint32_t side_px) {
    width_px_ = width_px;
    channels_ = channels;
    side_px_ = side_px;
    num_rows_ = 0;
    sums_.assign(std::size_t{out_width_px()} * channels, 0);
  }
  std::uint32_t out_width_px() const { return (width_px_ + side_px_ - 1) / side_px_; }

  // Adds one row; true when a row of squares is complete.
  bool add(const std::uint8_t* row) {
    for (std::uint32_t x = 0; x < width_px_; ++x) {
      std::uint64_t* const sum = &sums_[std::size_t{x / side_px_} * channels_];
      for (std::uint32_t c = 0; c < channels_; ++c) sum[c] += row[std::size_t{x} * channels_ + c];
    }
    return ++num_rows_ == side_px_;
  }
  void take(std::uint8_t* out) {
    for (std::uint32_t x = 0; x < out_width_px(); ++x) {
      const std::uint64_t columns = std::min(side_px_, width_px_ - x * side_px_);
      const std::uint64_t num_px = columns * num_rows_;
      for (std::uint32_t c = 0; c < channels_; ++c) {
        std::uint64_t& sum = sums_[std::size_t{x} * channels_ + c];
        *out++ = static_cast<std::uint8_t>((sum + num_px / 2) / num_px);
        sum = 0;
      }
    }
    num_rows_ = 0;
  }

 private:
  std::uint32_t width_px_ = 0;
  std::uint32_t channels_ = 0;
  std::uint32_t side_px_ = 1;
  std::uint32_t num_rows_ = 0;
  std::vector<std::uint64_t> sums_;
};

struct ReadState {
  ReadState() = default;
  ReadState(const ReadState&) = delete;
  ReadState& operator=(const ReadState&) = delete;
  ~ReadState() { jpeg_destroy_decompress(&cinfo); }  // also when there is no memory for pixels

  jpeg_decompress_struct cinfo{};
  JpegErrors errors{};
  ReadProgress progress{};
  std::vector<std::uint8_t> row_as_stored;
  std::vector<std::uint8_t> row;
  SquareMeans means;
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

// The largest N/8 that makes the picture fit; then the side of the squares that do.
std::uint32_t choose_scale(jpeg_decompress_struct& cinfo, std::uint64_t max_px) {
  const auto num_px = [&] { return std::uint64_t{cinfo.output_width} * cinfo.output_height; };
  cinfo.scale_denom = 8;
  for (cinfo.scale_num = 8; cinfo.scale_num > 1; --cinfo.scale_num) {
    jpeg_calc_output_dimensions(&cinfo);
    if (num_px() <= max_px) return 1;
  }
  jpeg_calc_output_dimensions(&cinfo);
  std::uint64_t side_px = 1;
  const auto squares = [&](std::uint64_t side) {
    return ((cinfo.output_width + side - 1) / side) * ((cinfo.output_height + side - 1) / side);
  };
  while (squares(side_px) > max_px && squares(side_px) > 1) ++side_px;
  return static_cast<std::uint32_t>(side_px);
}

void choose_colours(jpeg_decompress_struct& cinfo) {
  cinfo.out_color_space = cinfo.num_components == 1   ? JCS_GRAYSCALE
                          : cinfo.num_components == 4 ? JCS_CMYK
                                                      : JCS_RGB;
}

bool read(ReadState& state, std::span<const std::byte> jpeg, const JpegReading& reading,
          const std::stop_token& stop) {
  jpeg_decompress_struct& cinfo = state.cinfo;
  cinfo.err = prepare(state.errors);
  if (reading.tolerates_damage) state.errors.base.emit_message = [](j_common_ptr, int) {};
  if (setjmp(state.errors.on_error) != 0) return false;
  jpeg_create_decompress(&cinfo);
  if (reading.max_scratch_bytes < LONG_MAX) {
    cinfo.mem->max_memory_to_use = static_cast<long>(reading.max_scratch_bytes);
  }
  state.progress.base.progress_monitor = watch_reading;
  state.progress.stop = &stop;
  cinfo.progress = &state.progress.base;
  jpeg_mem_src(&cinfo, reinterpret_cast<const unsigned char*>(jpeg.data()), jpeg.size());
  jpeg_read_header(&cinfo, TRUE);
  choose_colours(cinfo);
  cinfo.do_block_smoothing = FALSE;  // as the loader
  const std::uint32_t square_px = choose_scale(cinfo, reading.max_px);
  jpeg_start_decompress(&cinfo);
  DecodedPixels& pixels = state.pixels;
  pixels.channels = cinfo.num_components == 1 ? 1 : 3;
  state.means.begin(cinfo.output_width, pixels.channels, square_px);
  pixels.width_px = state.means.out_width_px();
  pixels.height_px = (cinfo.output_height + square_px - 1) / square_px;
  const std::size_t row_bytes = std::size_t{pixels.width_px} * pixels.channels;
  pixels.pixels_hwc.resize(row_bytes * pixels.height_px);
  state.row_as_stored.resize(std::size_t{cinfo.output_width} * cinfo.output_components);
  state.row.resize(std::size_t{cinfo.output_width} * pixels.channels);
  const bool is_inverted = cinfo.saw_Adobe_marker != 0;
  std::uint8_t* out = pixels.pixels_hwc.data();
  while (cinfo.output_scanline < cinfo.output_height) {
    JSAMPROW row = state.row_as_stored.data();
    jpeg_read_scanlines(&cinfo, &row, 1);
    if (cinfo.num_components == 4) {
      add_rgb_row(row, cinfo.output_width, is_inverted, state.row.data());
      row = state.row.data();
    }
    const bool is_last = cinfo.output_scanline == cinfo.output_height;
    if (state.means.add(row) || is_last) {
      state.means.take(out);
      out += row_bytes;
    }
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

DecodeOutcome read_jpeg(std::span<const std::byte> jpeg, const JpegReading& reading,
                        const std::stop_token& stop) {
  auto state = std::make_unique<ReadState>();
  if (!read(*state, jpeg, reading, stop)) return std::string(state->errors.text.data());
  return std::move(state->pixels);
}

}  // namespace penstock::convert
