#include "tools/convert/image/jpeg_baseline.h"

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include <jpeglib.h>

#include "streamer/read/jpeg_warning.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/upright.h"

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

void leave_rewrite_with(j_common_ptr cinfo, std::string_view text) {
  auto* errors = reinterpret_cast<RewriteErrors*>(cinfo->err);
  errors->text[text.copy(errors->text.data(), errors->text.size() - 1)] = '\0';
  std::longjmp(errors->on_error, 1);
}

void watch_rewrite(j_common_ptr cinfo) {
  if (!reinterpret_cast<const RewriteProgress*>(cinfo->progress)->stop->stop_requested()) return;
  leave_rewrite_with(cinfo, "stopped");
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
  UprightSteps steps;
  std::array<jvirt_barray_ptr, MAX_COMPONENTS> turned{};  // in the memory of `in`
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

// A mirrored side must be whole: what pads it would come to stand at the front.
bool is_turnable(const jpeg_decompress_struct& in, const UprightSteps& steps) {
  const bool mirrors_width = steps.is_transposed ? steps.is_mirrored_y : steps.is_mirrored_x;
  const bool mirrors_height = steps.is_transposed ? steps.is_mirrored_x : steps.is_mirrored_y;
  const bool is_gray = in.num_components == 1;
  const JDIMENSION unit_width = DCTSIZE * (is_gray ? 1 : in.max_h_samp_factor);
  const JDIMENSION unit_height = DCTSIZE * (is_gray ? 1 : in.max_v_samp_factor);
  return (!mirrors_width || in.image_width % unit_width == 0) &&
         (!mirrors_height || in.image_height % unit_height == 0);
}

// Called before the coefficients are read: libjpeg makes all arrays at once.
void request_turned(RewriteState& state) {
  jpeg_decompress_struct& in = state.in;
  for (int c = 0; c < in.num_components; ++c) {
    const jpeg_component_info& component = in.comp_info[c];
    JDIMENSION columns = component.width_in_blocks;
    JDIMENSION rows = component.height_in_blocks;
    if (state.steps.is_transposed) std::swap(columns, rows);
    state.turned[c] = in.mem->request_virt_barray(reinterpret_cast<j_common_ptr>(&in), JPOOL_IMAGE,
                                                  FALSE, columns, rows, MAX_SAMP_FACTOR);
  }
}

// A mirrored cosine of odd frequency changes its sign.
void turn_block(const JCOEF* from, const UprightSteps& steps, JCOEF* to) {
  for (int v = 0; v < DCTSIZE; ++v) {
    for (int u = 0; u < DCTSIZE; ++u) {
      const JCOEF value = steps.is_transposed ? from[u * DCTSIZE + v] : from[v * DCTSIZE + u];
      const bool changes_sign =
          ((steps.is_mirrored_x && (u & 1) != 0) != (steps.is_mirrored_y && (v & 1) != 0));
      to[v * DCTSIZE + u] = changes_sign ? static_cast<JCOEF>(-value) : value;
    }
  }
}

void turn_component(RewriteState& state, int c, jvirt_barray_ptr coefficients) {
  jpeg_decompress_struct& in = state.in;
  const UprightSteps& steps = state.steps;
  const auto common = reinterpret_cast<j_common_ptr>(&in);
  JDIMENSION columns = in.comp_info[c].width_in_blocks;
  JDIMENSION rows = in.comp_info[c].height_in_blocks;
  if (steps.is_transposed) std::swap(columns, rows);
  for (JDIMENSION row = 0; row < rows; ++row) {
    const JDIMENSION y = steps.is_mirrored_y ? rows - 1 - row : row;
    JBLOCKROW out = *in.mem->access_virt_barray(common, state.turned[c], row, 1, TRUE);
    for (JDIMENSION column = 0; column < columns; ++column) {
      const JDIMENSION x = steps.is_mirrored_x ? columns - 1 - column : column;
      const JDIMENSION from_row = steps.is_transposed ? x : y;
      const JDIMENSION from_column = steps.is_transposed ? y : x;
      JBLOCKROW from = *in.mem->access_virt_barray(common, coefficients, from_row, 1, FALSE);
      turn_block(from[from_column], steps, out[column]);
    }
  }
}

void transpose_description(jpeg_compress_struct& out) {
  std::swap(out.image_width, out.image_height);
  for (int c = 0; c < out.num_components; ++c) {
    std::swap(out.comp_info[c].h_samp_factor, out.comp_info[c].v_samp_factor);
  }
  for (JQUANT_TBL* table : out.quant_tbl_ptrs) {
    if (table == nullptr) continue;
    for (int v = 0; v < DCTSIZE; ++v) {
      for (int u = 0; u < v; ++u) {
        std::swap(table->quantval[v * DCTSIZE + u], table->quantval[u * DCTSIZE + v]);
      }
    }
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
  if (!is_turnable(in, state.steps))
    leave_rewrite_with(reinterpret_cast<j_common_ptr>(&in), "sides of no whole coded units");
  const bool is_turned = !state.steps.is_nothing();
  if (is_turned) request_turned(state);
  jvirt_barray_ptr* const coefficients = jpeg_read_coefficients(&in);

  jpeg_create_compress(&out);
  out.progress = &state.progress.base;
  jpeg_mem_dest(&out, &state.bytes, &state.num_bytes);
  state.has_destination = true;
  jpeg_copy_critical_parameters(&in, &out);
  if (state.steps.is_transposed) transpose_description(out);
  out.optimize_coding = TRUE;
  out.restart_in_rows = 1;
  out.write_JFIF_header = FALSE;
  out.write_Adobe_marker = FALSE;
  if (is_turned) {
    for (int c = 0; c < in.num_components; ++c) turn_component(state, c, coefficients[c]);
  }
  jpeg_write_coefficients(&out, is_turned ? state.turned.data() : coefficients);
  write_metadata(in, out);
  jpeg_finish_compress(&out);
  jpeg_finish_decompress(&in);
  return true;
}

BaselineOutcome rewritten(std::span<const std::byte> jpeg, const UprightSteps& steps,
                          const std::stop_token& stop) {
  const auto state = std::make_unique<RewriteState>();
  state->steps = steps;
  if (!rewrite(*state, jpeg, stop)) return std::string(state->errors.text.data());
  const auto* const begin = reinterpret_cast<const std::byte*>(state->bytes);
  return std::vector<std::byte>(begin, begin + state->num_bytes);
}

}  // namespace

BaselineOutcome rewrite_as_baseline(std::span<const std::byte> jpeg, const std::stop_token& stop) {
  return rewritten(jpeg, {}, stop);
}

BaselineOutcome rewrite_upright(std::span<const std::byte> jpeg, std::uint8_t orientation,
                                const std::stop_token& stop) {
  std::vector<std::byte> upright(jpeg.begin(), jpeg.end());
  set_exif_upright(upright);
  return rewritten(upright, upright_steps(orientation), stop);
}

}  // namespace penstock::convert
