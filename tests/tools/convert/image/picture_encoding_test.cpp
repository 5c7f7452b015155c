// What the checker makes of pictures where sizes, quality, colours or a codec were asked for. A second
// reader and writer is OpenCV.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <string_view>

#include "fixtures/bad_picture.h"
#include "fixtures/jpeg_edit.h"
#include "fixtures/picture_bytes.h"
#include "streamer/core/error.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/image/jpeg_structure.h"

namespace penstock::convert {
namespace {

using fixtures::Bytes;
constexpr std::uint64_t kMaxPx = 100'000'000;
constexpr int kAsStored = cv::IMREAD_UNCHANGED | cv::IMREAD_IGNORE_ORIENTATION;

ImageVerdict check(const Bytes& file, const EncodeSettings& encode, const PictureFixes& fixes = {},
                   CheckDepth depth = CheckDepth::kDecode) {
  return ImageChecker({.max_px = kMaxPx, .depth = depth, .fixes = fixes, .encode = encode})
      .check(file, "a", {});
}

cv::Mat decode(std::span<const std::byte> bytes, int flags = kAsStored) {
  const cv::Mat view(1, static_cast<int>(bytes.size()), CV_8UC1,
                     const_cast<std::byte*>(bytes.data()));
  cv::Mat image = cv::imdecode(view, flags);
  BOOST_REQUIRE(!image.empty());
  return image;
}

Bytes encoded_by_opencv(const char* extension, const cv::Mat& image,
                        const std::vector<int>& parameters = {}) {
  std::vector<std::uint8_t> bytes;
  BOOST_REQUIRE(cv::imencode(extension, image, bytes, parameters));
  const auto* const begin = reinterpret_cast<const std::byte*>(bytes.data());
  return {begin, begin + bytes.size()};
}

// Soft shapes and fine lines in colours, as photographs have them.
cv::Mat scene(int width, int height) {
  cv::Mat image(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double u = 1.0 * x / width;
      const double v = 1.0 * y / height;
      const double lines = 18 * std::sin(300 * u * v) + 12 * std::sin(x * 0.9);
      const auto level = [&](double value) { return cv::saturate_cast<std::uint8_t>(value); };
      image.at<cv::Vec3b>(y, x) = {level(60 + 120 * u + lines),
                                   level(90 + 80 * std::sin(6 * v) + lines),
                                   level(200 - 130 * u * v + lines)};
    }
  }
  return image;
}

double psnr_db(const cv::Mat& a, const cv::Mat& b) {
  BOOST_REQUIRE(a.size() == b.size());
  BOOST_REQUIRE(a.type() == b.type());
  return cv::PSNR(a, b);
}

// The filter by another hand, in double precision: separable triangles, as Pillow's BILINEAR.
cv::Mat exactly_resized(const cv::Mat& image, cv::Size size) {
  const auto weights = [](int from, int to) {
    cv::Mat matrix = cv::Mat::zeros(to, from, CV_64F);
    const double step = static_cast<double>(from) / to;
    for (int i = 0; i < to; ++i) {
      const double centre = (i + 0.5) * step - 0.5;
      for (int j = 0; j < from; ++j) {
        matrix.at<double>(i, j) = std::max(0.0, 1 - std::abs(j - centre) / step);
      }
      matrix.row(i) /= cv::sum(matrix.row(i))[0];
    }
    return matrix;
  };
  const cv::Mat rows = weights(image.rows, size.height);
  const cv::Mat columns = weights(image.cols, size.width);
  std::vector<cv::Mat> planes;
  cv::split(image, planes);
  for (cv::Mat& plane : planes) {
    cv::Mat exact;
    plane.convertTo(exact, CV_64F);
    exact = rows * exact * columns.t();
    exact.convertTo(plane, CV_8U);
  }
  cv::Mat result;
  cv::merge(planes, result);
  return result;
}

// Sums of what OpenCV, with the same libjpeg, decodes.
void check_sums(const ImageVerdict& verdict, const cv::Mat& stored) {
  cv::Mat colours = stored;
  if (stored.channels() == 1) cv::cvtColor(stored, colours, cv::COLOR_GRAY2BGR);
  const cv::Scalar sums = cv::sum(colours);
  BOOST_TEST(verdict.sums.num_px == stored.total());
  for (std::size_t c = 0; c < 3; ++c) {
    BOOST_TEST(static_cast<double>(verdict.sums.sum[c]) == sums[static_cast<int>(2 - c)]);
  }
}

BOOST_AUTO_TEST_SUITE(picture_encoding)

BOOST_AUTO_TEST_CASE(a_resized_jpeg_is_a_jpeg_of_the_sides_quality_and_sampling_said) {
  const cv::Mat image = scene(400, 533);
  const Bytes jpeg = encoded_by_opencv(".jpg", image);  // OpenCV halves chroma both ways
  const ImageVerdict verdict = check(jpeg, {.resize_short_px = 256, .quality = 90});
  BOOST_REQUIRE(verdict.fate == FileFate::kReencoded);
  BOOST_TEST(verdict.is_resized);
  BOOST_TEST(verdict.is_lossy);
  BOOST_TEST(verdict.record.width_px == 256u);
  BOOST_TEST(verdict.record.height_px == 341u);
  BOOST_TEST(verdict.record.length_bytes == verdict.reencoded.size());
  BOOST_TEST(verdict.record.subsampling_x == 2u);
  BOOST_TEST(verdict.record.subsampling_y == 2u);
  // The same tables as libjpeg writes for OpenCV at that quality.
  const Bytes other = encoded_by_opencv(".jpg", image, {cv::IMWRITE_JPEG_QUALITY, 90});
  const auto table = [](const Bytes& bytes) {
    const std::size_t at = fixtures::find_segment(bytes, fixtures::JpegMarker::kQuantisation);
    return Bytes(bytes.begin() + static_cast<long>(at), bytes.begin() + static_cast<long>(at) + 69);
  };
  BOOST_CHECK(table(verdict.reencoded) == table(other));
  const cv::Mat stored = decode(verdict.reencoded);
  BOOST_TEST(psnr_db(stored, exactly_resized(decode(jpeg), {256, 341})) > 33.0);
  check_sums(verdict, stored);
  // Another time, the same bytes.
  BOOST_CHECK(check(jpeg, {.resize_short_px = 256, .quality = 90}).reencoded == verdict.reencoded);
}

BOOST_AUTO_TEST_CASE(chroma_stays_as_it_was_sampled) {
  for (const auto& [subsampling, x, y] : {std::tuple{fixtures::ChromaSubsampling::k444, 1u, 1u},
                                          {fixtures::ChromaSubsampling::k422, 2u, 1u},
                                          {fixtures::ChromaSubsampling::k420, 2u, 2u}}) {
    const Bytes jpeg =
        fixtures::pattern_jpeg({.width_px = 90, .height_px = 70}, {.subsampling = subsampling});
    const ImageVerdict verdict = check(jpeg, {.resize_short_px = 40});
    BOOST_TEST(verdict.record.subsampling_x == x);
    BOOST_TEST(verdict.record.subsampling_y == y);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_enlarged_and_what_fits_keeps_its_bytes) {
  const Bytes jpeg = fixtures::pattern_jpeg({.width_px = 90, .height_px = 70}, {.quality = 80});
  for (const EncodeSettings& encode :
       {EncodeSettings{.resize_short_px = 70}, EncodeSettings{.max_side_px = 90},
        EncodeSettings{.resize_short_px = 256, .max_side_px = 1000, .quality = 90},
        EncodeSettings{.codec = CodecChoice::kJpeg}, EncodeSettings{.codec = CodecChoice::kPng},
        EncodeSettings{.codec = CodecChoice::kAuto}}) {
    const ImageVerdict verdict = check(jpeg, encode);
    BOOST_CHECK(verdict.fate == FileFate::kKept);
    BOOST_TEST(!verdict.is_lossy);
  }
}

BOOST_AUTO_TEST_CASE(a_quality_encodes_what_was_coded_finer_and_nothing_else) {
  const Bytes fine = encoded_by_opencv(".jpg", scene(200, 160), {cv::IMWRITE_JPEG_QUALITY, 95});
  const Bytes coarse = encoded_by_opencv(".jpg", scene(200, 160), {cv::IMWRITE_JPEG_QUALITY, 80});
  const ImageVerdict again = check(fine, {.quality = 80});
  BOOST_CHECK(again.fate == FileFate::kReencoded);
  BOOST_TEST(again.is_lossy);
  BOOST_TEST(!again.is_resized);
  BOOST_TEST(again.reencoded.size() < fine.size());
  BOOST_CHECK(check(coarse, {.quality = 80}).fate == FileFate::kKept);
  BOOST_CHECK(check(coarse, {.quality = 90}).fate == FileFate::kKept);
}

// What the decoder leaves out at half, a quarter and an eighth of the size is what the filter would have
// taken away: held against the full decode and the exact filter. The pictures are stored as bare pixels,
// so that nothing else differs.
BOOST_AUTO_TEST_CASE(a_scaled_decode_shows_what_a_full_one_would) {
  for (const int factor : {3, 5, 6, 9, 12, 15}) {
    const cv::Mat image = scene(64 * factor, 48 * factor);
    const Bytes jpeg = encoded_by_opencv(".jpg", image, {cv::IMWRITE_JPEG_QUALITY, 95});
    const ImageVerdict verdict = check(jpeg, {.resize_short_px = 48, .codec = CodecChoice::kRaw});
    BOOST_REQUIRE(verdict.fate == FileFate::kReencoded);
    cv::Mat small(48, 64, CV_8UC3, const_cast<std::byte*>(verdict.reencoded.data()));
    cv::cvtColor(small, small, cv::COLOR_RGB2BGR);
    const double db = psnr_db(small, exactly_resized(decode(jpeg), {64, 48}));
    BOOST_TEST_MESSAGE("factor " << factor << ": " << db << " dB");
    BOOST_TEST(db > 42.0, "factor " << factor << ": " << db << " dB");
  }
}

BOOST_AUTO_TEST_CASE(orientation_stays_or_is_turned_and_is_found_in_the_file) {
  for (std::uint8_t orientation = 1; orientation <= 8; ++orientation) {
    const Bytes jpeg =
        fixtures::with_orientation(encoded_by_opencv(".jpg", scene(160, 120)), orientation);
    // As a viewer shows it: the upright original, made smaller.
    cv::Mat upright = decode(jpeg, cv::IMREAD_COLOR);
    const bool is_tall = orientation >= 5;
    const cv::Size size = is_tall ? cv::Size(60, 80) : cv::Size(80, 60);
    const cv::Mat expected = exactly_resized(upright, size);
    const EncodeSettings encode{.resize_short_px = 60, .quality = 98};
    const ImageVerdict kept = check(jpeg, encode);
    BOOST_TEST(kept.record.orientation == orientation);
    BOOST_TEST(kept.record.width_px == 80u);
    BOOST_TEST(read_exif_orientation(kept.reencoded) == orientation);
    BOOST_TEST(psnr_db(decode(kept.reencoded, cv::IMREAD_COLOR), expected) > 30.0);
    PictureFixes turned;
    turned.policies.set("exif_orientation=fix");
    const ImageVerdict fixed = check(jpeg, encode, turned);
    BOOST_TEST(fixed.record.orientation == 1);
    BOOST_TEST(fixed.record.width_px == static_cast<unsigned>(size.width));
    BOOST_TEST(read_exif_orientation(fixed.reencoded) == 1);
    BOOST_TEST(psnr_db(decode(fixed.reencoded, cv::IMREAD_COLOR), expected) > 30.0);
  }
}

BOOST_AUTO_TEST_CASE(a_wide_profile_is_kept_and_other_segments_are_not) {
  const auto with_profile = [](std::span<const double, 6> primaries) {
    Bytes segment = fixtures::bytes_of(std::string_view("ICC_PROFILE\0\1\1", 14));
    fixtures::append(segment, fixtures::icc_profile(primaries));
    Bytes jpeg = fixtures::pattern_jpeg({.width_px = 90, .height_px = 70});
    jpeg = fixtures::with_segment(std::move(jpeg), fixtures::JpegMarker::kApp2, segment);
    return fixtures::with_segment(std::move(jpeg), fixtures::JpegMarker::kComment,
                                  fixtures::bytes_of("where and when"));
  };
  // IEC 61966-2-1, adapted to D50.
  constexpr double kSrgbPrimaries[6] = {0.6485, 0.3309, 0.3212, 0.5979, 0.1559, 0.0660};
  const auto icc_of = [](const Bytes& jpeg) {
    const auto icc = read_jpeg_structure(jpeg, JpegExtent::kHeader).icc;
    return Bytes(icc.begin(), icc.end());
  };
  const auto has_text = [](const Bytes& bytes, std::string_view text) {
    const Bytes words = fixtures::bytes_of(text);
    return std::search(bytes.begin(), bytes.end(), words.begin(), words.end()) != bytes.end();
  };
  const Bytes wide = with_profile(fixtures::kDisplayP3);
  const Bytes ordinary = with_profile(kSrgbPrimaries);
  const EncodeSettings encode{.resize_short_px = 40};
  const ImageVerdict of_wide = check(wide, encode);
  BOOST_CHECK(icc_of(of_wide.reencoded) == icc_of(wide));
  BOOST_TEST(!icc_of(wide).empty());
  BOOST_TEST(of_wide.reasons.has(ReasonCode::kWideGamut));
  BOOST_TEST(has_text(wide, "where and when"));
  BOOST_TEST(!has_text(of_wide.reencoded, "where and when"));
  BOOST_TEST(icc_of(check(ordinary, encode).reencoded).empty());
  // A profile of colours says nothing about gray.
  BOOST_TEST(icc_of(check(wide, {.grayscale = true}).reencoded).empty());
}

BOOST_AUTO_TEST_CASE(gray_is_the_luma_that_the_jpeg_holds) {
  const Bytes jpeg = encoded_by_opencv(".jpg", scene(120, 90));
  const ImageVerdict verdict = check(jpeg, {.grayscale = true, .codec = CodecChoice::kRaw});
  BOOST_TEST(verdict.record.components == 1u);
  BOOST_TEST(verdict.is_lossy);
  const cv::Mat gray = decode(jpeg, cv::IMREAD_GRAYSCALE | cv::IMREAD_IGNORE_ORIENTATION);
  BOOST_REQUIRE(verdict.reencoded.size() == gray.total());
  BOOST_TEST(std::equal(gray.datastart, gray.dataend,
                        reinterpret_cast<const std::uint8_t*>(verdict.reencoded.data())));
  const Bytes already = fixtures::pattern_jpeg({.width_px = 40, .height_px = 40, .channels = 1});
  BOOST_CHECK(check(already, {.grayscale = true}).fate == FileFate::kKept);
  const ImageVerdict png = check(encoded_by_opencv(".png", scene(120, 90)), {.grayscale = true});
  BOOST_TEST(png.record.components == 1u);
}

BOOST_AUTO_TEST_CASE(bare_pixels_are_those_that_the_file_decodes_to) {
  const Bytes jpeg = encoded_by_opencv(".jpg", scene(60, 44));
  for (const CodecChoice codec : {CodecChoice::kRaw, CodecChoice::kAuto}) {
    const ImageVerdict verdict = check(jpeg, {.codec = codec});
    BOOST_REQUIRE(verdict.fate == FileFate::kReencoded);
    BOOST_TEST(verdict.record.codec == static_cast<std::uint8_t>(Codec::kRaw));
    BOOST_TEST(!verdict.is_lossy);
    cv::Mat rgb;
    cv::cvtColor(decode(jpeg), rgb, cv::COLOR_BGR2RGB);
    BOOST_REQUIRE(verdict.reencoded.size() == rgb.total() * 3);
    BOOST_TEST(std::equal(rgb.datastart, rgb.dataend,
                          reinterpret_cast<const std::uint8_t*>(verdict.reencoded.data())));
    check_sums(verdict, decode(jpeg));
  }
  // 65 px are above the side up to which auto stores bare pixels, unless they are made smaller.
  const Bytes larger = encoded_by_opencv(".jpg", scene(65, 44));
  BOOST_CHECK(check(larger, {.codec = CodecChoice::kAuto}).fate == FileFate::kKept);
  const ImageVerdict smaller = check(larger, {.max_side_px = 64, .codec = CodecChoice::kAuto});
  BOOST_TEST(smaller.record.codec == static_cast<std::uint8_t>(Codec::kRaw));
}

BOOST_AUTO_TEST_CASE(png_keeps_its_bytes_where_it_may_and_other_formats_lose_nothing_as_png) {
  const cv::Mat image = scene(90, 70);
  const EncodeSettings as_png{.codec = CodecChoice::kPng};
  const Bytes png = encoded_by_opencv(".png", image);
  const ImageVerdict kept = check(png, as_png);
  BOOST_CHECK(kept.fate == FileFate::kKept);
  BOOST_TEST(kept.record.codec == static_cast<std::uint8_t>(Codec::kPng));
  BOOST_TEST(!kept.is_lossy);
  check_sums(kept, image);
  const ImageVerdict bmp = check(encoded_by_opencv(".bmp", image), as_png);
  BOOST_REQUIRE(bmp.fate == FileFate::kReencoded);
  BOOST_TEST(bmp.record.codec == static_cast<std::uint8_t>(Codec::kPng));
  BOOST_TEST(!bmp.is_lossy);
  BOOST_TEST(cv::norm(decode(bmp.reencoded), image, cv::NORM_L1) == 0.0);
  check_sums(bmp, image);
  cv::Mat half_transparent;
  cv::cvtColor(image, half_transparent, cv::COLOR_BGR2BGRA);
  const ImageVerdict flat = check(encoded_by_opencv(".png", half_transparent), as_png);
  BOOST_CHECK(flat.fate == FileFate::kReencoded);
  BOOST_TEST(flat.is_lossy);
  BOOST_TEST(cv::norm(decode(flat.reencoded), image, cv::NORM_L1) == 0.0);
  // By default, as ever: JPEG, whose pixels are others.
  const ImageVerdict jpeg = check(png, {});
  BOOST_TEST(jpeg.record.codec == static_cast<std::uint8_t>(Codec::kJpeg));
  BOOST_TEST(jpeg.is_lossy);
  const ImageVerdict small = check(png, {.resize_short_px = 35, .codec = CodecChoice::kPng});
  BOOST_TEST(psnr_db(decode(small.reencoded), exactly_resized(image, {45, 35})) > 50.0);
}

BOOST_AUTO_TEST_CASE(bare_pixels_of_a_source_are_resized_and_encoded_too) {
  const cv::Mat image = scene(32, 32);
  cv::Mat rgb;
  cv::cvtColor(image, rgb, cv::COLOR_BGR2RGB);
  const auto* const begin = reinterpret_cast<const std::byte*>(rgb.data);
  SourcePicture picture{.bytes = {begin, begin + rgb.total() * 3},
                        .raw = RawShape{.height_px = 32, .width_px = 32, .channels = 3},
                        .orientation = {},
                        .codec = {}};
  const auto verdict_on = [&](const EncodeSettings& encode) {
    return ImageChecker({.max_px = kMaxPx, .encode = encode}).check(picture, "a", {});
  };
  BOOST_CHECK(verdict_on({}).fate == FileFate::kKept);
  BOOST_CHECK(verdict_on({.codec = CodecChoice::kAuto}).fate == FileFate::kKept);
  const ImageVerdict half = verdict_on({.resize_short_px = 16});
  BOOST_TEST(half.record.codec == static_cast<std::uint8_t>(Codec::kRaw));
  BOOST_TEST(half.reencoded.size() == 16u * 16 * 3);
  const ImageVerdict jpeg = verdict_on({.codec = CodecChoice::kJpeg});
  BOOST_TEST(psnr_db(decode(jpeg.reencoded), image) > 30.0);
  const ImageVerdict png = verdict_on({.codec = CodecChoice::kPng});
  BOOST_TEST(cv::norm(decode(png.reencoded), image, cv::NORM_L1) == 0.0);
}

BOOST_AUTO_TEST_CASE(damage_is_found_at_any_scale) {
  const Bytes whole = encoded_by_opencv(".jpg", scene(640, 480));
  for (const std::uint64_t side : {16u, 60u, 200u, 400u}) {
    for (const std::size_t length : {whole.size() / 2, whole.size() - 20}) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<long>(length));
      const ImageVerdict verdict = check(cut, {.resize_short_px = side});
      BOOST_CHECK(verdict.fate == FileFate::kQuarantined);
      BOOST_CHECK(verdict.reason == ReasonCode::kTruncated);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_header_alone_is_enough_to_encode_but_gives_no_sums) {
  const Bytes jpeg = encoded_by_opencv(".jpg", scene(400, 300));
  const EncodeSettings encode{.resize_short_px = 100};
  const ImageVerdict verdict = check(jpeg, encode, {}, CheckDepth::kHeader);
  BOOST_CHECK(verdict.reencoded == check(jpeg, encode).reencoded);
  BOOST_TEST(verdict.sums.num_px == 0u);
}

// Rows are held, not the picture: 100 megapixels take some megabytes.
BOOST_AUTO_TEST_CASE(the_price_of_a_large_picture_is_that_of_its_rows) {
  const Bytes large =
      fixtures::with_sides(fixtures::pattern_jpeg({.width_px = 64, .height_px = 64}), 10000, 10000);
  Bytes bytes = large;
  bytes.resize(2'000'000);  // enough not to be a bomb
  const SourcePicture picture{.bytes = bytes, .raw = {}, .orientation = {}, .codec = {}};
  const auto price = [&](const EncodeSettings& encode) {
    return ImageChecker({.max_px = kMaxPx, .encode = encode}).checking_bytes(picture);
  };
  BOOST_TEST(price({.resize_short_px = 256}) < 4'000'000u);
  BOOST_TEST(price({.resize_short_px = 256}) > 500'000u);
  // All of the bare pixels, twice at least.
  BOOST_TEST(price({.codec = CodecChoice::kRaw}) >= 600'000'000u);
}

// Every kind of bad picture, bent or not, under every codec: a verdict, and the
// good picture that follows has the bytes that it always has.
BOOST_AUTO_TEST_CASE(bad_pictures_have_a_verdict_whatever_is_asked_and_spoil_nothing) {
  constexpr std::uint32_t kSeed = 21;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937 random(kSeed);
  PictureFixes fixes;
  for (const char* choice : {"truncated=fix", "damaged=fix", "bad_crc=fix", "too_many_pixels=fix",
                             "exif_orientation=fix"}) {
    fixes.policies.set(choice);
  }
  const Bytes good = encoded_by_opencv(".jpg", scene(90, 70));
  for (const CodecChoice codec : {CodecChoice::kAsFound, CodecChoice::kPng, CodecChoice::kAuto}) {
    const EncodeSettings encode{
        .resize_short_px = 16, .quality = 70, .grayscale = random() % 2 == 0, .codec = codec};
    ImageChecker checker({.max_px = 1'000'000, .fixes = fixes, .encode = encode});
    const Bytes expected = checker.check(good, "good.jpg", {}).reencoded;
    for (const fixtures::BadPicture& picture : fixtures::all_bad_pictures()) {
      if (picture.bytes.empty() || picture.bytes.size() > 20'000) continue;
      BOOST_TEST_CONTEXT(picture.file_name()) {
        Bytes bent = picture.bytes;
        if (random() % 2 == 0) bent[random() % bent.size()] = static_cast<std::byte>(random());
        const ImageVerdict verdict = checker.check(bent, "a/" + picture.file_name(), {});
        if (is_stored(verdict.fate)) {
          BOOST_TEST(verdict.sums.num_px ==
                     std::uint64_t{verdict.record.width_px} * verdict.record.height_px);
          BOOST_TEST(verdict.record.length_bytes ==
                     (is_made_anew(verdict.fate) ? verdict.reencoded.size() : bent.size()));
        }
        BOOST_CHECK(checker.check(good, "good.jpg", {}).reencoded == expected);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
