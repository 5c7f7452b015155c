#include "streamer/read/jpeg_decoder.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <functional>

#include <jpeglib.h>

#include "streamer/read/jpeg_memory.h"
#include "streamer/read/jpeg_warning.h"

namespace penstock {
namespace {

struct ErrorState {
  jpeg_error_mgr base;  // first: libjpeg hands a pointer to it back
  std::jmp_buf on_error;
  bool has_fatal_warning;
  std::array<char, JMSG_LENGTH_MAX> text;
};

void leave_decoder(j_common_ptr cinfo) {
  auto* state = reinterpret_cast<ErrorState*>(cinfo->err);
  cinfo->err->format_message(cinfo, state->text.data());
  std::longjmp(state->on_error, 1);
}

void note_warning(j_common_ptr cinfo, int level) {
  if (level >= 0) return;  // traces
  auto* state = reinterpret_cast<ErrorState*>(cinfo->err);
  if (state->has_fatal_warning || costs_no_pixel(cinfo->err->msg_code)) return;
  state->has_fatal_warning = true;
  cinfo->err->format_message(cinfo, state->text.data());
}

constexpr std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}

SampleFault fault(std::string_view text) {
  return {SampleStatus::kDecodeFailed, text};
}

// Output rows between looks at the stop token, so that a stop is noticed within a long picture.
constexpr JDIMENSION kRowsBetweenPolls = 64;

// A progressive picture needs about ten scans; each costs a pass over all coefficients, so a small
// file with thousands of empty ones would cost hours.
constexpr int kMaxScans = 500;

// Looks at the stop token while a picture of several scans is being absorbed.
struct Progress {
  jpeg_progress_mgr base;  // first: libjpeg hands a pointer to it back
  const std::stop_token* stop;
};

void leave_with(j_common_ptr cinfo, std::string_view text) {
  auto* state = reinterpret_cast<ErrorState*>(cinfo->err);
  state->text[text.copy(state->text.data(), state->text.size() - 1)] = '\0';
  std::longjmp(state->on_error, 1);
}

void watch_progress(j_common_ptr cinfo) {
  const auto* progress = reinterpret_cast<const Progress*>(cinfo->progress);
  const auto* decompress = reinterpret_cast<const jpeg_decompress_struct*>(cinfo);
  if (progress->stop->stop_requested()) leave_with(cinfo, "stopped");
  if (decompress->input_scan_number > kMaxScans) leave_with(cinfo, "more than 500 scans");
}

}  // namespace

struct JpegDecoder::Impl {
  jpeg_decompress_struct cinfo{};
  ErrorState error{};
  Progress progress{};
  JpegMemory memory;
  bool is_made = false;

  // Makes libjpeg's object afresh: after an error a reused one spoils the pictures that follow.
  void remake() {
    destroy();
    cinfo.err = jpeg_std_error(&error.base);
    error.base.error_exit = leave_decoder;
    error.base.emit_message = note_warning;
    jpeg_create_decompress(&cinfo);
    memory.attach(cinfo);
    is_made = true;
  }

  void destroy() noexcept {
    if (!is_made) return;
    memory.detach(cinfo);
    jpeg_destroy_decompress(&cinfo);
    is_made = false;
  }

  ~Impl() { destroy(); }

  // Largest sampling factor over the second largest, rounded down: with it, one component at full
  // size and the others divided by it in both directions bound the coefficients of any mixture.
  std::uint8_t subsampling(bool is_horizontal) const noexcept {
    std::array<int, MAX_COMPONENTS> factors{};
    for (int c = 0; c < cinfo.num_components; ++c) {
      const auto& component = cinfo.comp_info[c];
      factors[c] = is_horizontal ? component.h_samp_factor : component.v_samp_factor;
    }
    if (cinfo.num_components < 2) return 1;
    std::sort(factors.begin(), factors.end(), std::greater<>());
    return static_cast<std::uint8_t>(factors[0] / factors[1]);
  }
};

JpegDecoder::JpegDecoder() : impl_(std::make_unique<Impl>()) {}
JpegDecoder::~JpegDecoder() = default;

Result<JpegHeader> JpegDecoder::read_header(std::span<const std::byte> encoded) noexcept {
  Impl& impl = *impl_;
  // Headers allocate a few tables; a picture's own memory is not needed.
  alignas(64) std::array<std::byte, 4096> scratch;
  if (setjmp(impl.error.on_error) != 0) {
    impl.destroy();
    return fault(impl.error.text.data());
  }
  if (!impl.is_made) impl.remake();
  impl.error.has_fatal_warning = false;
  impl.memory.lend(scratch);
  impl.cinfo.progress = nullptr;
  jpeg_mem_src(&impl.cinfo, reinterpret_cast<const unsigned char*>(encoded.data()), encoded.size());
  jpeg_read_header(&impl.cinfo, TRUE);
  const JpegHeader header{.width_px = impl.cinfo.image_width,
                          .height_px = impl.cinfo.image_height,
                          .components = static_cast<std::uint8_t>(impl.cinfo.num_components),
                          .has_several_scans = jpeg_has_multiple_scans(&impl.cinfo) != 0,
                          .subsampling_x = impl.subsampling(true),
                          .subsampling_y = impl.subsampling(false)};
  jpeg_abort_decompress(&impl.cinfo);
  return header;
}

DecodePrice jpeg_decode_price(const StoredInfo& info, const DecodeRequest& request) noexcept {
  // Tables of the entropy decoder, colour conversion and range limits, and libjpeg's own structs:
  // 15 KiB with libjpeg-turbo 2.1.5 for a picture of 16 x 16, doubled.
  constexpr std::size_t kFixedBytes = 32u << 10;
  // Blocks are padded to whole MCUs, of at most four blocks a side.
  const std::uint64_t width_blocks = ceil_div(info.width_px, 8) + 4;
  const std::uint64_t height_blocks = ceil_div(info.height_px, 8) + 4;
  const std::uint64_t num_chroma = info.components > 1 ? info.components - 1u : 0u;

  // Row buffers of the main controller (ten row groups) and of the upsampler (one), full width.
  const std::uint64_t rows = 11u * 4u * (1 + num_chroma);
  std::uint64_t scratch = kFixedBytes + rows * (width_blocks * 8 + 64);
  if (info.is_progressive) {
    constexpr std::uint64_t kBlockBytes = 64 * sizeof(JCOEF);
    const std::uint64_t luma_blocks = width_blocks * height_blocks;
    const std::uint64_t chroma_blocks = (ceil_div(info.width_px, 8u * info.subsampling_x) + 4) *
                                        (ceil_div(info.height_px, 8u * info.subsampling_y) + 4);
    scratch += kBlockBytes * (luma_blocks + num_chroma * chroma_blocks);
    scratch += (1 + num_chroma) * height_blocks * sizeof(void*);
  }
  const std::uint64_t decoded = ceil_div(info.width_px, request.decode_scale) *
                                ceil_div(info.height_px, request.decode_scale) * request.channels;
  return {.decoded_bytes = decoded, .scratch_bytes = scratch};
}

Result<DecodedView> JpegDecoder::decode(std::span<const std::byte> encoded, const StoredInfo& info,
                                        const DecodeRequest& request, std::span<std::byte> pixels,
                                        std::span<std::byte> scratch,
                                        const std::stop_token& stop) noexcept {
  Impl& impl = *impl_;
  jpeg_decompress_struct& cinfo = impl.cinfo;
  // Nothing with a destructor may live across this call: a longjmp would skip it.
  if (setjmp(impl.error.on_error) != 0) {
    impl.destroy();
    return fault(impl.error.text.data());
  }
  if (!impl.is_made) impl.remake();
  impl.error.has_fatal_warning = false;
  impl.memory.lend(scratch);
  impl.progress.base.progress_monitor = watch_progress;
  impl.progress.stop = &stop;
  cinfo.progress = &impl.progress.base;
  jpeg_mem_src(&cinfo, reinterpret_cast<const unsigned char*>(encoded.data()), encoded.size());
  jpeg_read_header(&cinfo, TRUE);
  if (cinfo.image_width != info.width_px || cinfo.image_height != info.height_px) {
    jpeg_abort_decompress(&cinfo);
    return fault("the picture's sides are not those of the index");
  }
  if (jpeg_has_multiple_scans(&cinfo) != 0 && !info.is_progressive) {
    jpeg_abort_decompress(&cinfo);
    return fault("the picture has several scans, the index says one");
  }
  cinfo.scale_num = 1;
  cinfo.scale_denom = request.decode_scale;
  cinfo.out_color_space = request.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&cinfo);

  const std::size_t row_bytes = std::size_t{cinfo.output_width} * request.channels;
  if (row_bytes * cinfo.output_height > pixels.size()) {
    jpeg_abort_decompress(&cinfo);
    return fault("the picture is larger than was priced");
  }
  while (cinfo.output_scanline < cinfo.output_height) {
    if (stop.stop_requested()) {
      jpeg_abort_decompress(&cinfo);
      return fault("stopped");
    }
    const JDIMENSION end = std::min(cinfo.output_scanline + kRowsBetweenPolls, cinfo.output_height);
    while (cinfo.output_scanline < end) {
      auto* row = reinterpret_cast<JSAMPROW>(pixels.data()) + cinfo.output_scanline * row_bytes;
      jpeg_read_scanlines(&cinfo, &row, 1);
    }
  }
  jpeg_finish_decompress(&cinfo);
  if (impl.error.has_fatal_warning) return fault(impl.error.text.data());

  DecodedView view;
  view.image = {.pixels_hwc = reinterpret_cast<const std::uint8_t*>(pixels.data()),
                .width_px = cinfo.output_width,
                .height_px = cinfo.output_height,
                .channels = request.channels,
                .pixel_stride_bytes = request.channels,
                .row_stride_bytes = row_bytes};
  view.region = {0, 0, cinfo.output_width, cinfo.output_height};
  view.decode_scale = request.decode_scale;
  return view;
}

std::size_t JpegDecoder::last_scratch_bytes() const noexcept {
  return impl_->memory.used_bytes();
}

}  // namespace penstock
