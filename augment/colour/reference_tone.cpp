#include "augment/colour/reference_tone.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>

namespace penstock::augment {
namespace {

/// One channel as bytes.
struct Plane {
  std::vector<int> bytes;
  int width;
  int height;

  std::size_t idx(int x, int y) const { return static_cast<std::size_t>(y * width + x); }
  int at(int x, int y) const { return bytes[idx(x, y)]; }
};

int to_byte(double value) {
  const double below = std::floor(value);
  const double rest = value - below;
  const bool is_up = rest > 0.5 || (rest == 0.5 && std::fmod(below, 2) != 0);
  return static_cast<int>(std::clamp(below + (is_up ? 1 : 0), 0.0, 255.0));
}

int cut(float value) {
  if (value < 0) return 0;
  if (value > 255) return 255;
  return static_cast<int>(value);
}

std::vector<int> posterized(const Plane& plane, int bits) {
  std::vector<int> out = plane.bytes;
  for (int& byte : out) byte = (byte >> (8 - bits)) << (8 - bits);
  return out;
}

std::vector<int> solarized(const Plane& plane, float threshold) {
  std::vector<int> out = plane.bytes;
  for (int& byte : out) {
    if (static_cast<float>(byte) >= threshold) byte ^= 255;
  }
  return out;
}

/// torchvision's float32: the reciprocal of the range, times 255, times the distance from the lowest.
std::vector<int> stretched(const Plane& plane) {
  std::vector<int> out = plane.bytes;
  const auto [lowest, highest] = std::minmax_element(plane.bytes.begin(), plane.bytes.end());
  if (*lowest == *highest) return out;
  const float reciprocal = 1.0f / static_cast<float>(*highest - *lowest);
  const float scale = reciprocal * 255.0f;
  for (int& byte : out) byte = cut(static_cast<float>(byte - *lowest) * scale);
  return out;
}

/// By sorting: a byte's place is how many bytes of the picture are smaller.
std::vector<int> equalized(const Plane& plane) {
  std::vector<int> sorted = plane.bytes;
  std::sort(sorted.begin(), sorted.end());
  const auto num_smaller = [&](int byte) {
    return std::lower_bound(sorted.begin(), sorted.end(), byte) - sorted.begin();
  };
  const auto step = num_smaller(sorted.back()) / 255;
  std::vector<int> out = plane.bytes;
  if (step == 0) return out;
  std::map<int, int> table;
  for (const int byte : sorted) {
    if (table.contains(byte)) continue;
    const auto place = (num_smaller(byte) + step / 2) / step;
    table[byte] = place > 255 ? 255 : static_cast<int>(place);
  }
  for (int& byte : out) byte = table[byte];
  return out;
}

/// The mean of three by three pixels, the middle one counted five times, to the nearest whole number.
int smooth_byte(const Plane& plane, int x, int y) {
  if (x == 0 || y == 0 || x == plane.width - 1 || y == plane.height - 1) return plane.at(x, y);
  int sum = 4 * plane.at(x, y);
  for (int row = y - 1; row <= y + 1; ++row) {
    for (int column = x - 1; column <= x + 1; ++column) sum += plane.at(column, row);
  }
  return (2 * sum + 13) / 26;
}

std::vector<int> sharpened(const Plane& plane, float factor) {
  std::vector<int> out = plane.bytes;
  if (plane.width <= 2 || plane.height <= 2) return out;
  const auto other = static_cast<float>(1.0 - static_cast<double>(factor));
  for (int y = 0; y < plane.height; ++y) {
    for (int x = 0; x < plane.width; ++x) {
      const float sharp = factor * static_cast<float>(plane.at(x, y));
      const float smooth = other * static_cast<float>(smooth_byte(plane, x, y));
      out[plane.idx(x, y)] = cut(sharp + smooth);
    }
  }
  return out;
}

std::vector<int> after_step(const ColourStep& step, const Plane& plane) {
  switch (step.kind) {
    case ColourStepKind::kPosterize:
      return posterized(plane, static_cast<int>(step.amount));
    case ColourStepKind::kSolarize:
      return solarized(plane, step.amount);
    case ColourStepKind::kAutoContrast:
      return stretched(plane);
    case ColourStepKind::kEqualize:
      return equalized(plane);
    case ColourStepKind::kSharpness:
      return sharpened(plane, step.amount);
    case ColourStepKind::kChannelShift:
    case ColourStepKind::kBrightness:
    case ColourStepKind::kContrast:
    case ColourStepKind::kSaturation:
    case ColourStepKind::kHue:
      break;
  }
  return plane.bytes;
}

}  // namespace

ReferencePicture reference_tone_step(const ColourStep& step, const ReferencePicture& picture) {
  ReferencePicture out = picture;
  const std::size_t num_px = std::size_t{picture.height_px} * picture.width_px;
  for (std::size_t c = 0; c < picture.channels; ++c) {
    Plane plane{{}, static_cast<int>(picture.width_px), static_cast<int>(picture.height_px)};
    for (std::size_t i = 0; i < num_px; ++i) {
      plane.bytes.push_back(to_byte(picture.values[c * num_px + i]));
    }
    const std::vector<int> bytes = after_step(step, plane);
    for (std::size_t i = 0; i < num_px; ++i) out.values[c * num_px + i] = bytes[i];
  }
  return out;
}

}  // namespace penstock::augment
