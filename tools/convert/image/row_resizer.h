// Makes a picture smaller while its rows go by, so that neither it nor the result is held. Knows no
// format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "augment/warp/filter_table.h"
#include "streamer/core/image_view.h"
#include "tools/convert/image/encode_settings.h"

namespace penstock::convert {

/// From which rows which picture is made.
struct Resizing {
  SidesPx stored;  // of the whole picture
  /// Rows come at 1 / decode_scale of it, rounded up, as libjpeg gives them.
  std::uint32_t decode_scale = 1;
  SidesPx target;  // along neither side more than the rows
  std::uint32_t channels = 3;

  SidesPx rows() const noexcept {
    return {(stored.width_px + decode_scale - 1) / decode_scale,
            (stored.height_px + decode_scale - 1) / decode_scale};
  }
  bool is_nothing() const noexcept { return rows() == target; }
};

/// The coarsest of libjpeg's scales, 1, 2, 4 or 8, at which a picture is still kMinLeftToFilter times the
/// target along both sides.
///
/// What the scaled DCT leaves out is what the filter would take away but for a little: README.md has the
/// figures, the test row_resizer the bound.
std::uint32_t choose_decode_scale(SidesPx stored, SidesPx target) noexcept;
inline constexpr double kMinLeftToFilter = 1.5;

/// Samples with the antialiased triangle of augment/warp: Pillow's BILINEAR, torchvision's antialias. Where
/// more than kMaxFilterStep pixels become one, means of squares are made of them first, and at least
/// kMinFilterStep are left to the filter.
///
/// Threads  one per thread: it keeps its buffers
/// Reproducible  the same rows give the same bytes, on any vector unit
class RowResizer {
 public:
  /// Sees finished lines, full width, before the next ones take their place.
  using Take = std::function<void(const ImageView& lines)>;

  void begin(const Resizing& resizing);
  /// Where the next row is to be written.
  std::uint8_t* next_row() noexcept;
  /// Takes that row, and shows the lines that are finished by it.
  void add_row(const Take& take);

  /// Bytes that it holds now.
  std::uint64_t held_bytes() const noexcept;
  /// Bytes that it holds for such a picture.
  static std::uint64_t memory_bytes(const Resizing& resizing);

 private:
  struct Layout;
  static Layout layout_of(const Resizing& resizing);

  void add_filter_row(const Take& take);
  void filter_block(const Take& take);
  std::uint32_t block_end_row() const;

  Resizing resizing_;
  std::uint32_t mean_px_x_ = 1;  // source pixels of a mean
  std::uint32_t mean_px_y_ = 1;
  SidesPx means_;               // sides of the picture that the filter sees
  std::uint32_t num_rows_ = 0;  // added
  std::uint32_t num_in_mean_ = 0;
  std::vector<std::uint8_t> row_;  // before means are made of it
  std::vector<std::uint64_t> sums_;
  std::vector<std::uint8_t> window_;  // rows that the filter may still need
  std::uint32_t window_first_ = 0;
  std::uint32_t window_rows_ = 0;
  std::uint32_t next_line_ = 0;
  std::vector<std::uint8_t> lines_;
  std::vector<std::byte> table_bytes_;
  std::optional<augment::FilterPass> pass_;
  augment::FilterTable table_;
  bool has_table_ = false;
};

}  // namespace penstock::convert
