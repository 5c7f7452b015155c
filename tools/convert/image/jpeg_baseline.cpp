#include "tools/convert/image/jpeg_baseline.h"

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <jpeglib.h>

#include "streamer/read/jpeg_warning.h"

namespace penstock::convert {
namespace {

struct RewriteErrors {
  jpeg_error_mgr base;  // first: libjpeg hands a pointer to it back
  std::jmp_buf on_error;
  std::array<char, JMSG_LENGTH_MAX> text;
};

void leave_rewrite(j_common_ptr cinfo) {
  auto* errors = reinterpret_cast<RewriteErrors*>(cinfo->err);
  cinfo->err->format_message(cinfo, errors->text.data());
  std::longjmp(errors->on_error, 1);
}

void leave_rewrite_on_warning(j_common_ptr cinfo, int level) {
  if (level < 0 && !costs_no_pixel(cinfo->err->msg_code)) leave_rewrite(cinfo);
}

// libjpeg calls it at every row of blocks, reading and writing.
struct RewriteProgress {
  jpeg_progress_mgr base;  // first: libjpeg hands a pointer to it back
  const std::stop_token* stop;
};

void watch_rewrite(j_common_ptr cinfo) {
  if (!reinterpret_cast<const RewriteProgress*>(cinfo->progress)->stop->stop_requested()) return;
  auto* errors = reinterpret_cast<RewriteErrors*>(cinfo->err);
  constexpr std::string_view kStopped = "stopped";
  errors->text[kStopped.copy(errors->text.data(), errors->text.size() - 1)] = '\0';
  std::longjmp(errors->on_error, 1);
}

// Owned by the caller, because longjmp runs no destructors. libjpeg may destroy twice, and what was
// never created.
struct RewriteState {
  RewriteState() = default;
  RewriteState(const RewriteState&) = delete;
  RewriteState& operator=(const RewriteState&) = delete;
  ~RewriteState() {
    jpeg_destroy_compress(&out);
    jpeg_destroy_decompress(&in);
    std::free(bytes);  // allocated by libjpeg with malloc
  }

  jpeg_decompress_struct in{};
  jpeg_compress_struct out{};
  RewriteErrors errors{};
  RewriteProgress progress{};
  bool has_destination = false;
  unsigned char* bytes = nullptr;
  unsigned long num_bytes = 0;
};

void save_metadata(jpeg_decompress_struct& in) {
  constexpr unsigned kWhole = 0xFFFF;
  constexpr int kNumApp = 16;
  jpeg_save_markers(&in, JPEG_COM, kWhole);
  for (int i = 0; i < kNumApp; ++i) jpeg_save_markers(&in, JPEG_APP0 + i, kWhole);
}

// JFIF's and Adobe's segments are among those that were saved: libjpeg is not to make its own.
void write_metadata(const jpeg_decompress_struct& in, jpeg_compress_struct& out) {
  for (auto* marker = in.marker_list; marker != nullptr; marker = marker->next) {
    jpeg_write_marker(&out, marker->marker, marker->data, marker->data_length);
  }
}

bool rewrite(RewriteState& state, std::span<const std::byte> jpeg, const std::stop_token& stop) {
  jpeg_decompress_struct& in = state.in;
  jpeg_compress_struct& out = state.out;
  in.err = out.err = jpeg_std_error(&state.errors.base);
  state.errors.base.error_exit = leave_rewrite;
  state.errors.base.emit_message = leave_rewrite_on_warning;
  state.progress.base.progress_monitor = watch_rewrite;
  state.progress.stop = &stop;
  if (setjmp(state.errors.on_error) != 0) {
    // Until then `bytes` is the first buffer, which libjpeg has freed once it took a larger one.
    if (state.has_destination) out.dest->term_destination(&out);
    return false;
  }
  jpeg_create_decompress(&in);
  in.progress = &state.progress.base;
  jpeg_mem_src(&in, reinterpret_cast<const unsigned char*>(jpeg.data()), jpeg.size());
  save_metadata(in);
  jpeg_read_header(&in, TRUE);
  jvirt_barray_ptr* const coefficients = jpeg_read_coefficients(&in);

  jpeg_create_compress(&out);
  out.progress = &state.progress.base;
  jpeg_mem_dest(&out, &state.bytes, &state.num_bytes);
  state.has_destination = true;
  jpeg_copy_critical_parameters(&in, &out);
  out.optimize_coding = TRUE;
  out.restart_in_rows = 1;
  out.write_JFIF_header = FALSE;
  out.write_Adobe_marker = FALSE;
  jpeg_write_coefficients(&out, coefficients);
  write_metadata(in, out);
  jpeg_finish_compress(&out);
  jpeg_finish_decompress(&in);
  return true;
}

}  // namespace

BaselineOutcome rewrite_as_baseline(std::span<const std::byte> jpeg, const std::stop_token& stop) {
  const auto state = std::make_unique<RewriteState>();
  if (!rewrite(*state, jpeg, stop)) return std::string(state->errors.text.data());
  const auto* const begin = reinterpret_cast<const std::byte*>(state->bytes);
  return std::vector<std::byte>(begin, begin + state->num_bytes);
}

}  // namespace penstock::convert
