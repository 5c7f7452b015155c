#include "tools/bench/bare_resize.h"

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <opencv2/imgproc.hpp>

#include <jpeglib.h>

namespace penstock::tools::bench {
namespace {

struct ErrorState {
  jpeg_error_mgr base;  // first: libjpeg hands a pointer to it back
  std::jmp_buf on_error;
};

void leave(j_common_ptr cinfo) {
  std::longjmp(reinterpret_cast<ErrorState*>(cinfo->err)->on_error, 1);
}

}  // namespace

struct BareResize::Impl {
  jpeg_compress_struct cinfo{};
  ErrorState error{};
  cv::Mat resized;
  unsigned char* bytes = nullptr;
  unsigned long num_bytes = 0;

  Impl() {
    cinfo.err = jpeg_std_error(&error.base);
    error.base.error_exit = leave;
    jpeg_create_compress(&cinfo);
    cv::setNumThreads(1);
  }
  ~Impl() {
    jpeg_destroy_compress(&cinfo);
    std::free(bytes);
  }

  bool encode(const cv::Mat& image, int quality) {
    if (setjmp(error.on_error) != 0) {
      jpeg_abort_compress(&cinfo);
      return false;
    }
    std::free(bytes);
    bytes = nullptr;
    num_bytes = 0;
    jpeg_mem_dest(&cinfo, &bytes, &num_bytes);
    cinfo.image_width = static_cast<JDIMENSION>(image.cols);
    cinfo.image_height = static_cast<JDIMENSION>(image.rows);
    cinfo.input_components = 3;
    cinfo.in_color_space = JCS_RGB;
    jpeg_set_defaults(&cinfo);
    jpeg_set_quality(&cinfo, quality, TRUE);
    jpeg_start_compress(&cinfo, TRUE);
    while (cinfo.next_scanline < cinfo.image_height) {
      auto* row = const_cast<JSAMPROW>(image.ptr(static_cast<int>(cinfo.next_scanline)));
      jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
    return true;
  }
};

BareResize::BareResize() : impl_(std::make_unique<Impl>()) {}
BareResize::BareResize(BareResize&&) noexcept = default;
BareResize::~BareResize() = default;

std::span<const std::byte> BareResize::encode_resized(const ImageView& pixels,
                                                      std::uint32_t short_px,
                                                      int quality) noexcept {
  const cv::Mat whole(static_cast<int>(pixels.height_px), static_cast<int>(pixels.width_px),
                      CV_8UC3, const_cast<std::uint8_t*>(pixels.pixels_hwc),
                      pixels.row_stride_bytes);
  const double shorter = std::min(whole.cols, whole.rows);
  const double factor = std::min(1.0, short_px / shorter);
  const cv::Size size(static_cast<int>(std::lround(whole.cols * factor)),
                      static_cast<int>(std::lround(whole.rows * factor)));
  if (size != whole.size()) cv::resize(whole, impl_->resized, size, 0, 0, cv::INTER_AREA);
  const cv::Mat& result = size == whole.size() ? whole : impl_->resized;
  if (!impl_->encode(result, quality)) return {};
  return {reinterpret_cast<const std::byte*>(impl_->bytes), impl_->num_bytes};
}

}  // namespace penstock::tools::bench
