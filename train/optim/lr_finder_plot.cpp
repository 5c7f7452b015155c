#include "train/optim/lr_finder_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace penstock::train {
namespace {

constexpr std::size_t kNumRows = 16;
constexpr std::size_t kNumColumns = 68;
constexpr std::size_t kLabelColumns = 12;  // "-1.23e+308 |"

using Canvas = std::array<std::string, kNumRows>;

/// Where points go: rows from the highest loss down, columns by their place among the steps.
class Scale {
 public:
  explicit Scale(std::span<const LrFinderPoint> points) : num_points_(points.size()) {
    const auto [low, high] = std::ranges::minmax_element(points, {}, &LrFinderPoint::smoothed_loss);
    low_ = low->smoothed_loss;
    high_ = high->smoothed_loss;
  }
  std::size_t column(std::size_t point_idx) const {
    return point_idx * (kNumColumns - 1) / (num_points_ - 1);
  }
  std::size_t row(double loss) const {
    if (high_ == low_) return kNumRows / 2;
    const double share = (high_ - loss) / (high_ - low_);
    return static_cast<std::size_t>(std::lround(share * (kNumRows - 1)));
  }
  double loss_of(std::size_t row) const {
    return high_ - (high_ - low_) * static_cast<double>(row) / (kNumRows - 1);
  }

 private:
  std::size_t num_points_;
  double low_ = 0;
  double high_ = 0;
};

std::string short_text(const char* format, double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

void mark_suggestion(Canvas& canvas, std::size_t column, std::size_t row) {
  for (std::size_t below = row + 1; below < kNumRows; ++below) {
    char& place = canvas[below][column];
    if (place == ' ') place = '.';
  }
  canvas[row][column] = 'o';
}

std::string rate_line(std::span<const LrFinderPoint> points) {
  const auto rate = [&](std::size_t idx) { return short_text("%.1e", points[idx].learning_rate); };
  std::string line(kLabelColumns + kNumColumns, ' ');
  const std::string last = rate(points.size() - 1);
  const std::string middle = rate((points.size() - 1) / 2);
  const std::string first = rate(0);
  line.replace(kLabelColumns, first.size(), first);
  line.replace(kLabelColumns + kNumColumns / 2 - middle.size() / 2, middle.size(), middle);
  line.replace(line.size() - last.size(), last.size(), last);
  return line;
}

}  // namespace

std::string lr_finder_plot(std::span<const LrFinderPoint> points,
                           std::optional<std::size_t> suggested) {
  const bool is_drawable = points.size() >= 2 && std::ranges::all_of(points, [](const auto& point) {
                             return std::abs(point.smoothed_loss) < 1e300;  // not NaN
                           });
  if (!is_drawable) return {};
  const Scale scale(points);
  Canvas canvas;
  canvas.fill(std::string(kNumColumns, ' '));
  for (std::size_t i = 0; i < points.size(); ++i) {
    canvas[scale.row(points[i].smoothed_loss)][scale.column(i)] = '*';
  }
  if (suggested) {
    mark_suggestion(canvas, scale.column(*suggested), scale.row(points[*suggested].smoothed_loss));
  }
  std::string plot = "smoothed loss by learning rate\n";
  for (std::size_t row = 0; row < kNumRows; ++row) {
    std::string label = row % 5 == 0 ? short_text("%.3g", scale.loss_of(row)) : "";
    label.insert(0, kLabelColumns - 2 - label.size(), ' ');
    std::string line = label + " |" + canvas[row];
    line.erase(line.find_last_not_of(' ') + 1);
    plot += line + '\n';
  }
  return plot + std::string(kLabelColumns - 1, ' ') + '+' + std::string(kNumColumns, '-') + '\n' +
         rate_line(points) + '\n';
}

}  // namespace penstock::train
