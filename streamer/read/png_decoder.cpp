#include "streamer/read/png_decoder.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>

#include <png.h>

#include "streamer/read/decode_region.h"
#include "streamer/read/pixel_copy.h"
#include "streamer/read/png_memory.h"

namespace penstock {
namespace {

SampleFault fault(std::string_view text) {
  return {SampleStatus::kDecodeFailed, text};
}

// One picture on its way through libpng; its functions find it by the pointers that libpng keeps.
struct Reading {
  std::jmp_buf on_error;
  std::array<char, 120> text;
  std::span<const std::byte> rest;
  PngMemory memory;
  png_structp png = nullptr;
  png_infop info = nullptr;
};

[[noreturn]] void leave(png_structp png, png_const_charp message) {
  auto* reading = static_cast<Reading*>(png_get_error_ptr(png));
  const std::string_view text(message);
  reading->text[text.copy(reading->text.data(), reading->text.size() - 1)] = '\0';
  std::longjmp(reading->on_error, 1);
}

// libpng warns of what costs no pixel, such as bytes after the last row; else it is an error.
void pass_over(png_structp, png_const_charp) {}

png_voidp take(png_structp png, png_alloc_size_t bytes) {
  return static_cast<PngMemory*>(png_get_mem_ptr(png))->take(bytes);
}

void give_back(png_structp png, png_voidp piece) {
  static_cast<PngMemory*>(png_get_mem_ptr(png))->give_back(piece);
}

void read_bytes(png_structp png, png_bytep to, std::size_t num_bytes) {
  auto* reading = static_cast<Reading*>(png_get_io_ptr(png));
  if (reading->rest.size() < num_bytes) png_error(png, "the picture is cut short");
  std::memcpy(to, reading->rest.data(), num_bytes);
  reading->rest = reading->rest.subspan(num_bytes);
}

// Row of the picture as libpng hands it out: 8 bits, gray or RGB.
std::size_t row_bytes(const StoredInfo& info) noexcept {
  return std::size_t{info.width_px} * info.components;
}

// Rows of the region that are held: one, or where passes of interlacing come back to them, all.
std::uint32_t num_rows_held(const StoredInfo& info, const RectPx& region) noexcept {
  return info.is_progressive ? region.height : 1;
}

// Where libpng puts the rows of the region, as wide as the picture.
class HeldRows {
 public:
  HeldRows(png_structp png, const StoredInfo& info, const RectPx& region)
      : info_(info),
        region_(region),
        step_(info.is_progressive ? 1 : 0),
        rows_(static_cast<png_bytep>(
            png_malloc(png, num_rows_held(info, region) * row_bytes(info)))) {}

  // Null for a row that is not wanted: libpng unfilters it and no more.
  png_bytep row(std::uint32_t y) const noexcept {
    if (y < region_.y || y - region_.y >= region_.height) return nullptr;
    return rows_ + (y - region_.y) * step_ * row_bytes(info_);
  }

  void copy_row(std::uint32_t y, const MutableImageView& part) const noexcept {
    const ImageView from{.pixels_hwc = row(y),
                         .width_px = info_.width_px,
                         .height_px = 1,
                         .channels = info_.components,
                         .pixel_stride_bytes = info_.components,
                         .row_stride_bytes = row_bytes(info_)};
    MutableImageView to = part;
    to.pixels_hwc = part.row(y - region_.y);
    to.height_px = 1;
    copy_part(from, {.x = region_.x}, to);
  }

 private:
  const StoredInfo& info_;
  const RectPx& region_;
  const std::size_t step_;  // rows from one to the next
  const png_bytep rows_;
};

}  // namespace

struct PngDecoder::Impl {
  Reading reading{};

  void begin(std::span<const std::byte> encoded, std::span<std::byte> scratch) {
    reading.memory.lend(scratch);
    reading.rest = encoded;
    reading.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &reading, leave, pass_over,
                                           &reading.memory, take, give_back);
    if (reading.png == nullptr) return;
    reading.info = png_create_info_struct(reading.png);
    png_set_read_fn(reading.png, &reading, read_bytes);
    png_set_user_limits(reading.png, 65535, 65535);  // the index's own
    // All chunks but those of the picture, known or not.
    png_set_keep_unknown_chunks(reading.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  }

  // Tells libpng to hand out 8 bits, gray or RGB.
  void ask_for_plain_pixels() {
    png_structp png = reading.png;
    png_set_strip_16(png);
    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_alpha(png);
  }

  // Also after an error, which leaves libpng's object such that it can be destroyed.
  void end() noexcept {
    if (reading.png != nullptr) png_destroy_read_struct(&reading.png, &reading.info, nullptr);
    reading.png = nullptr;
    reading.info = nullptr;
  }

  SampleFault abandon(std::string_view why) noexcept {
    end();
    return fault(why);
  }

  // Why the picture is not what the index says; empty when it is.
  std::string_view contradiction(const StoredInfo& info) const noexcept {
    const auto color_type = png_get_color_type(reading.png, reading.info);
    const int components = (color_type & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
    const bool is_interlaced =
        png_get_interlace_type(reading.png, reading.info) != PNG_INTERLACE_NONE;
    if (png_get_image_width(reading.png, reading.info) != info.width_px ||
        png_get_image_height(reading.png, reading.info) != info.height_px) {
      return "the picture's sides are not those of the index";
    }
    if (components != info.components) return "the picture's components are not those of the index";
    if (is_interlaced && !info.is_progressive) {
      return "the picture is interlaced, the index says it is not";
    }
    return {};
  }
};

PngDecoder::PngDecoder() : impl_(std::make_unique<Impl>()) {}
PngDecoder::~PngDecoder() = default;

DecodePrice png_decode_price(const StoredInfo& info, const DecodeRequest& request) noexcept {
  // libpng's structs and buffer of 8 KiB, zlib's inflater with its window of 32 KiB: 49 KiB with
  // libpng 1.6.39 and zlib 1.2.13 for a picture of 16 x 16, doubled.
  constexpr std::size_t kFixedBytes = 96u << 10;
  // libpng unfilters between two rows as stored, at most 16 bits of red, green, blue and alpha.
  const std::size_t stored_rows = 2 * (8 * (std::size_t{info.width_px} + 8) + 128);
  const RectPx region = region_at_scale(info, request);
  return {
      .decoded_bytes = std::size_t{region.width} * region.height * request.channels,
      .scratch_bytes = kFixedBytes + stored_rows + num_rows_held(info, region) * row_bytes(info)};
}

Result<DecodedView> PngDecoder::decode(std::span<const std::byte> encoded, const StoredInfo& info,
                                       const DecodeRequest& request, std::span<std::byte> pixels,
                                       std::span<std::byte> scratch,
                                       const std::stop_token& stop) noexcept {
  Impl& impl = *impl_;
  Reading& reading = impl.reading;
  if (request.decode_scale != 1) return fault("PNG: expected decode scale 1, found a coarser one");
  const RectPx region = region_at_scale(info, request);
  if (region.width == 0) return fault("the region lies outside the picture");
  // Nothing with a destructor may live across this call: a longjmp would skip it.
  if (setjmp(reading.on_error) != 0) return impl.abandon(reading.text.data());
  impl.begin(encoded, scratch);
  if (reading.info == nullptr) return impl.abandon("too little scratch for libpng");
  png_read_info(reading.png, reading.info);
  const std::string_view contradiction = impl.contradiction(info);
  if (!contradiction.empty()) return impl.abandon(contradiction);
  impl.ask_for_plain_pixels();
  const int num_passes = png_set_interlace_handling(reading.png);
  png_read_update_info(reading.png, reading.info);

  const MutableImageView part = part_of(region, request.channels, pixels);
  if (png_get_rowbytes(reading.png, reading.info) != row_bytes(info) ||
      part.row_stride_bytes * region.height > pixels.size()) {
    return impl.abandon("the picture is larger than was priced");
  }
  const HeldRows held(reading.png, info, region);
  const std::uint32_t region_end = region.y + region.height;
  for (int pass = 0; pass < num_passes; ++pass) {
    const bool is_last_pass = pass + 1 == num_passes;
    const std::uint32_t end = is_last_pass ? region_end : info.height_px;
    for (std::uint32_t y = 0; y < end; ++y) {
      if (stop.stop_requested()) return impl.abandon("stopped");
      png_read_row(reading.png, held.row(y), nullptr);
      if (is_last_pass && held.row(y) != nullptr) held.copy_row(y, part);
    }
  }
  if (region_end == info.height_px) png_read_end(reading.png, nullptr);
  impl.end();
  return DecodedView{.image = part, .region = region};
}

std::size_t PngDecoder::last_scratch_bytes() const noexcept {
  return impl_->reading.memory.most_used_bytes();
}

}  // namespace penstock
