#include "streamer/read/jpeg_decoder.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <functional>
#include <optional>
#include <utility>

#include <jpeglib.h>

#include <jerror.h>

#include "streamer/read/decode_region.h"
#include "streamer/read/jpeg_memory.h"
#include "streamer/read/jpeg_restart.h"
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

SampleFault fault(std::string_view text) {
  return {SampleStatus::kDecodeFailed, text};
}

// A progressive picture needs about ten scans; each costs a pass over all coefficients, so a small
// file with thousands of empty ones would cost hours.
constexpr int kMaxScans = 500;

// Looks at the stop token at every output row and, while the coefficients of a picture of several
// scans are zeroed and absorbed, at every row of blocks.
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

// Hands libjpeg the encoded bytes a slice at a time: where it skips rows, only the source is asked
// often enough to look at the stop token.
struct Source {
  jpeg_source_mgr base;  // first: libjpeg hands a pointer to it back
  std::span<const std::byte> rest;
  const std::stop_token* stop;
  // Of a picture that is entered below its top: what follows `rest`, and the height in its header.
  std::array<std::span<const std::byte>, 3> pieces;
  std::array<std::byte, 2> height;
  unsigned first_restart;
};

const std::stop_token kNoStop;

// About 10 ms of decoding. Near the end of a slice libjpeg decodes in its slower way.
constexpr std::size_t kSliceBytes = 1u << 20;

void take_slice(Source& source) {
  for (std::size_t i = 0; source.rest.empty() && i < source.pieces.size(); ++i) {
    source.rest = std::exchange(source.pieces[i], {});
  }
  const auto slice = source.rest.first(std::min(source.rest.size(), kSliceBytes));
  source.rest = source.rest.subspan(slice.size());
  source.base.next_input_byte = reinterpret_cast<const JOCTET*>(slice.data());
  source.base.bytes_in_buffer = slice.size();
}

boolean next_slice(j_decompress_ptr cinfo) {
  auto* source = reinterpret_cast<Source*>(cinfo->src);
  if (source->stop->stop_requested()) leave_with(reinterpret_cast<j_common_ptr>(cinfo), "stopped");
  take_slice(*source);
  if (source->base.bytes_in_buffer > 0) return TRUE;
  static constexpr std::array<JOCTET, 2> kEndOfImage = {0xFF, JPEG_EOI};
  WARNMS(cinfo, JWRN_JPEG_EOF);  // as jpeg_mem_src() does
  source->base.next_input_byte = kEndOfImage.data();
  source->base.bytes_in_buffer = kEndOfImage.size();
  return TRUE;
}

void skip_input(j_decompress_ptr cinfo, long num_bytes) {
  if (num_bytes <= 0) return;
  auto left = static_cast<std::size_t>(num_bytes);
  while (left > cinfo->src->bytes_in_buffer) {
    left -= cinfo->src->bytes_in_buffer;
    next_slice(cinfo);
  }
  cinfo->src->next_input_byte += left;
  cinfo->src->bytes_in_buffer -= left;
}

// libjpeg numbers the restart markers of a scan from 0; below the top they begin with another.
boolean meet_restart(j_decompress_ptr cinfo, int number) {
  const auto* source = reinterpret_cast<const Source*>(cinfo->src);
  constexpr int kNumRestarts = 8;
  const int there = (number + static_cast<int>(source->first_restart)) % kNumRestarts;
  if (cinfo->unread_marker != JPEG_RST0 + there) return jpeg_resync_to_restart(cinfo, number);
  cinfo->unread_marker = 0;  // as read_restart_marker() does with the one it awaits
  return TRUE;
}

// Leaves out the rows above `entry`.
void enter_below_top(Source& source, std::span<const std::byte> encoded, const JpegEntry& entry) {
  constexpr std::size_t kHeightBytes = 2;
  source.height = {static_cast<std::byte>(entry.height_px >> 8),
                   static_cast<std::byte>(entry.height_px & 0xFF)};
  source.rest = encoded.first(entry.height_at);
  source.pieces = {source.height,
                   encoded.subspan(entry.height_at + kHeightBytes,
                                   entry.data_at - entry.height_at - kHeightBytes),
                   encoded.subspan(entry.resume_at)};
  source.first_restart = entry.first_restart;
  source.base.resync_to_restart = meet_restart;
}

// Narrows the output to the region's columns and what libjpeg puts before them; returns the first.
JDIMENSION crop_columns(jpeg_decompress_struct& cinfo, const RectPx& region) {
  const JpegColumns asked = jpeg_columns_to_ask({region.x, region.width}, cinfo.output_width);
  JDIMENSION begin = asked.begin;
  JDIMENSION width = asked.width;
  if (width == cinfo.output_width) return begin;
  // libjpeg-turbo 2.1.5 narrows the components by their sampling factors alone, and forgets that
  // it may decode chroma at a larger scale than luma: it would upsample too few columns.
  std::array<JDIMENSION, MAX_COMPONENTS> columns_per_sample;
  for (int c = 0; c < cinfo.num_components; ++c) {
    const JDIMENSION samples = cinfo.comp_info[c].downsampled_width;
    columns_per_sample[c] = (cinfo.output_width + samples - 1) / samples;
  }
  jpeg_crop_scanline(&cinfo, &begin, &width);
  for (int c = 0; c < cinfo.num_components; ++c) {
    cinfo.comp_info[c].downsampled_width =
        (width + columns_per_sample[c] - 1) / columns_per_sample[c];
  }
  return begin;
}

void read_rows(jpeg_decompress_struct& cinfo, const RectPx& region, JSAMPROW first_row,
               std::size_t row_bytes) {
  // Once, from the top: elsewhere libjpeg would lack the row above.
  if (region.y > 0) jpeg_skip_scanlines(&cinfo, region.y);
  std::array<JSAMPROW, MAX_SAMP_FACTOR> rows;  // as many as libjpeg writes at a time
  for (JDIMENSION y = 0; y < region.height;) {
    const auto num_rows = std::min<JDIMENSION>(region.height - y, rows.size());
    for (JDIMENSION i = 0; i < num_rows; ++i) rows[i] = first_row + (y + i) * row_bytes;
    y += jpeg_read_scanlines(&cinfo, rows.data(), num_rows);
  }
}

// In which words the header differs from the index; null: it does not.
const char* contradiction(jpeg_decompress_struct& cinfo, const StoredInfo& info,
                          std::uint32_t skipped_px = 0) {
  if (cinfo.image_width != info.width_px || cinfo.image_height != info.height_px - skipped_px) {
    return "the picture's sides are not those of the index";
  }
  if (jpeg_has_multiple_scans(&cinfo) != 0 && !info.is_progressive) {
    return "the picture has several scans, the index says one";
  }
  return nullptr;
}

}  // namespace

struct JpegDecoder::Impl {
  jpeg_decompress_struct cinfo{};
  ErrorState error{};
  Progress progress{};
  Source source{};
  JpegMemory memory;
  std::uint32_t skipped_px = 0;  // rows at full size that the last picture was entered below
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

  // Lends what one picture needs.
  void begin(std::span<const std::byte> encoded, std::span<std::byte> scratch,
             const std::stop_token& stop, const std::optional<JpegEntry>& entry = std::nullopt) {
    if (!is_made) remake();
    error.has_fatal_warning = false;
    memory.lend(scratch);
    memory.forget_tables(cinfo);
    progress.base.progress_monitor = watch_progress;
    progress.stop = &stop;
    cinfo.progress = &progress.base;
    source.base = {.next_input_byte = nullptr,
                   .bytes_in_buffer = 0,
                   .init_source = [](j_decompress_ptr) {},
                   .fill_input_buffer = next_slice,
                   .skip_input_data = skip_input,
                   .resync_to_restart = jpeg_resync_to_restart,
                   .term_source = [](j_decompress_ptr) {}};
    source.rest = encoded;
    source.stop = &stop;
    source.pieces = {};
    skipped_px = entry ? entry->skipped_px : 0;
    if (entry) enter_below_top(source, encoded, *entry);
    take_slice(source);
    cinfo.src = &source.base;
  }

  // Leaves a picture without an error of libjpeg's, so that its object stays good.
  SampleFault abandon(std::string_view why) {
    jpeg_abort_decompress(&cinfo);
    return fault(why);
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
  impl.begin(encoded, scratch, kNoStop);
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

Result<StripsDone> JpegDecoder::decode_in_strips(std::span<const std::byte> encoded,
                                                 const StoredInfo& info, std::span<std::byte> strip,
                                                 std::span<std::byte> scratch,
                                                 const StripVisitor& visit,
                                                 const std::stop_token& stop) noexcept {
  constexpr std::uint32_t kChannels = 3;
  Impl& impl = *impl_;
  jpeg_decompress_struct& cinfo = impl.cinfo;
  // Nothing with a destructor may live across this call: a longjmp would skip it.
  if (setjmp(impl.error.on_error) != 0) {
    impl.destroy();
    return fault(impl.error.text.data());
  }
  impl.begin(encoded, scratch, stop);
  jpeg_read_header(&cinfo, TRUE);
  if (const char* const what = contradiction(cinfo, info)) return impl.abandon(what);
  cinfo.out_color_space = JCS_RGB;
  cinfo.do_block_smoothing = FALSE;  // as in decode()
  jpeg_start_decompress(&cinfo);
  const std::size_t row_bytes = std::size_t{cinfo.output_width} * kChannels;
  const std::size_t max_rows = strip.size() / row_bytes;
  if (max_rows == 0) return impl.abandon("the picture is larger than was priced");
  auto* const first_row = reinterpret_cast<JSAMPROW>(strip.data());
  while (cinfo.output_scanline < cinfo.output_height) {
    const auto num_rows = static_cast<std::uint32_t>(
        std::min<std::size_t>(max_rows, cinfo.output_height - cinfo.output_scanline));
    read_rows(cinfo, {.x = 0, .y = 0, .width = cinfo.output_width, .height = num_rows}, first_row,
              row_bytes);
    visit({.pixels_hwc = first_row,
           .width_px = cinfo.output_width,
           .height_px = num_rows,
           .channels = kChannels,
           .pixel_stride_bytes = kChannels,
           .row_stride_bytes = row_bytes});
  }
  jpeg_finish_decompress(&cinfo);
  if (impl.error.has_fatal_warning) return impl.abandon(impl.error.text.data());
  return StripsDone{};
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
  const RectPx region = region_at_scale(info, request);
  const std::optional<JpegEntry> entry =
      find_jpeg_entry(encoded, info, {region.y, region.height}, request.decode_scale);
  impl.begin(encoded, scratch, stop, entry);
  jpeg_read_header(&cinfo, TRUE);
  if (const char* const what = contradiction(cinfo, info, impl.skipped_px)) {
    return impl.abandon(what);
  }
  if (region.width == 0) return impl.abandon("the region lies outside the picture");

  cinfo.scale_num = 1;
  cinfo.scale_denom = request.decode_scale;
  cinfo.out_color_space = request.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  // What a progressive picture leaves unsaid would be guessed from blocks that a crop lacks.
  cinfo.do_block_smoothing = FALSE;
  jpeg_start_decompress(&cinfo);
  const JDIMENSION first_column = crop_columns(cinfo, region);
  const std::size_t row_bytes = std::size_t{cinfo.output_width} * request.channels;
  if (row_bytes * region.height > pixels.size()) {
    return impl.abandon("the picture is larger than was priced");
  }
  auto* const first_row = reinterpret_cast<JSAMPROW>(pixels.data());
  RectPx left = region;
  left.y -= impl.skipped_px / request.decode_scale;
  read_rows(cinfo, left, first_row, row_bytes);
  // Below the region nothing is decoded. At the bottom libjpeg looks for the end of the picture.
  const bool is_at_end = cinfo.output_scanline == cinfo.output_height;
  if (is_at_end) jpeg_finish_decompress(&cinfo);
  if (impl.error.has_fatal_warning) return impl.abandon(impl.error.text.data());
  if (!is_at_end) jpeg_abort_decompress(&cinfo);

  DecodedView view;
  view.image = {.pixels_hwc = first_row + std::size_t{region.x - first_column} * request.channels,
                .width_px = region.width,
                .height_px = region.height,
                .channels = request.channels,
                .pixel_stride_bytes = request.channels,
                .row_stride_bytes = row_bytes};
  view.region = region;
  view.decode_scale = request.decode_scale;
  return view;
}

std::size_t JpegDecoder::last_scratch_bytes() const noexcept {
  return impl_->memory.used_bytes();
}

std::uint32_t JpegDecoder::last_skipped_px() const noexcept {
  return impl_->skipped_px;
}

}  // namespace penstock
