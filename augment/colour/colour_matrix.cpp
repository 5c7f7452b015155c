#include "augment/colour/colour_matrix.h"

#include <cstddef>

namespace penstock::augment {
namespace {

// ITU-R BT.601 as torchvision rounds it: the sum is 0.9999.
constexpr std::array<double, 3> kGrayWeights = {0.2989, 0.587, 0.114};
constexpr double kWhite = 255;

}  // namespace

bool is_linear(ColourStepKind kind) noexcept {
  return kind == ColourStepKind::kChannelShift || kind == ColourStepKind::kBrightness ||
         kind == ColourStepKind::kContrast || kind == ColourStepKind::kSaturation;
}

ColourMatrix::ColourMatrix(std::uint32_t channels) noexcept : channels_(channels) {}

void ColourMatrix::append(const ColourStep& step, const Means& means) noexcept {
  const double amount = step.amount;
  switch (step.kind) {
    case ColourStepKind::kChannelShift:
      for (Row& row : rows_) row[3] += amount;
      break;
    case ColourStepKind::kBrightness:
      blend_with(amount, {});
      break;
    case ColourStepKind::kContrast:
      blend_with(amount, {0, 0, 0, mean_of(gray(), means)});
      break;
    case ColourStepKind::kSaturation:
      if (channels_ == 3) blend_with(amount, gray());
      break;
    default:  // none is linear
      break;
  }
}

bool ColourMatrix::is_diagonal() const noexcept {
  for (std::size_t to = 0; to < 3; ++to) {
    for (std::size_t from = 0; from < 3; ++from) {
      if (to != from && rows_[to][from] != 0) return false;
    }
  }
  return true;
}

SharedMix ColourMatrix::shared_mix() const noexcept {
  return {.own = rows_[0][0] - rows_[1][0],
          .shared = {rows_[1][0], rows_[0][1], rows_[0][2]},
          .offset = rows_[0][3]};
}

std::array<double, 3> ColourMatrix::offsets() const noexcept {
  return {rows_[0][3], rows_[1][3], rows_[2][3]};
}

ChannelMixes ColourMatrix::mixes(std::span<const ChannelScale> scales) const noexcept {
  ChannelMixes mixes;
  for (std::size_t c = 0; c < mixes.size(); ++c) {
    const double gain = scales[c].gain;
    const double bias = scales[c].bias;
    for (std::size_t from = 0; from < 3; ++from) {
      mixes[c].gains[from] = static_cast<float>(rows_[c][from] * gain);
    }
    // Adding 0 keeps -0 out: then no sum is -0, of which vector units disagree whether it is below 0.
    mixes[c].offset = static_cast<float>(rows_[c][3] * gain + bias + 0.0);
    mixes[c].lowest = static_cast<float>(bias + 0.0);
    mixes[c].highest = static_cast<float>(kWhite * gain + bias);
  }
  return mixes;
}

double ColourMatrix::mean_of(const Row& row, const Means& means) const noexcept {
  if (channels_ == 1) return row[0] * means[0] + row[3];
  return row[0] * means[0] + row[1] * means[1] + row[2] * means[2] + row[3];
}

void ColourMatrix::blend_with(double factor, const Row& other) noexcept {
  for (Row& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = factor * row[i] + (1 - factor) * other[i];
    }
  }
}

ColourMatrix::Row ColourMatrix::gray() const noexcept {
  if (channels_ == 1) return rows_[0];
  Row gray{};
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < gray.size(); ++i) gray[i] += kGrayWeights[c] * rows_[c][i];
  }
  return gray;
}

}  // namespace penstock::augment
