#include "tools/contact_sheet.h"

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/utf8.h"
#include "tools/png_writer.h"

namespace penstock::tools {
namespace {

constexpr std::uint32_t kMarginPx = 14;
constexpr std::uint32_t kGapPx = 12;
constexpr std::uint32_t kLinePx = 16;
constexpr std::uint32_t kBaselinePx = 12;       // from the top of a line
constexpr std::uint32_t kTextWidthPx = 170;     // the least that a column has for its captions
constexpr std::uint32_t kHeadPx = 3 * kLinePx;  // title, a gap, headings
constexpr std::uint32_t kHeadingPx = 26;        // from the title's top to the headings'
constexpr std::uint32_t kUnderPicturePx = 5;
constexpr std::uint32_t kChannels = 3;
constexpr std::uint8_t kGrayValue = 215;

// Hershey's simplex letters, 8 to 9 pixels high.
constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
constexpr double kFontScale = 0.4;

std::uint32_t text_width_px(const std::string& text) {
  int baseline = 0;
  return static_cast<std::uint32_t>(cv::getTextSize(text, kFont, kFontScale, 1, &baseline).width);
}

/// Cuts what is wider than `width_px`, and says so by dots.
std::string cut_to(std::string text, std::uint32_t width_px) {
  if (text_width_px(text) <= width_px) return text;
  while (!text.empty() && text_width_px(text + "...") > width_px) text.pop_back();
  return text + "...";
}

/// As many phrases a line as fit, with commas between them.
std::vector<std::string> caption_lines(const SheetCaption& caption, std::uint32_t width_px) {
  std::vector<std::string> lines;
  if (!caption.head.empty()) lines.push_back(cut_to(ascii_form(caption.head), width_px));
  std::string line;
  for (const std::string& raw : caption.phrases) {
    const std::string phrase = ascii_form(raw);
    if (!line.empty() && text_width_px(line + ", " + phrase) <= width_px) {
      line += ", " + phrase;
      continue;
    }
    if (!line.empty()) lines.push_back(cut_to(line, width_px));
    line = phrase;
  }
  if (!line.empty()) lines.push_back(cut_to(line, width_px));
  return lines;
}

/// Words into lines, for the reason in an empty cell.
std::vector<std::string> wrapped(std::string_view text, std::uint32_t width_px) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string word = ascii_form(text.substr(0, space));
    text = space == text.npos ? std::string_view{} : text.substr(space + 1);
    if (!line.empty() && text_width_px(line + " " + word) > width_px) {
      lines.push_back(std::exchange(line, {}));
    }
    line += (line.empty() ? "" : " ") + word;
  }
  if (!line.empty()) lines.push_back(line);
  for (std::string& one : lines) one = cut_to(one, width_px);
  return lines;
}

std::size_t rounded_up(std::size_t count, std::size_t divisor) {
  return (count + divisor - 1) / divisor;
}

}  // namespace

std::string ascii_form(std::string_view text) {
  std::string ascii;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = std::max<std::size_t>(utf8_character_bytes(text, at), 1);
    ascii += text[at] >= ' ' && text[at] <= '~' ? text[at] : '?';
    at += bytes;
  }
  return ascii;
}

ContactSheet::ContactSheet(SheetContent content) : content_(std::move(content)) {
  lay_out();
}

void ContactSheet::lay_out() {
  column_width_px_ = std::max(content_.cell_width_px, kTextWidthPx);
  const auto num_columns = static_cast<std::uint32_t>(content_.headings.size());
  for (const std::string& line : content_.footer) {
    footer_column_px_ = std::max(footer_column_px_, text_width_px(line));
  }
  width_px_ = std::max(num_columns * (column_width_px_ + kGapPx) - kGapPx, footer_column_px_) +
              2 * kMarginPx;
  std::uint32_t y = kMarginPx + kHeadPx;
  for (const auto& row : content_.captions) {
    std::size_t most = 0;
    lines_.emplace_back();
    for (const SheetCaption& caption : row) {
      lines_.back().push_back(caption_lines(caption, column_width_px_));
      most = std::max(most, lines_.back().back().size());
    }
    row_y_px_.push_back(y);
    y += content_.cell_height_px + kUnderPicturePx + static_cast<std::uint32_t>(most) * kLinePx +
         kGapPx;
  }
  footer_y_px_ = y + kGapPx;
  const std::uint32_t room_px = width_px_ - 2 * kMarginPx;
  num_footer_columns_ = std::max(1u, (room_px + 2 * kGapPx) / (footer_column_px_ + 2 * kGapPx));
  const std::size_t num_lines = rounded_up(content_.footer.size(), num_footer_columns_);
  height_px_ = footer_y_px_ + static_cast<std::uint32_t>(num_lines) * kLinePx + kMarginPx;
}

std::uint64_t ContactSheet::most_bytes() const noexcept {
  // The PNG of noise is as large as its pixels, and the buffer that it grows in doubles: the old
  // one and the new one are there together.
  return 4 * num_px() * kChannels;
}

RectPx ContactSheet::cell(Place place) const noexcept {
  const auto column = static_cast<std::uint32_t>(place.column);
  return {kMarginPx + column * (column_width_px_ + kGapPx), row_y_px_[place.row],
          content_.cell_width_px, content_.cell_height_px};
}

void ContactSheet::write_line(std::string_view text, std::uint32_t x_px, std::uint32_t y_px) {
  cv::Mat sheet(static_cast<int>(height_px_), static_cast<int>(width_px_), CV_8UC3,
                pixels_rgb_.data());
  cv::putText(sheet, std::string(text),
              {static_cast<int>(x_px), static_cast<int>(y_px + kBaselinePx)}, kFont, kFontScale,
              cv::Scalar(0, 0, 0), 1, cv::LINE_AA);
}

void ContactSheet::draw_rule(std::uint32_t y_px) {
  std::fill_n(&pixels_rgb_[(std::size_t{y_px} * width_px_ + kMarginPx) * kChannels],
              std::size_t{width_px_ - 2 * kMarginPx} * kChannels, kGrayValue);
}

void ContactSheet::begin() {
  pixels_rgb_.assign(num_px() * kChannels, 255);
  write_line(cut_to(ascii_form(content_.title), width_px_ - 2 * kMarginPx), kMarginPx, kMarginPx);
  for (std::size_t column = 0; column < content_.headings.size(); ++column) {
    const std::uint32_t x =
        kMarginPx + static_cast<std::uint32_t>(column) * (column_width_px_ + kGapPx);
    write_line(cut_to(ascii_form(content_.headings[column]), column_width_px_), x,
               kMarginPx + kHeadingPx);
  }
  for (std::size_t row = 0; row < lines_.size(); ++row) {
    for (std::size_t column = 0; column < lines_[row].size(); ++column) {
      const RectPx at = cell({row, column});
      std::uint32_t y = at.y + at.height + kUnderPicturePx;
      for (const std::string& line : lines_[row][column]) {
        write_line(line, at.x, y);
        y += kLinePx;
      }
    }
  }
  draw_rule(footer_y_px_ - kGapPx);
  const std::size_t num_lines = rounded_up(content_.footer.size(), num_footer_columns_);
  for (std::size_t i = 0; i < content_.footer.size(); ++i) {
    const auto column = static_cast<std::uint32_t>(i / num_lines);
    const auto line = static_cast<std::uint32_t>(i % num_lines);
    write_line(ascii_form(content_.footer[i]),
               kMarginPx + column * (footer_column_px_ + 2 * kGapPx),
               footer_y_px_ + line * kLinePx);
  }
}

RectPx ContactSheet::put(Place place, const ImageView& picture, std::uint32_t pixel_side_px) {
  const RectPx room = cell(place);
  const std::uint32_t width = picture.width_px * pixel_side_px;
  const std::uint32_t height = picture.height_px * pixel_side_px;
  check_internal(width <= room.width && height <= room.height, "a picture that fits its cell");
  const RectPx at{room.x, room.y, width, height};
  for (std::uint32_t y = 0; y < height; ++y) {
    const std::uint8_t* in = picture.row(y / pixel_side_px);
    std::uint8_t* out = &pixels_rgb_[(std::size_t{at.y + y} * width_px_ + at.x) * kChannels];
    for (std::uint32_t x = 0; x < width; ++x, out += kChannels) {
      const std::uint8_t* rgb = in + std::size_t{x / pixel_side_px} * picture.pixel_stride_bytes;
      std::copy_n(rgb, kChannels, out);
    }
  }
  return at;
}

void ContactSheet::put_reason(Place place, std::string_view reason) {
  const RectPx room = cell(place);
  for (std::uint32_t y = room.y; y < room.y + room.height; ++y) {
    std::fill_n(&pixels_rgb_[(std::size_t{y} * width_px_ + room.x) * kChannels],
                std::size_t{room.width} * kChannels, kGrayValue);
  }
  std::uint32_t y = room.y + 4;
  for (const std::string& line : wrapped(reason, std::max(room.width, 8u) - 8)) {
    if (y + kLinePx > room.y + room.height) break;
    write_line(line, room.x + 4, y);
    y += kLinePx;
  }
}

std::vector<std::byte> ContactSheet::png() const {
  return encode_png({.pixels_hwc = pixels_rgb_.data(),
                     .width_px = width_px_,
                     .height_px = height_px_,
                     .channels = kChannels,
                     .pixel_stride_bytes = kChannels,
                     .row_stride_bytes = std::size_t{width_px_} * kChannels});
}

}  // namespace penstock::tools
