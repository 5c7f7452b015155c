// GIF written by fixtures, which know nothing of giflib: pixels are colours of the palette that was
// written. One file is somebody else's.
#include "tools/convert/image/gif_picture.h"

#include <malloc.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <variant>

#include "fixtures/gif_bytes.h"
#include "tools/convert/image/foreign_facts.h"
#include "tools/convert/image/gif_file.h"
#include "tools/convert/image/image_check.h"

namespace penstock::convert {
namespace {

using fixtures::Bytes;
using fixtures::GifFrame;
using fixtures::GifPicture;
using Colours = std::vector<std::uint32_t>;  // 0xRRGGBB
using Indices = std::vector<std::uint8_t>;

constexpr RgbColour kBackground{.red = 1, .green = 2, .blue = 3};
constexpr std::uint32_t kBackgroundColour = 0x010203;

DecodeOutcome decode(std::span<const std::byte> file) {
  return decode_gif_picture(file, *read_declared_size(ImageFormat::kGif, file), kBackground);
}

DecodedPixels pixels_of(std::span<const std::byte> file) {
  DecodeOutcome outcome = decode(file);
  if (const auto* const why = std::get_if<std::string>(&outcome)) BOOST_FAIL(*why);
  return std::get<DecodedPixels>(std::move(outcome));
}

Colours colours_of(std::span<const std::byte> file) {
  const DecodedPixels pixels = pixels_of(file);
  BOOST_REQUIRE(pixels.channels == 3);
  Colours colours;
  for (std::size_t i = 0; i < pixels.pixels_hwc.size(); i += 3) {
    const std::uint8_t* const p = &pixels.pixels_hwc[i];
    colours.push_back(std::uint32_t{p[0]} << 16 | p[1] << 8 | p[2]);
  }
  return colours;
}

std::string refusal(std::span<const std::byte> file) {
  const DecodeOutcome outcome = decode(file);
  BOOST_REQUIRE(std::holds_alternative<std::string>(outcome));
  return std::get<std::string>(outcome);
}

Colours looked_up(const Indices& indices, const Colours& palette) {
  Colours colours;
  for (const std::uint8_t index : indices) colours.push_back(palette[index]);
  return colours;
}

Indices random_indices(std::size_t num_px, std::size_t num_colours, unsigned seed) {
  std::mt19937 random(seed);
  Indices indices(num_px);
  // Runs, so that codes stand for many pixels as well as for one.
  for (std::size_t i = 0; i < num_px;) {
    const auto index = static_cast<std::uint8_t>(random() % num_colours);
    const std::size_t end = std::min<std::size_t>(num_px, i + 1 + random() % 9);
    while (i < end) indices[i++] = index;
  }
  return indices;
}

GifPicture plain(std::uint16_t width_px, std::uint16_t height_px, std::size_t num_colours,
                 unsigned seed = 1) {
  return {.width_px = width_px,
          .height_px = height_px,
          .palette = fixtures::gif_palette(num_colours),
          .frames = {
              {.width_px = width_px,
               .height_px = height_px,
               .indices = random_indices(std::size_t{width_px} * height_px, num_colours, seed)}}};
}

BOOST_AUTO_TEST_SUITE(gif_picture)

// "What's in a GIF" (M. Flickinger), which giflib's documentation holds too: sample_1.gif, with the
// indices that its text states.
BOOST_AUTO_TEST_CASE(a_file_that_others_wrote_has_the_colours_that_they_state) {
  using namespace std::string_view_literals;
  const Bytes file = fixtures::bytes_of(
      "GIF89a\x0A\0\x0A\0\x91\0\0\xFF\xFF\xFF\xFF\0\0\0\0\xFF\0\0\0\x21\xF9\x04\0\0\0\0\0"
      "\x2C\0\0\0\0\x0A\0\x0A\0\0\x02\x16\x8C\x2D\x99\x87\x2A\x1C\xDC\x33\xA0\x02\x75\xEC\x95\xFA"
      "\xA8\xDE\x60\x8C\x04\x91\x4C\x01\0\x3B"sv);
  Indices expected;
  for (const auto& [rows, count] :
       std::vector<std::pair<Indices, int>>{{{1, 1, 1, 1, 1, 2, 2, 2, 2, 2}, 3},
                                            {{1, 1, 1, 0, 0, 0, 0, 2, 2, 2}, 2},
                                            {{2, 2, 2, 0, 0, 0, 0, 1, 1, 1}, 2},
                                            {{2, 2, 2, 2, 2, 1, 1, 1, 1, 1}, 3}}) {
    for (int i = 0; i < count; ++i) expected.insert(expected.end(), rows.begin(), rows.end());
  }
  BOOST_TEST(colours_of(file) == looked_up(expected, {0xFFFFFF, 0xFF0000, 0x0000FF, 0}),
             boost::test_tools::per_element());
  BOOST_TEST(!pixels_of(file).had_alpha);
}

BOOST_AUTO_TEST_CASE(every_size_of_palette_gives_its_colours) {
  for (const std::size_t num_colours : {2, 4, 8, 16, 32, 64, 128, 256}) {
    for (const bool is_own : {false, true}) {
      BOOST_TEST_CONTEXT(num_colours << " colours, " << (is_own ? "own" : "of the file")) {
        GifPicture picture = plain(37, 23, num_colours);
        const Colours palette = picture.palette;
        if (is_own) {
          picture.frames[0].palette = palette;
          picture.palette = {0xABCDEF, 0x123456};
        }
        BOOST_CHECK(colours_of(fixtures::gif_file(picture)) ==
                    looked_up(picture.frames[0].indices, palette));
      }
    }
  }
}

// The table of codes is full after some thousand pixels: it is cleared then, or used on.
BOOST_AUTO_TEST_CASE(large_pictures_fill_the_table_of_codes_again_and_again) {
  constexpr unsigned kSeed = 5;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  for (const std::size_t num_colours : {4, 256}) {
    for (const auto full_table : {fixtures::FullTable::kCleared, fixtures::FullTable::kUsedOn}) {
      GifPicture picture = plain(310, 290, num_colours, kSeed);
      GifFrame& frame = picture.frames[0];
      frame.data = fixtures::gif_data(frame.indices, num_colours == 4 ? 2 : 8, full_table);
      BOOST_CHECK(colours_of(fixtures::gif_file(picture)) ==
                  looked_up(frame.indices, picture.palette));
    }
  }
}

// Codes of up to 4,091 pixels. It is no bomb, however small it is.
BOOST_AUTO_TEST_CASE(a_picture_of_one_colour_is_read_from_few_bytes) {
  GifPicture picture = plain(3000, 2900, 2);
  std::fill(picture.frames[0].indices.begin(), picture.frames[0].indices.end(), 1);
  for (const auto full_table : {fixtures::FullTable::kCleared, fixtures::FullTable::kUsedOn}) {
    picture.frames[0].data = fixtures::gif_data(picture.frames[0].indices, 2, full_table);
    const Bytes file = fixtures::gif_file(picture);
    BOOST_TEST(file.size() < 10'000u);
    BOOST_CHECK(!read_foreign_facts(ImageFormat::kGif, file).fault);
    const Colours found = colours_of(file);
    BOOST_CHECK(std::all_of(found.begin(), found.end(),
                            [&](std::uint32_t colour) { return colour == picture.palette[1]; }));
  }
}

BOOST_AUTO_TEST_CASE(interlaced_rows_stand_where_they_belong) {
  for (std::uint16_t height_px = 1; height_px <= 20; ++height_px) {
    GifPicture picture = plain(5, height_px, 16, height_px);
    picture.frames[0].is_interlaced = true;
    BOOST_TEST_CONTEXT(height_px << " rows") {
      BOOST_CHECK(colours_of(fixtures::gif_file(picture)) ==
                  looked_up(picture.frames[0].indices, picture.palette));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_transparent_index_shows_the_background_asked_for) {
  GifPicture picture = plain(6, 5, 4);
  picture.frames[0].transparent_index = 2;
  Colours shown = picture.palette;
  shown[2] = kBackgroundColour;
  const Bytes file = fixtures::gif_file(picture);
  BOOST_TEST(pixels_of(file).had_alpha);
  BOOST_TEST(colours_of(file) == looked_up(picture.frames[0].indices, shown),
             boost::test_tools::per_element());
}

// GIF 89a, section 23: a graphic control extension is about the picture or the text behind it.
BOOST_AUTO_TEST_CASE(transparency_of_a_text_is_not_that_of_the_picture) {
  GifPicture picture = plain(6, 5, 4);
  const Bytes still = fixtures::gif_file(picture);
  constexpr std::size_t kFrameAt = 13 + 4 * 3;
  Bytes file(still.begin(), still.begin() + kFrameAt);
  const std::string_view control("!\xF9\x04\x01\0\0\x02\0", 8);
  const std::string_view text("!\x01\x01x\0", 5);
  const std::string_view comment("!\xFE\x03;,!\0", 7);
  fixtures::append(file, control);
  fixtures::append(file, comment);
  const auto with_rest = [&](Bytes head) {
    fixtures::append(head, std::span(still).subspan(kFrameAt));
    return head;
  };
  BOOST_TEST(pixels_of(with_rest(file)).had_alpha);
  fixtures::append(file, text);
  BOOST_TEST(!pixels_of(with_rest(file)).had_alpha);
}

// Not the background that the file tells: browsers show what lies behind the picture.
BOOST_AUTO_TEST_CASE(what_a_frame_does_not_cover_shows_the_background_asked_for) {
  const Colours palette = {0x111111, 0x222222, 0x445566, 0x778899};
  const GifPicture picture = {
      .width_px = 4,
      .height_px = 3,
      .palette = palette,
      .background_index = 3,
      .frames = {
          {.left_px = 1, .top_px = 1, .width_px = 2, .height_px = 2, .indices = {0, 1, 2, 3}}}};
  const std::uint32_t b = kBackgroundColour;
  const Bytes file = fixtures::gif_file(picture);
  BOOST_TEST(pixels_of(file).had_alpha);
  BOOST_TEST(
      colours_of(file) == Colours({b, b, b, b, b, 0x111111, 0x222222, b, b, 0x445566, 0x778899, b}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_gray_palette_makes_gray_unless_the_background_shows) {
  GifPicture picture = plain(3, 1, 4);
  picture.palette = {0x000000, 0x505050, 0xA0A0A0, 0xFFFFFF};
  picture.frames[0].indices = {2, 0, 1};
  const DecodedPixels gray = pixels_of(fixtures::gif_file(picture));
  BOOST_TEST(gray.channels == 1u);
  BOOST_TEST(gray.pixels_hwc == Indices({0xA0, 0, 0x50}), boost::test_tools::per_element());
  picture.frames[0].transparent_index = 0;
  BOOST_TEST(
      colours_of(fixtures::gif_file(picture)) == Colours({0xA0A0A0, kBackgroundColour, 0x505050}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_index_beyond_the_palette_is_black) {
  GifPicture picture = plain(3, 1, 2);
  picture.frames[0].data = fixtures::gif_data(Indices{1, 200, 0}, 8);
  BOOST_TEST(colours_of(fixtures::gif_file(picture)) ==
                 Colours({picture.palette[1], 0, picture.palette[0]}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(of_several_frames_the_first_is_shown) {
  GifPicture picture = plain(9, 8, 32);
  for (unsigned i = 0; i < 3; ++i) picture.frames.push_back(plain(9, 8, 32, i + 10).frames[0]);
  const Bytes file = fixtures::gif_file(picture);
  BOOST_CHECK(colours_of(file) == looked_up(picture.frames[0].indices, picture.palette));
  const ForeignFacts facts = read_foreign_facts(ImageFormat::kGif, file);
  BOOST_TEST(facts.reasons.has(ReasonCode::kAnimated));
  picture.frames.resize(1);
  BOOST_TEST(!read_foreign_facts(ImageFormat::kGif, fixtures::gif_file(picture))
                  .reasons.has(ReasonCode::kAnimated));
}

// Whatever is missing, pixels are those of the whole file or there are none.
BOOST_AUTO_TEST_CASE(a_file_cut_anywhere_is_refused_or_has_all_its_pixels) {
  GifPicture picture = plain(30, 20, 16);
  picture.frames.push_back(plain(30, 20, 16, 2).frames[0]);
  const Bytes whole = fixtures::gif_file(picture);
  const Bytes first = [&] {
    GifPicture alone = picture;
    alone.frames.resize(1);
    return fixtures::gif_file(alone);
  }();
  const Colours expected = looked_up(picture.frames[0].indices, picture.palette);
  ImageChecker checker({.max_px = 1'000'000});
  std::size_t shortest_bytes = whole.size();
  for (std::size_t num_bytes = 10; num_bytes < whole.size(); ++num_bytes) {
    BOOST_TEST_CONTEXT(num_bytes << " of " << whole.size() << " bytes") {
      const std::span<const std::byte> cut = std::span(whole).first(num_bytes);
      const ImageVerdict verdict = checker.check(cut, "a.gif", {});
      if (verdict.fate == FileFate::kQuarantined) {
        BOOST_TEST(reason_code_name(verdict.reason) == "truncated");
        BOOST_TEST(num_bytes < first.size());
        continue;
      }
      shortest_bytes = std::min(shortest_bytes, num_bytes);
      const ForeignFacts facts = read_foreign_facts(ImageFormat::kGif, cut);
      BOOST_TEST(facts.reasons.has(ReasonCode::kAnimated) !=
                 facts.reasons.has(ReasonCode::kMissingEnd));
      const auto decoded = facts.rebuilt.empty() ? cut : std::span<const std::byte>(facts.rebuilt);
      BOOST_CHECK(colours_of(decoded) == expected);
    }
  }
  // What may be missing: the end of the file, of the data, their last code, which ends them.
  BOOST_TEST(shortest_bytes >= first.size() - 5);
  BOOST_TEST(shortest_bytes <= first.size() - 2);
}

// Giflib makes pixels of a code that was never made.
BOOST_AUTO_TEST_CASE(a_code_that_stands_for_nothing_is_damage) {
  using fixtures::GifCode;
  GifPicture picture = plain(4, 1, 4);
  const auto refusal_of = [&](const std::vector<GifCode>& codes) {
    picture.frames[0].data = fixtures::gif_data_of(codes, 2);
    return refusal(fixtures::gif_file(picture));
  };
  const std::string bad = "GIF with a code that stands for nothing";
  // 4 clears, 5 ends, the first one made is 6: of the second pixel, or at once of the first twice.
  BOOST_TEST(refusal_of({{4, 3}, {6, 3}, {1, 3}, {1, 3}, {1, 3}}) == bad);
  BOOST_TEST(refusal_of({{4, 3}, {1, 3}, {7, 3}, {1, 3}, {1, 3}}) == bad);
  BOOST_TEST(refusal_of({{4, 3}, {1, 3}, {1, 3}, {4, 3}, {6, 3}}) == bad);
  BOOST_TEST(refusal_of({{4, 3}, {1, 3}, {1, 3}, {5, 3}}) ==
             "GIF whose data end before its pixels do");
  picture.frames[0].data = fixtures::gif_data_of({{{4, 3}, {1, 3}, {6, 3}, {2, 3}, {5, 4}}}, 2);
  BOOST_TEST(colours_of(fixtures::gif_file(picture)) == looked_up({1, 1, 1, 2}, picture.palette),
             boost::test_tools::per_element());
  // Behind the last pixel codes are no pixels: whatever they are.
  picture.frames[0].data = fixtures::gif_data_of({{{4, 3}, {1, 3}, {6, 3}, {2, 3}, {15, 4}}}, 2);
  BOOST_TEST(colours_of(fixtures::gif_file(picture)) == looked_up({1, 1, 1, 2}, picture.palette),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_frame_must_lie_on_its_canvas_and_have_a_palette) {
  GifPicture picture = plain(4, 4, 4);
  picture.frames[0].left_px = 1;
  BOOST_TEST(refusal(fixtures::gif_file(picture)) == "GIF with a frame outside its canvas");
  picture.frames[0] = plain(4, 4, 4).frames[0];
  picture.palette.clear();
  BOOST_TEST(refusal(fixtures::gif_file(picture)) == "GIF without a palette");
  picture.frames.clear();
  BOOST_TEST(refusal(fixtures::gif_file(picture)) == "GIF without a picture");
  const Bytes head = fixtures::bytes_of(std::string_view("GIF89a\x01\0\x01\0", 10));
  BOOST_TEST(refusal(head).starts_with("giflib: "));
}

// What malloc has out while a frame is read; giflib uses no other memory.
BOOST_AUTO_TEST_CASE(giflib_takes_what_its_price_says) {
  GifPicture picture = plain(2000, 3, 256);
  picture.frames[0].palette = picture.palette;
  const Bytes still = fixtures::gif_file(picture);
  // A comment of a megabyte before it, and frames behind.
  Bytes file(still.begin(), still.begin() + 13 + 3 * 256);
  fixtures::append(file, std::string_view("!\xFE"));
  for (int i = 0; i < 4000; ++i) fixtures::append(file, "\xFF" + std::string(255, 'x'));
  file.push_back(std::byte{0});
  for (int i = 0; i < 3; ++i) {
    fixtures::append(file, std::span(still).subspan(13 + 3 * 256, still.size() - 13 - 3 * 256 - 1));
  }
  const auto in_use_bytes = [] {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const std::size_t before_bytes = in_use_bytes();
  GifFile gif(file);
  BOOST_REQUIRE(gif.is_open());
  BOOST_REQUIRE(!gif.find_frame());
  std::array<GifPixelType, 2000> row{};
  BOOST_REQUIRE(DGifGetLine(gif.get(), row.data(), 2000) == GIF_OK);
  BOOST_TEST(in_use_bytes() - before_bytes <= kGiflibBytes);
  BOOST_TEST(gif_decoding_bytes({1, 1}) >= kGiflibBytes);
  BOOST_TEST(
      ImageChecker({.max_px = 1'000'000}).reencoding_bytes(fixtures::gif_file(plain(1, 1, 2))) >=
      kGiflibBytes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
