// A photograph shrunk into a normalised float32 batch: the fused pass beside OpenCV's chain of steps.
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/augment/test_picture.h"

namespace penstock::augment {

/// One picture and the places of one batch.
class ShrinkWorkload {
 public:
  ShrinkWorkload(SizePx picture, SizePx output, PixelLayout layout, std::uint32_t batch)
      : picture_size_(picture), output_(output), spec_(spec_of(output, 3, layout)) {
    std::mt19937_64 random(2);
    picture_ = noise_picture(picture, 3, random);
    spec_.batch = batch;
    batch_.resize(spec_.pixels_bytes() / sizeof(float) + 16);
    scratch_.resize(std::max(warp_scratch_bytes(spec_, Interpolation::kBilinearAntialias),
                             warp_scratch_bytes(spec_, Interpolation::kBilinear)));
    for (std::size_t c = 0; c < 3; ++c) {
      scales_[c] = {static_cast<float>(1 / kStd[c]), static_cast<float>(-kMean[c] / kStd[c]), 0};
    }
  }

  std::uint32_t batch() const { return spec_.batch; }

  void fused(const AffineMap& map, Interpolation interpolation, std::uint32_t place) {
    warp({.decoded = picture_.decoded(),
          .map = map,
          .stored = picture_size_,
          .interpolation = interpolation,
          .channels = scales_,
          .slot = {&spec_, reinterpret_cast<std::byte*>(out(place))}},
         scratch_);
  }
  /// The whole picture, straight or turned by `angle_rad`.
  AffineMap map_of(double angle_rad) const {
    return sample_map({.rotation_rad = angle_rad}, output_, info_of(picture_size_));
  }

  /// resize, convertTo, subtract, multiply and, for planes, split.
  void opencv(int interpolation, std::uint32_t place) {
    const cv::Mat source(static_cast<int>(picture_size_.height),
                         static_cast<int>(picture_size_.width), CV_8UC3, picture_.bytes.data());
    const int height = static_cast<int>(output_.height);
    const int width = static_cast<int>(output_.width);
    cv::resize(source, resized_, cv::Size(width, height), 0, 0, interpolation);
    resized_.convertTo(floats_, CV_32F);
    cv::subtract(floats_, cv::Scalar(kMean[0], kMean[1], kMean[2]), floats_);
    float* const to = out(place);
    const cv::Scalar gain(1 / kStd[0], 1 / kStd[1], 1 / kStd[2]);
    if (spec_.layout == PixelLayout::kNhwc) {
      cv::multiply(floats_, gain, cv::Mat(height, width, CV_32FC3, to));
      return;
    }
    cv::multiply(floats_, gain, floats_);
    std::vector<cv::Mat> planes;
    for (int c = 0; c < 3; ++c) {
      planes.emplace_back(height, width, CV_32F, to + std::size_t(c) * height * width);
    }
    cv::split(floats_, planes);
  }

  void copy(std::uint32_t place) {
    image_.resize(spec_.sample_bytes());
    std::memcpy(out(place), image_.data(), image_.size());
  }

 private:
  static constexpr std::array<double, 3> kMean = {123.675, 116.28, 103.53};
  static constexpr std::array<double, 3> kStd = {58.395, 57.12, 57.375};

  float* out(std::uint32_t place) {
    void* first = batch_.data();
    std::size_t room = batch_.size() * sizeof(float);
    float* const aligned = static_cast<float*>(std::align(64, 64, first, room));
    return aligned + place * (spec_.sample_bytes() / sizeof(float));
  }

  SizePx picture_size_;
  SizePx output_;
  BatchSpec spec_;
  TestPicture picture_;
  std::array<ChannelScale, 3> scales_{};
  std::vector<float> batch_;
  std::vector<std::byte> scratch_;
  std::vector<std::byte> image_;
  cv::Mat resized_;
  cv::Mat floats_;
};

}  // namespace penstock::augment
