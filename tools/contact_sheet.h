// A sheet of pictures in rows and columns with text beside them, and the PNG that it becomes.
// Knows no datasets and no augmentation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/image_view.h"

namespace penstock::tools {

/// What stands under a picture.
struct SheetCaption {
  /// A line of its own.
  std::string head;
  /// Flow into lines below it.
  std::vector<std::string> phrases;
};

struct SheetContent {
  std::string title;
  /// One for each column.
  std::vector<std::string> headings;
  /// [rows][columns]
  std::vector<std::vector<SheetCaption>> captions;
  /// Set in as many columns as the width has room for; never cut.
  std::vector<std::string> footer;
  /// Room for each picture.
  std::uint32_t cell_width_px = 0;
  std::uint32_t cell_height_px = 0;
};

/// Returns `text` as the sheet's font can write it: visible ASCII, each other character as '?'.
std::string ascii_form(std::string_view text);

/// Draws black on white; pictures keep their pixels.
///
/// Threads  one at a time
class ContactSheet {
 public:
  /// Lays everything out; nothing large is allocated before begin().
  explicit ContactSheet(SheetContent content);

  std::uint32_t width_px() const noexcept { return width_px_; }
  std::uint32_t height_px() const noexcept { return height_px_; }
  std::uint64_t num_px() const noexcept { return std::uint64_t{width_px_} * height_px_; }
  /// Bytes that the sheet and its PNG hold at most, once begun.
  std::uint64_t most_bytes() const noexcept;

  struct Place {
    std::size_t row = 0;
    std::size_t column = 0;
  };

  /// Allocates the sheet and writes its text.
  void begin();
  /// Puts a picture of 3 channels (RGB) into the top left of its cell, each pixel as a square of
  /// `pixel_side_px`; returns where it lies. It must fit the cell.
  RectPx put(Place place, const ImageView& picture, std::uint32_t pixel_side_px);
  /// Fills a cell that has no picture with the reason.
  void put_reason(Place place, std::string_view reason);

  /// Errors  OutOfMemory, Internal when it cannot be encoded
  std::vector<std::byte> png() const;

 private:
  void lay_out();
  void write_line(std::string_view text, std::uint32_t x_px, std::uint32_t y_px);
  void draw_rule(std::uint32_t y_px);
  RectPx cell(Place place) const noexcept;

  SheetContent content_;
  std::uint32_t column_width_px_ = 0;
  std::uint32_t footer_column_px_ = 0;
  std::size_t num_footer_columns_ = 1;
  std::vector<std::vector<std::vector<std::string>>> lines_;  // [rows][columns], of captions
  std::vector<std::uint32_t> row_y_px_;                       // where the cells of a row begin
  std::uint32_t footer_y_px_ = 0;
  std::uint32_t width_px_ = 0;
  std::uint32_t height_px_ = 0;
  std::vector<std::uint8_t> pixels_rgb_;  // [height_px_, width_px_, 3]
};

}  // namespace penstock::tools
