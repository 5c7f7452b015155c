#include "tools/contact_sheet.h"

#include <boost/test/unit_test.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "streamer/core/draws.h"

namespace penstock::tools {
namespace {

SheetContent content_of(std::uint32_t cell_px, std::size_t num_rows = 2) {
  SheetContent content{.title = "title",
                       .headings = {"left", "right"},
                       .captions = {},
                       .footer = {"a = 1", "b = 2", "c = 3"},
                       .cell_width_px = cell_px,
                       .cell_height_px = cell_px};
  for (std::size_t row = 0; row < num_rows; ++row) {
    content.captions.push_back(
        {{.head = "0: cat", .phrases = {"sample 3"}},
         {.head = "position 7", .phrases = {"flipped", "zoom 1.00 x 1.00"}}});
  }
  return content;
}

cv::Mat decoded(const ContactSheet& sheet) {
  std::vector<std::byte> png = sheet.png();
  return cv::imdecode(cv::Mat(1, static_cast<int>(png.size()), CV_8UC1, png.data()),
                      cv::IMREAD_COLOR);
}

std::vector<std::uint8_t> noise(std::uint32_t side_px) {
  std::vector<std::uint8_t> pixels(std::size_t{side_px} * side_px * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>(Draws({.position = i}).block(0)[0]);
  }
  return pixels;
}

ImageView view_of(const std::vector<std::uint8_t>& pixels, std::uint32_t side_px) {
  return {.pixels_hwc = pixels.data(),
          .width_px = side_px,
          .height_px = side_px,
          .channels = 3,
          .pixel_stride_bytes = 3,
          .row_stride_bytes = std::size_t{side_px} * 3};
}

/// Pixels within `place` that are not white.
int num_inked(const cv::Mat& image, const cv::Rect& place) {
  cv::Mat is_white;
  cv::inRange(image(place), cv::Scalar(255, 255, 255), cv::Scalar(255, 255, 255), is_white);
  return place.area() - cv::countNonZero(is_white);
}

BOOST_AUTO_TEST_SUITE(contact_sheet)

BOOST_AUTO_TEST_CASE(text_becomes_ascii_a_question_mark_for_every_other_character) {
  BOOST_TEST(ascii_form("caf\u00E9 \u732B\u72AC") == "caf? ??");
  BOOST_TEST(ascii_form("a\tb\x7F\xFF") == "a?b??");
  BOOST_TEST(ascii_form("") == "");
}

BOOST_AUTO_TEST_CASE(a_picture_keeps_its_pixels_as_squares) {
  ContactSheet sheet(content_of(90));
  sheet.begin();
  const auto pixels = noise(30);
  const RectPx at = sheet.put({1, 1}, view_of(pixels, 30), 3);
  BOOST_TEST(at.width == 90u);
  BOOST_TEST(at.height == 90u);
  const cv::Mat image = decoded(sheet);
  BOOST_TEST(image.cols == static_cast<int>(sheet.width_px()));
  BOOST_TEST(image.rows == static_cast<int>(sheet.height_px()));
  int num_wrong = 0;
  for (std::uint32_t y = 0; y < 90; ++y) {
    for (std::uint32_t x = 0; x < 90; ++x) {
      const auto bgr = image.at<cv::Vec3b>(static_cast<int>(at.y + y), static_cast<int>(at.x + x));
      const std::uint8_t* rgb = &pixels[(y / 3 * 30 + x / 3) * 3];
      num_wrong += bgr != cv::Vec3b(rgb[2], rgb[1], rgb[0]);
    }
  }
  BOOST_TEST(num_wrong == 0);
}

// Text is drawn before the pictures: if they overlapped, a picture in white would change the ink.
BOOST_AUTO_TEST_CASE(pictures_cover_no_text_whatever_their_size) {
  for (const std::uint32_t cell_px : {1u, 7u, 96u, 200u, 300u}) {
    ContactSheet sheet(content_of(cell_px));
    sheet.begin();
    const cv::Mat before = decoded(sheet);
    const std::vector<std::uint8_t> white(std::size_t{cell_px} * cell_px * 3, 255);
    for (std::size_t row = 0; row < 2; ++row) {
      for (std::size_t column = 0; column < 2; ++column) {
        sheet.put({row, column}, view_of(white, cell_px), 1);
      }
    }
    BOOST_TEST(cv::norm(before, decoded(sheet), cv::NORM_INF) == 0, cell_px);
    BOOST_TEST(num_inked(before, {0, 0, before.cols, before.rows}) > 500);
  }
}

BOOST_AUTO_TEST_CASE(a_long_name_is_cut_at_its_column) {
  SheetContent content = content_of(100, 1);
  content.captions[0][0] = {.head = "0: " + std::string(500, 'W'), .phrases = {}};
  content.captions[0][1] = {};
  content.headings = {"", ""};
  content.footer = {};
  ContactSheet sheet(content);
  sheet.begin();
  const std::vector<std::uint8_t> white(100 * 100 * 3, 255);
  const auto right = static_cast<int>(sheet.put({0, 1}, view_of(white, 100), 1).x);
  const cv::Mat image = decoded(sheet);
  const int below = 100;  // under title and headings; the rule above the footer is wider
  BOOST_TEST(num_inked(image, {0, below, right, 80}) > 100);
  BOOST_TEST(num_inked(image, {right, below, image.cols - right, 80}) == 0);
}

BOOST_AUTO_TEST_CASE(no_line_of_the_footer_is_cut) {
  SheetContent content = content_of(10, 1);
  content.footer = {std::string(100, 'x')};
  const ContactSheet wide(content);
  content.footer = {std::string(200, 'x')};
  const ContactSheet wider(content);
  BOOST_TEST(wider.width_px() > wide.width_px() * 3 / 2);
}

BOOST_AUTO_TEST_CASE(a_reason_stays_within_its_cell) {
  ContactSheet sheet(content_of(60));
  sheet.begin();
  const std::vector<std::uint8_t> white(60 * 60 * 3, 255);
  const RectPx at = sheet.put({0, 0}, view_of(white, 60), 1);
  const cv::Mat before = decoded(sheet);
  std::string reason;
  for (int i = 0; i < 100; ++i) reason += "decode failed: truncatedwordwithoutanyspace ";
  sheet.put_reason({0, 0}, reason);
  cv::Mat after = decoded(sheet);
  const cv::Rect cell(static_cast<int>(at.x), static_cast<int>(at.y), 60, 60);
  BOOST_TEST(num_inked(after, cell) == 60 * 60);  // gray, and letters
  after(cell).setTo(cv::Scalar(255, 255, 255));
  BOOST_TEST(cv::norm(before, after, cv::NORM_INF) == 0);
}

// Noise does not compress.
BOOST_AUTO_TEST_CASE(the_png_of_noise_fits_what_was_priced) {
  ContactSheet sheet(content_of(400));
  sheet.begin();
  const auto pixels = noise(400);
  for (std::size_t row = 0; row < 2; ++row) {
    for (std::size_t column = 0; column < 2; ++column) {
      sheet.put({row, column}, view_of(pixels, 400), 1);
    }
  }
  BOOST_TEST(sheet.png().size() + sheet.num_px() * 3 < sheet.most_bytes());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
