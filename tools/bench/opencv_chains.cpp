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
  cv::Mat halves;
  cv::Mat gray;
  cv::Mat gray_rgb;
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

/// Into the place: as it is, or split into planes.
void lay_out(const cv::Mat& pixels, const ChainInput& input, OpencvBuffers& buffers) {
  const int depth = pixels.depth();
  if (input.spec->layout == PixelLayout::kNhwc) {
    pixels.copyTo(cv::Mat(pixels.rows, pixels.cols, CV_MAKETYPE(depth, 3), input.out));
    return;
  }
  buffers.planes.clear();
  for (std::size_t c = 0; c < 3; ++c) {
    buffers.planes.emplace_back(pixels.rows, pixels.cols, depth,
                                input.out + c * pixels.total() * pixels.elemSize1());
  }
  cv::split(pixels, buffers.planes);
}

/// Subtracts, multiplies and lays out what is in buffers.floats.
void normalise_floats(const ChainInput& input, OpencvBuffers& buffers) {
  const augment::AugmentConfig& config = *input.config;
  cv::Mat& floats = buffers.floats;
  cv::Scalar mean;
  cv::Scalar gain;
  for (int c = 0; c < 3; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    mean[c] = config.mean[channel] / config.rescale;
    gain[c] = config.rescale / config.std[channel];
  }
  cv::subtract(floats, mean, floats);
  const bool is_float32 = input.spec->element == ElementType::kFloat32;
  if (is_float32 && input.spec->layout == PixelLayout::kNhwc) {
    cv::multiply(floats, gain, cv::Mat(floats.rows, floats.cols, CV_32FC3, input.out));
    return;
  }
  cv::multiply(floats, gain, floats);
  if (is_float32) return lay_out(floats, input, buffers);
  floats.convertTo(buffers.halves, CV_16F);
  // split takes 16 bits of any meaning, but for this one.
  lay_out({floats.rows, floats.cols, CV_16UC3, buffers.halves.data}, input, buffers);
}

void normalise(const cv::Mat& bytes, const ChainInput& input, OpencvBuffers& buffers) {
  if (input.spec->element == ElementType::kUint8) return lay_out(bytes, input, buffers);
  bytes.convertTo(buffers.floats, CV_32F);
  normalise_floats(input, buffers);
}

/// The mirrored picture, where that was drawn.
const cv::Mat& flipped(const cv::Mat& bytes, const ChainInput& input, OpencvBuffers& buffers) {
  if (!input.drawn.is_flipped) return bytes;
  cv::flip(bytes, buffers.flipped, 1);
  return buffers.flipped;
}

const cv::Mat& resized_crop(const ChainInput& input, OpencvBuffers& buffers) {
  const RectPx& window = input.drawn.crop;
  const cv::Mat crop = picture_of(input.source)(
      cv::Rect(static_cast<int>(window.x), static_cast<int>(window.y),
               static_cast<int>(window.width), static_cast<int>(window.height)));
  cv::resize(crop, buffers.sampled, output_of(*input.spec), 0, 0, cv::INTER_LINEAR);
  return flipped(buffers.sampled, input, buffers);
}

void resize_whole(int interpolation, const ChainInput& input, OpencvBuffers& buffers) {
  cv::resize(picture_of(input.source), buffers.sampled, output_of(*input.spec), 0, 0,
             interpolation);
  normalise(flipped(buffers.sampled, input, buffers), input, buffers);
}

void hold_within_bytes(cv::Mat& floats) {
  cv::max(floats, 0, floats);
  cv::min(floats, 255, floats);
}

/// Brightness, contrast and saturation, of the picture in bytes; in buffers.floats.
void blend_colours(const cv::Mat& bytes, const ChainInput& input, OpencvBuffers& buffers) {
  cv::Mat& floats = buffers.floats;
  bytes.convertTo(floats, CV_32F, input.drawn.brightness);
  const cv::Scalar mean = cv::mean(floats);
  const double gray = 0.299 * mean[0] + 0.587 * mean[1] + 0.114 * mean[2];
  floats.convertTo(floats, CV_32F, input.drawn.contrast, (1 - input.drawn.contrast) * gray);
  cv::cvtColor(floats, buffers.gray, cv::COLOR_RGB2GRAY);
  cv::cvtColor(buffers.gray, buffers.gray_rgb, cv::COLOR_GRAY2RGB);
  cv::addWeighted(floats, input.drawn.saturation, buffers.gray_rgb, 1 - input.drawn.saturation, 0,
                  floats);
  hold_within_bytes(floats);
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
  normalise(resized_crop(input, buffers), input, buffers);
}

void shrink_with_opencv(const ChainInput& input, OpencvBuffers& buffers) {
  resize_whole(cv::INTER_AREA, input, buffers);
}

void cubic_with_opencv(const ChainInput& input, OpencvBuffers& buffers) {
  resize_whole(cv::INTER_CUBIC, input, buffers);
}

void nearest_with_opencv(const ChainInput& input, OpencvBuffers& buffers) {
  resize_whole(cv::INTER_NEAREST_EXACT, input, buffers);
}

void shift_with_opencv(const ChainInput& input, OpencvBuffers& buffers) {
  resized_crop(input, buffers).convertTo(buffers.floats, CV_32F, 1, input.drawn.channel_shift);
  hold_within_bytes(buffers.floats);
  normalise_floats(input, buffers);
}

void jitter_with_opencv(const ChainInput& input, OpencvBuffers& buffers) {
  blend_colours(resized_crop(input, buffers), input, buffers);
  if (input.drawn.hue_turns != 0) {
    cv::Mat& floats = buffers.floats;
    cv::cvtColor(floats, floats, cv::COLOR_RGB2HSV);
    cv::add(floats, cv::Scalar(360 * input.drawn.hue_turns, 0, 0), floats);
    cv::cvtColor(floats, floats, cv::COLOR_HSV2RGB);
  }
  normalise_floats(input, buffers);
}

void pad_with_opencv(const ChainInput& input, OpencvBuffers& buffers) {
  const auto padding = static_cast<int>(input.config->random_crop_padding);
  cv::copyMakeBorder(picture_of(input.source), buffers.padded, padding, padding, padding, padding,
                     border_of(input.config->fill_mode), cv::Scalar::all(input.config->cval));
  // The map mirrors after it shifts, so the window lies where the shift says.
  const cv::Point corner(padding + static_cast<int>(std::lround(input.drawn.shift_px.x)),
                         padding + static_cast<int>(std::lround(input.drawn.shift_px.y)));
  const cv::Mat window = buffers.padded(cv::Rect(corner, output_of(*input.spec)));
  normalise(flipped(window, input, buffers), input, buffers);
}

}  // namespace penstock::tools::bench
