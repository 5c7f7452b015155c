#include "tools/bench/opencv_chains.h"

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace penstock::tools::bench {

struct OpencvBuffers {
  cv::Mat padded;
  cv::Mat sampled;
  cv::Mat flipped;
  cv::Mat floats;
  std::vector<cv::Mat> planes;
};

namespace {

cv::Mat picture_of(const ImageView& view) {
  return {static_cast<int>(view.height_px), static_cast<int>(view.width_px), CV_8UC3,
          const_cast<std::uint8_t*>(view.pixels_hwc), view.row_stride_bytes};
}

cv::Size output_of(const BatchSpec& spec) {
  return {static_cast<int>(spec.width_px), static_cast<int>(spec.height_px)};
}

int border_of(augment::FillMode mode) {
  switch (mode) {
    case augment::FillMode::kNearest:
      return cv::BORDER_REPLICATE;
    case augment::FillMode::kConstant:
      return cv::BORDER_CONSTANT;
    case augment::FillMode::kReflect:
      return cv::BORDER_REFLECT;
    case augment::FillMode::kWrap:
      return cv::BORDER_WRAP;
  }
  return cv::BORDER_REPLICATE;
}

/// convertTo, subtract, multiply and, for planes, split.
void normalise(const cv::Mat& bytes, const ChainInput& input, OpencvBuffers& buffers) {
  const augment::AugmentConfig& config = *input.config;
  cv::Scalar mean;
  cv::Scalar gain;
  for (int c = 0; c < 3; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    mean[c] = config.mean[channel] / config.rescale;
    gain[c] = config.rescale / config.std[channel];
  }
  bytes.convertTo(buffers.floats, CV_32F);
  cv::subtract(buffers.floats, mean, buffers.floats);
  if (input.spec->layout == PixelLayout::kNhwc) {
    cv::multiply(buffers.floats, gain, cv::Mat(bytes.rows, bytes.cols, CV_32FC3, input.out));
    return;
  }
  cv::multiply(buffers.floats, gain, buffers.floats);
  buffers.planes.clear();
  for (int c = 0; c < 3; ++c) {
    buffers.planes.emplace_back(bytes.rows, bytes.cols, CV_32F,
                                input.out + static_cast<std::size_t>(c) * bytes.total());
  }
  cv::split(buffers.floats, buffers.planes);
}

void flip_and_normalise(const cv::Mat& bytes, const ChainInput& input, OpencvBuffers& buffers) {
  if (!input.drawn.is_flipped) return normalise(bytes, input, buffers);
  cv::flip(bytes, buffers.flipped, 1);
  normalise(buffers.flipped, input, buffers);
}

}  // namespace

std::shared_ptr<OpencvBuffers> make_opencv_buffers() {
  cv::setNumThreads(1);
  return std::make_shared<OpencvBuffers>();
}

void warp_with_opencv(const ChainInput& input, OpencvBuffers& buffers) {
  const augment::AffineMap& map = input.map;
  const cv::Matx23d matrix(map.xx, map.xy, map.x0, map.yx, map.yy, map.y0);
  cv::warpAffine(picture_of(input.source), buffers.sampled, matrix, output_of(*input.spec),
                 cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, border_of(input.config->fill_mode));
  normalise(buffers.sampled, input, buffers);
}

void resize_with_opencv(const ChainInput& input, OpencvBuffers& buffers) {
  const RectPx& window = input.drawn.crop;
  const cv::Mat crop = picture_of(input.source)(
      cv::Rect(static_cast<int>(window.x), static_cast<int>(window.y),
               static_cast<int>(window.width), static_cast<int>(window.height)));
  cv::resize(crop, buffers.sampled, output_of(*input.spec), 0, 0, cv::INTER_LINEAR);
  flip_and_normalise(buffers.sampled, input, buffers);
}

void pad_with_opencv(const ChainInput& input, OpencvBuffers& buffers) {
  const auto padding = static_cast<int>(input.config->random_crop_padding);
  cv::copyMakeBorder(picture_of(input.source), buffers.padded, padding, padding, padding, padding,
                     border_of(input.config->fill_mode), cv::Scalar::all(input.config->cval));
  // The map mirrors after it shifts, so the window lies where the shift says.
  const cv::Point corner(padding + static_cast<int>(std::lround(input.drawn.shift_px.x)),
                         padding + static_cast<int>(std::lround(input.drawn.shift_px.y)));
  flip_and_normalise(buffers.padded(cv::Rect(corner, output_of(*input.spec))), input, buffers);
}

}  // namespace penstock::tools::bench
