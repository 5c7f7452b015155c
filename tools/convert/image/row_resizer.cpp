#include "tools/convert/image/row_resizer.h"

#include <algorithm>
#include <cmath>

#include "augment/warp/filter_pixel.h"
#include "augment/warp/filter_rows.h"
#include "augment/warp/reduction.h"
#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

using augment::FilterPass;
using augment::ReducedAxis;

constexpr double kMaxFilterStep = 8;
constexpr double kMinFilterStep = 4;
/// Lines that are made at once: those that the filter's widest vectors hold.
constexpr std::uint32_t kBlockLines = augment::FilterTable::kMaxLanes;

std::uint32_t mean_px_of(double step) {
  return step > kMaxFilterStep ? static_cast<std::uint32_t>(step / kMinFilterStep) : 1;
}

/// One side as the filter sees it: `extent` in its pixels, of which the last may be a part.
ReducedAxis axis_of(double extent, std::uint32_t length, std::uint32_t target_px) {
  const augment::Axis axis{.last = static_cast<double>(length) - 1,
                           .extent = extent,
                           .begin = 0,
                           .length = length,
                           .fill_mode = augment::FillMode::kNearest};
  return {axis, extent / target_px};
}

/// Without room to spare, which resize() takes when it grows.
template <class T>
void set_size(std::vector<T>& values, std::size_t size) {
  if (values.capacity() < size) std::vector<T>(size).swap(values);
  values.resize(size);
}

std::uint32_t divided_up(std::uint32_t value, std::uint32_t by) {
  return (value + by - 1) / by;
}

}  // namespace

std::uint32_t choose_decode_scale(SidesPx stored, SidesPx target) noexcept {
  const double step = std::min(static_cast<double>(stored.width_px) / target.width_px,
                               static_cast<double>(stored.height_px) / target.height_px);
  std::uint32_t scale = 8;
  while (scale > 1 && step / scale < kMinLeftToFilter) scale /= 2;
  return scale;
}

/// How a picture is worked through.
struct RowResizer::Layout {
  std::uint32_t mean_px_x = 1;
  std::uint32_t mean_px_y = 1;
  SidesPx means;
  FilterPass pass;
  std::uint32_t window_rows = 0;

  std::uint64_t window_bytes(std::uint32_t channels) const {
    return std::uint64_t{window_rows} * means.width_px * channels;
  }
};

RowResizer::Layout RowResizer::layout_of(const Resizing& resizing) {
  const SidesPx rows = resizing.rows();
  const double scale = resizing.decode_scale;
  const double step_x = resizing.stored.width_px / scale / resizing.target.width_px;
  const double step_y = resizing.stored.height_px / scale / resizing.target.height_px;
  const std::uint32_t mean_x = mean_px_of(step_x);
  const std::uint32_t mean_y = mean_px_of(step_y);
  const SidesPx means{divided_up(rows.width_px, mean_x), divided_up(rows.height_px, mean_y)};
  const ReducedAxis x =
      axis_of(resizing.stored.width_px / scale / mean_x, means.width_px, resizing.target.width_px);
  const ReducedAxis y = axis_of(resizing.stored.height_px / scale / mean_y, means.height_px,
                                resizing.target.height_px);
  Layout layout{.mean_px_x = mean_x,
                .mean_px_y = mean_y,
                .means = means,
                .pass = {.image = {},
                         .rows = y.positions(0),
                         .columns = x.positions(0),
                         .num_lines = kBlockLines,
                         .num_pixels = resizing.target.width_px,
                         .lines = {},
                         .pixels = {0, resizing.target.width_px}}};
  // The rows in reach of a block: between its outermost positions, and a window beyond each.
  const double reach = (kBlockLines - 1) * y.filter.scale + 2 * y.filter.radius + 2;
  layout.window_rows =
      static_cast<std::uint32_t>(std::min<double>(std::ceil(reach), means.height_px));
  return layout;
}

std::uint64_t RowResizer::memory_bytes(const Resizing& resizing) {
  const std::uint64_t line_bytes = std::uint64_t{resizing.target.width_px} * resizing.channels;
  const std::uint64_t row_bytes = std::uint64_t{resizing.rows().width_px} * resizing.channels;
  if (resizing.is_nothing()) return row_bytes;
  const Layout layout = layout_of(resizing);
  return row_bytes + std::uint64_t{layout.means.width_px} * resizing.channels * 8 +
         layout.window_bytes(resizing.channels) + kBlockLines * line_bytes +
         augment::filter_table_bytes(resizing.target.width_px);
}

std::uint64_t RowResizer::held_bytes() const noexcept {
  return row_.capacity() + sums_.capacity() * sizeof(sums_[0]) + window_.capacity() +
         lines_.capacity() + table_bytes_.capacity();
}

void RowResizer::begin(const Resizing& resizing) {
  resizing_ = resizing;
  num_rows_ = num_in_mean_ = 0;
  window_first_ = window_rows_ = next_line_ = 0;
  const std::size_t channels = resizing.channels;
  set_size(row_, resizing.rows().width_px * channels);
  pass_.reset();
  if (resizing.is_nothing()) return;
  const Layout layout = layout_of(resizing);
  mean_px_x_ = layout.mean_px_x;
  mean_px_y_ = layout.mean_px_y;
  means_ = layout.means;
  set_size(sums_, mean_px_x_ * mean_px_y_ > 1 ? means_.width_px * channels : 0);
  std::fill(sums_.begin(), sums_.end(), 0);
  set_size(window_, layout.window_bytes(resizing.channels));
  set_size(lines_, kBlockLines * std::size_t{resizing.target.width_px} * channels);
  set_size(table_bytes_, augment::filter_table_bytes(resizing.target.width_px));
  pass_ = layout.pass;
  pass_->image = {.pixels_hwc = window_.data(),
                  .width_px = means_.width_px,
                  .height_px = layout.window_rows,
                  .channels = resizing.channels,
                  .pixel_stride_bytes = resizing.channels,
                  .row_stride_bytes = means_.width_px * channels};
  has_table_ = augment::has_filter_rows(pass_->image, resizing.channels) &&
               augment::make_filter_table(*pass_, table_bytes_, table_);
}

std::uint8_t* RowResizer::next_row() noexcept {
  const bool is_direct = pass_ && mean_px_x_ * mean_px_y_ == 1;
  return is_direct ? window_.data() + window_rows_ * pass_->image.row_stride_bytes : row_.data();
}

void RowResizer::add_row(const Take& take) {
  ++num_rows_;
  const std::uint32_t channels = resizing_.channels;
  const std::uint32_t width_px = resizing_.rows().width_px;
  if (!pass_) {
    return take({.pixels_hwc = row_.data(),
                 .width_px = width_px,
                 .height_px = 1,
                 .channels = channels,
                 .pixel_stride_bytes = channels,
                 .row_stride_bytes = row_.size()});
  }
  if (mean_px_x_ * mean_px_y_ == 1) return add_filter_row(take);
  const std::uint8_t* in = row_.data();
  for (std::uint32_t mean = 0, x = 0; x < width_px; ++mean) {
    const std::uint32_t end = std::min(x + mean_px_x_, width_px);
    for (; x < end; ++x, in += channels) {
      for (std::uint32_t c = 0; c < channels; ++c) sums_[mean * channels + c] += in[c];
    }
  }
  ++num_in_mean_;
  if (num_in_mean_ < mean_px_y_ && num_rows_ < resizing_.rows().height_px) return;
  std::uint8_t* out = window_.data() + window_rows_ * pass_->image.row_stride_bytes;
  for (std::uint32_t mean = 0; mean < means_.width_px; ++mean) {
    const std::uint64_t num_px =
        std::uint64_t{std::min(mean_px_x_, width_px - mean * mean_px_x_)} * num_in_mean_;
    for (std::uint32_t c = 0; c < channels; ++c) {
      std::uint64_t& sum = sums_[mean * channels + c];
      *out++ = static_cast<std::uint8_t>((sum + num_px / 2) / num_px);
      sum = 0;
    }
  }
  num_in_mean_ = 0;
  add_filter_row(take);
}

// The row behind the last that the lines of the next block are made of.
std::uint32_t RowResizer::block_end_row() const {
  const std::uint32_t last = std::min(next_line_ + kBlockLines, resizing_.target.height_px) - 1;
  const augment::FilterWindow window = pass_->rows.window(last);
  return window.first + window.count;
}

void RowResizer::add_filter_row(const Take& take) {
  ++window_rows_;
  while (next_line_ < resizing_.target.height_px) {
    const std::uint32_t there = window_first_ + window_rows_;
    if (there < block_end_row()) return;
    filter_block(take);
    if (next_line_ == resizing_.target.height_px) return;
    // What the next block does not reach makes room.
    const std::uint32_t first = pass_->rows.window(next_line_).first;
    const std::uint32_t gone = std::min(first - window_first_, window_rows_);
    const std::size_t stride = pass_->image.row_stride_bytes;
    std::copy(window_.begin() + static_cast<std::ptrdiff_t>(gone * stride),
              window_.begin() + static_cast<std::ptrdiff_t>(window_rows_ * stride),
              window_.begin());
    window_first_ += gone;
    window_rows_ -= gone;
  }
}

void RowResizer::filter_block(const Take& take) {
  const std::uint32_t num_lines = std::min(kBlockLines, resizing_.target.height_px - next_line_);
  FilterPass block = *pass_;
  block.image.height_px = window_rows_;
  block.rows.first_idx = next_line_;
  block.rows.filter.axis.begin = window_first_;
  block.rows.filter.axis.length = window_rows_;
  block.num_lines = num_lines;
  block.lines = {0, num_lines};
  const std::uint32_t channels = resizing_.channels;
  const std::uint32_t width_px = resizing_.target.width_px;
  if (has_table_) {
    augment::filter_into_bytes(block, table_, {}, lines_.data());
  } else {
    std::uint8_t* out = lines_.data();
    for (std::uint32_t line = 0; line < num_lines; ++line) {
      const augment::FilterWindow rows = block.rows.window(line);
      for (std::uint32_t pixel = 0; pixel < width_px; ++pixel) {
        const augment::FilterWindow columns = block.columns.window(pixel);
        for (std::uint32_t c = 0; c < channels; ++c) {
          *out++ = augment::byte_of(augment::filtered_value(block.image, columns, rows, c));
        }
      }
    }
  }
  next_line_ += num_lines;
  take({.pixels_hwc = lines_.data(),
        .width_px = width_px,
        .height_px = num_lines,
        .channels = channels,
        .pixel_stride_bytes = channels,
        .row_stride_bytes = std::size_t{width_px} * channels});
}

}  // namespace penstock::convert
