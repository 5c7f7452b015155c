#include "tools/convert/image/jpeg_reader.h"

#include <algorithm>
#include <array>
#include <climits>
#include <csetjmp>
#include <cstdio>
#include <string_view>

#include <jpeglib.h>

#include "streamer/read/jpeg_warning.h"
#include "tools/convert/image/luma_row.h"

namespace penstock::convert {
namespace {

struct ReadErrors {
  jpeg_error_mgr base;  // first: libjpeg hands a pointer to it back
  std::jmp_buf on_error;
  std::array<char, JMSG_LENGTH_MAX> text;
};

void leave_reading(j_common_ptr cinfo) {
  auto* errors = reinterpret_cast<ReadErrors*>(cinfo->err);
  cinfo->err->format_message(cinfo, errors->text.data());
  std::longjmp(errors->on_error, 1);
}

void leave_on_warning(j_common_ptr cinfo, int level) {
  if (level < 0 && !costs_no_pixel(cinfo->err->msg_code)) leave_reading(cinfo);
}

// A progressive picture needs about ten scans; each is a pass over all coefficients. As the loader.
constexpr int kMaxScans = 500;

struct ReadProgress {
  jpeg_progress_mgr base;  // first: libjpeg hands a pointer to it back
  const std::stop_token* stop;
};

void leave_with(j_common_ptr cinfo, std::string_view text) {
  auto* errors = reinterpret_cast<ReadErrors*>(cinfo->err);
  errors->text[text.copy(errors->text.data(), errors->text.size() - 1)] = '\0';
  std::longjmp(errors->on_error, 1);
}

void watch_reading(j_common_ptr cinfo) {
  const auto* progress = reinterpret_cast<const ReadProgress*>(cinfo->progress);
  if (progress->stop->stop_requested()) leave_with(cinfo, "stopped");
  const auto* decompress = reinterpret_cast<const jpeg_decompress_struct*>(cinfo);
  if (decompress->input_scan_number > kMaxScans) leave_with(cinfo, "more than 500 scans");
}

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

}  // namespace

// Owned apart because longjmp runs no destructors. libjpeg may destroy twice, and what was never
// created.
struct JpegReader::State {
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { jpeg_destroy_decompress(&cinfo); }

  bool open(std::span<const std::byte> jpeg, const JpegReading& reading,
            const std::stop_token& stop) {
    cinfo.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = leave_reading;
    errors.base.emit_message = leave_on_warning;
    if (reading.tolerates_damage) errors.base.emit_message = [](j_common_ptr, int) {};
    if (setjmp(errors.on_error) != 0) return false;
    jpeg_create_decompress(&cinfo);
    if (reading.max_scratch_bytes < LONG_MAX) {
      cinfo.mem->max_memory_to_use = static_cast<long>(reading.max_scratch_bytes);
    }
    progress.base.progress_monitor = watch_reading;
    progress.stop = &stop;
    cinfo.progress = &progress.base;
    jpeg_mem_src(&cinfo, reinterpret_cast<const unsigned char*>(jpeg.data()), jpeg.size());
    constexpr unsigned kWhole = 0xFFFF;
    if (reading.keeps_profile) jpeg_save_markers(&cinfo, JPEG_APP0 + 2, kWhole);
    jpeg_read_header(&cinfo, TRUE);
    return true;
  }

  bool start(std::uint32_t decode_scale, std::uint32_t channels, PixelColours colours) {
    if (setjmp(errors.on_error) != 0) return false;
    cinfo.scale_num = 1;
    cinfo.scale_denom = decode_scale;
    cinfo.do_block_smoothing = FALSE;  // as the loader
    const bool has_inks = cinfo.num_components == 4;
    makes_gray = has_inks && channels == 1;
    cinfo.out_color_space = has_inks                        ? JCS_CMYK
                            : channels == 1                 ? JCS_GRAYSCALE
                            : colours == PixelColours::kYcc ? JCS_YCbCr
                                                            : JCS_RGB;
    jpeg_start_decompress(&cinfo);
    return true;
  }

  bool read(std::uint8_t* to) {
    if (setjmp(errors.on_error) != 0) return false;
    jpeg_read_scanlines(&cinfo, &to, 1);
    return true;
  }

  bool read_row(std::uint8_t* row) {
    if (cinfo.num_components != 4) return read(row);
    if (!read(inks.data())) return false;
    std::uint8_t* const rgb = makes_gray ? rgb_row.data() : row;
    add_rgb_row(inks.data(), cinfo.output_width, cinfo.saw_Adobe_marker != 0, rgb);
    if (makes_gray) add_luma_row(rgb, cinfo.output_width, row);
    return true;
  }

  bool finish() {
    if (setjmp(errors.on_error) != 0) return false;
    jpeg_finish_decompress(&cinfo);
    return true;
  }

  jpeg_decompress_struct cinfo{};
  ReadErrors errors{};
  ReadProgress progress{};
  bool makes_gray = false;
  std::vector<std::uint8_t> inks;  // a row
  std::vector<std::uint8_t> rgb_row;
  std::vector<std::vector<std::byte>> profile;
};

JpegReader::JpegReader() = default;
JpegReader::~JpegReader() = default;

bool JpegReader::open(std::span<const std::byte> jpeg, const JpegReading& reading,
                      const std::stop_token& stop) {
  state_ = std::make_unique<State>();
  if (!state_->open(jpeg, reading, stop)) return false;
  constexpr std::string_view kName("ICC_PROFILE", 12);  // with its zero
  for (auto* marker = state_->cinfo.marker_list; marker != nullptr; marker = marker->next) {
    const auto bytes = std::as_bytes(std::span(marker->data, marker->data_length));
    const auto name = std::as_bytes(std::span(kName));
    if (bytes.size() < name.size() || !std::ranges::equal(bytes.first(name.size()), name)) continue;
    state_->profile.emplace_back(bytes.begin(), bytes.end());
  }
  return true;
}

SidesPx JpegReader::sides() const {
  return {state_->cinfo.image_width, state_->cinfo.image_height};
}

std::uint32_t JpegReader::num_components() const {
  return static_cast<std::uint32_t>(state_->cinfo.num_components);
}

bool JpegReader::is_ycc() const {
  return state_->cinfo.jpeg_color_space == JCS_YCbCr;
}

ChromaSampling JpegReader::chroma() const {
  const jpeg_decompress_struct& cinfo = state_->cinfo;
  if (!is_ycc()) return {};
  const jpeg_component_info* const parts = cinfo.comp_info;
  const bool is_plain = parts[1].h_samp_factor == 1 && parts[1].v_samp_factor == 1 &&
                        parts[2].h_samp_factor == 1 && parts[2].v_samp_factor == 1;
  const int x = parts[0].h_samp_factor;
  const int y = parts[0].v_samp_factor;
  if (!is_plain || x > 2 || y > 2) return {};
  return {static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y)};
}

std::uint32_t JpegReader::quantisation() const {
  const jpeg_decompress_struct& cinfo = state_->cinfo;
  const int idx = cinfo.comp_info[0].quant_tbl_no;
  if (idx < 0 || idx >= NUM_QUANT_TBLS || cinfo.quant_tbl_ptrs[idx] == nullptr) return 0;
  std::uint32_t sum = 0;
  for (const auto step : cinfo.quant_tbl_ptrs[idx]->quantval) sum += step;
  return sum;
}

std::span<const std::vector<std::byte>> JpegReader::profile() const {
  return state_->profile;
}

bool JpegReader::start(std::uint32_t decode_scale, std::uint32_t channels, PixelColours colours) {
  if (!state_->start(decode_scale, channels, colours)) return false;
  const std::size_t width_px = state_->cinfo.output_width;
  if (state_->cinfo.num_components == 4) {
    state_->inks.resize(width_px * 4);
    state_->rgb_row.resize(width_px * 3);
  }
  return true;
}

SidesPx JpegReader::rows() const {
  return {state_->cinfo.output_width, state_->cinfo.output_height};
}

bool JpegReader::read_row(std::uint8_t* row) {
  return state_->read_row(row);
}

bool JpegReader::finish() {
  return state_->finish();
}

std::string JpegReader::words() const {
  return state_->errors.text.data();
}

}  // namespace penstock::convert
