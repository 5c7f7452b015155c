#include "augment/warp/filter_halves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>

// The lanes of a vector are a constant here.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/warp/filter_halves.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#if HWY_TARGET != HWY_SCALAR
#include "augment/warp/halves_vectors-inl.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR

/// A pixel that is worked out alone.
struct LonePixel {
  std::uint32_t idx = 0;           // in its line
  std::uint32_t first_column = 0;  // of the sums
  std::uint32_t num_taps = 0;
  std::array<float, kHalvedTaps> weights{};
};

/// One pass, line after line.
template <bool kIsInterleaved>
class HalvesFilter {
 public:
  HalvesFilter(const FilterPass& pass, const HalvedPart& part, const WarpJob& job,
               const Frame& frame)
      : pass_(pass), part_(part), job_(job), frame_(frame) {
    const FilterWindow left = pass.columns.window(pass.pixels.begin);
    const FilterWindow right = pass.columns.window(pass.pixels.end - 1);
    const std::uint32_t whole_begin = std::min(pass.columns.window(part.pixels.begin).first,
                                               pass.columns.window(part.pixels.end - 1).first);
    const std::uint32_t whole_end =
        whole_begin + 2 * (part.pixels.end - part.pixels.begin) + kHalvedTaps - 2;
    // With FillMode::kWrap a lone pixel may show the other end.
    first_column_ = std::min({left.first, right.first, whole_begin});
    num_columns_ =
        std::max({left.first + left.count, right.first + right.count, whole_end}) - first_column_;
    whole_.first_column = whole_begin - first_column_;
    whole_.num_taps = kHalvedTaps;
    whole_.weights = {0.125f / FilterWindow::kOne, 0.375f / FilterWindow::kOne,
                      0.375f / FilterWindow::kOne, 0.125f / FilterWindow::kOne};
    if (pass.pixels.begin < part.pixels.begin) add_lone(pass.pixels.begin, left);
    if (pass.pixels.end > part.pixels.end) add_lone(pass.pixels.end - 1, right);
  }

  bool takes(std::span<std::byte> scratch) {
    const std::size_t padded_columns = num_columns_ + 4 * kLanes16;
    const std::size_t num_bytes = 3 * padded_columns * (2 * sizeof(std::uint16_t) + sizeof(float));
    void* place = scratch.data();
    std::size_t room = scratch.size();
    if (part_.pixels.end - part_.pixels.begin < kLanes ||
        std::align(64, num_bytes, place, room) == nullptr) {
      return false;
    }
    sums_ = static_cast<std::uint16_t*>(place);
    plane_columns_ = padded_columns;
    planes_ = sums_ + 3 * padded_columns;
    lone_sums_ = reinterpret_cast<float*>(planes_ + 3 * padded_columns);
    // What lies behind the sums is read with them and not used.
    std::fill_n(sums_, 3 * padded_columns, std::uint16_t{0});
    std::fill_n(planes_, 3 * padded_columns, std::uint16_t{0});
    return true;
  }

  HWY_ATTR void run() {
    for (std::uint32_t line = pass_.lines.begin; line < pass_.lines.end; ++line) {
      if (job_.slot.is_abandoned()) return;
      if (line < part_.lines.begin || line >= part_.lines.end) {
        sample_lone_line(line);
      } else {
        sample_line(line);
      }
    }
  }

 private:
  void add_lone(std::uint32_t idx, const FilterWindow& window) {
    LonePixel& pixel = lone_[num_lone_++];
    pixel = {.idx = idx, .first_column = window.first - first_column_, .num_taps = window.count};
    for (std::uint32_t tap = 0; tap < window.count; ++tap) {
      pixel.weights[tap] = window.column_weight(tap);
    }
  }

  HWY_ATTR void sample_line(std::uint32_t line) {
    const double position = pass_.rows.factor * (pass_.rows.first_idx + line) + pass_.rows.offset;
    const auto first_row = static_cast<std::uint32_t>(position) - 1 - pass_.rows.filter.axis.begin;
    sum_halved_rows(pass_.image.row(first_row) + std::size_t{3} * first_column_,
                    pass_.image.row_stride_bytes, std::size_t{3} * num_columns_, sums_);
    split_channels_of(sums_, num_columns_, planes_, plane_columns_);
    for (std::uint32_t i = 0; i < num_lone_; ++i) sample_lone(line, lone_[i], sums_);
    const std::uint32_t num_px = part_.pixels.end - part_.pixels.begin;
    const bool is_mirrored = pass_.columns.factor < 0;
    const ScaleVectors r = vectors_of(job_.channels[0]);
    const ScaleVectors g = vectors_of(job_.channels[1]);
    const ScaleVectors b = vectors_of(job_.channels[2]);
    for (std::uint32_t done = 0; done < num_px; done += kLanes) {
      // From left to right in the source; the last vector ends with the line.
      const std::uint32_t at = std::min(done, num_px - kLanes);
      const std::uint16_t* const from = planes_ + whole_.first_column + 2 * at;
      const std::uint32_t first_px =
          is_mirrored ? part_.pixels.end - at - kLanes : part_.pixels.begin + at;
      store(line, first_px, normalise_of(halved_taps(from, is_mirrored), r),
            normalise_of(halved_taps(from + plane_columns_, is_mirrored), g),
            normalise_of(halved_taps(from + 2 * plane_columns_, is_mirrored), b));
    }
  }

  HWY_INLINE HWY_ATTR void store(std::uint32_t line, std::uint32_t first_px, V r, V g, V b) const {
    const D d;
    if constexpr (kIsInterleaved) {
      store_interleaved(r, g, b, frame_.row(line) + std::size_t{3} * first_px);
    } else {
      float* const to = frame_.row(line) + first_px;
      hn::StoreU(r, d, to);
      hn::StoreU(g, d, to + frame_.plane);
      hn::StoreU(b, d, to + 2 * frame_.plane);
    }
  }

  /// The first or the last line, whose window may be cut off: every pixel alone.
  HWY_ATTR void sample_lone_line(std::uint32_t line) {
    const FilterWindow window = pass_.rows.window(line);
    const std::size_t num_bytes = std::size_t{3} * num_columns_;
    auto* const whole_sums = reinterpret_cast<std::int32_t*>(lone_sums_);
    std::fill_n(whole_sums, num_bytes + 1, 0);
    RowWeights weights(window);
    for (std::uint32_t tap = 0; tap < window.count; ++tap) {
      const std::int32_t weight = weights.next();
      const std::uint8_t* const row =
          pass_.image.row(window.first + tap) + std::size_t{3} * first_column_;
      for (std::size_t i = 0; i < num_bytes; ++i) whole_sums[i] += weight * row[i];
    }
    for (std::uint32_t i = 0; i < num_lone_; ++i) sample_lone(line, lone_[i], whole_sums);
    LonePixel pixel = whole_;
    const std::uint32_t num_px = part_.pixels.end - part_.pixels.begin;
    for (std::uint32_t i = 0; i < num_px; ++i) {
      pixel.idx = pass_.columns.factor < 0 ? part_.pixels.end - 1 - i : part_.pixels.begin + i;
      pixel.first_column = whole_.first_column + 2 * i;
      sample_lone(line, pixel, whole_sums);
    }
  }

  template <class Sum>
  HWY_INLINE HWY_ATTR void sample_lone(std::uint32_t line, const LonePixel& pixel,
                                       const Sum* sums) const {
    float values[kPixelLanes];
    sum_lone_taps(sums + std::size_t{3} * pixel.first_column, pixel.weights.data(), pixel.num_taps,
                  values);
    float* const to = frame_.row(line) + pixel.idx * frame_.step;
    for (std::size_t c = 0; c < 3; ++c) {
      to[c * frame_.plane] = normalise(values[c], job_.channels[c]);
    }
  }

  const FilterPass& pass_;
  const HalvedPart& part_;
  const WarpJob& job_;
  const Frame& frame_;
  std::uint32_t first_column_ = 0;  // of the sums
  std::uint32_t num_columns_ = 0;
  LonePixel whole_;  // what all pixels but the lone ones have, and the column where they begin
  std::array<LonePixel, 2> lone_{};
  std::uint32_t num_lone_ = 0;
  std::uint16_t* sums_ = nullptr;    // of a line's rows, channels interleaved
  std::uint16_t* planes_ = nullptr;  // the same, three planes of plane_columns_
  float* lone_sums_ = nullptr;
  std::size_t plane_columns_ = 0;
};

template <bool kIsInterleaved>
HWY_ATTR bool filter_halves_into(const FilterPass& pass, const HalvedPart& part, const WarpJob& job,
                                 const Frame& frame, std::span<std::byte> scratch) {
  HalvesFilter<kIsInterleaved> filter(pass, part, job, frame);
  if (!filter.takes(scratch)) return false;
  filter.run();
  return true;
}

HWY_ATTR bool filter_halves_of(const FilterPass& pass, const HalvedPart& part, const WarpJob& job,
                               const Frame& frame, std::span<std::byte> scratch) {
  if (job.slot.spec->layout == PixelLayout::kNhwc) {
    return filter_halves_into<true>(pass, part, job, frame, scratch);
  }
  return filter_halves_into<false>(pass, part, job, frame, scratch);
}

#else

bool filter_halves_of(const FilterPass&, const HalvedPart&, const WarpJob&, const Frame&,
                      std::span<std::byte>) {
  return false;
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {

HWY_EXPORT(filter_halves_of);

namespace {

/// Between two pixels, with one more on either side that lies in the image.
bool is_whole(const FilterPositions& positions, std::uint32_t i) noexcept {
  const Axis& axis = positions.filter.axis;
  const double left = positions.factor * (positions.first_idx + i) + positions.offset - 0.5;
  const double end = static_cast<double>(axis.begin) + axis.length - 1;
  return left - 1 >= axis.begin && left + 2 <= std::min(end, axis.last);
}

ShownRange whole_windows(const FilterPositions& positions, ShownRange shown) noexcept {
  if (shown.begin < shown.end && !is_whole(positions, shown.begin)) ++shown.begin;
  if (shown.begin < shown.end && !is_whole(positions, shown.end - 1)) --shown.end;
  const bool are_whole = shown.begin < shown.end && is_whole(positions, shown.begin) &&
                         is_whole(positions, shown.end - 1);
  return are_whole ? shown : ShownRange{};
}

/// Positions in the middle between two pixels, two pixels apart.
bool is_halved(const FilterPositions& positions) noexcept {
  const double left = positions.offset - 0.5;
  return std::abs(positions.factor) == 2 && !positions.filter.is_cubic && left == std::floor(left);
}

}  // namespace

std::optional<HalvedPart> find_halved_part(const FilterPass& pass) noexcept {
  if (!is_halved(pass.rows) || !is_halved(pass.columns)) return std::nullopt;
  const HalvedPart part{.lines = whole_windows(pass.rows, pass.lines),
                        .pixels = whole_windows(pass.columns, pass.pixels)};
  if (part.lines.begin == part.lines.end || part.pixels.begin == part.pixels.end) {
    return std::nullopt;
  }
  return part;
}

bool filter_halves(const FilterPass& pass, const HalvedPart& part, const WarpJob& job,
                   const Frame& frame, std::span<std::byte> scratch) noexcept {
  return HWY_DYNAMIC_DISPATCH(filter_halves_of)(pass, part, job, frame, scratch);
}

}  // namespace penstock::augment
#endif
