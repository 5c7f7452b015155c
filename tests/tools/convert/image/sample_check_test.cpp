#include "tools/convert/image/sample_check.h"

#include <boost/test/unit_test.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "fixtures/jpeg_edit.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/image/png_structure.h"

namespace penstock::convert {
namespace {

SourcePicture stored(std::vector<std::byte> bytes, Codec codec, std::uint8_t orientation = 6) {
  SourcePicture picture;
  picture.bytes = std::move(bytes);
  picture.codec = codec;
  picture.orientation = orientation;
  return picture;
}

std::vector<std::byte> encoded(const char* extension, const cv::Mat& image) {
  std::vector<std::uint8_t> file;
  cv::imencode(extension, image, file);
  const auto bytes = std::as_bytes(std::span(file));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> gray_png() {
  return encoded(".png", cv::Mat(3, 5, CV_8UC1, cv::Scalar(51)));  // 51 / 255 is 0.2
}

// Soft colours, in which no two corners are alike.
cv::Mat scene() {
  cv::Mat image(60, 90, CV_8UC3);
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      image.at<cv::Vec3b>(y, x) = {cv::saturate_cast<std::uint8_t>(2 * x),
                                   cv::saturate_cast<std::uint8_t>(4 * y),
                                   cv::saturate_cast<std::uint8_t>(220 - x - y)};
    }
  }
  return image;
}

SourcePicture sample_of(const cv::Mat& image, Codec codec, std::uint8_t orientation) {
  if (codec != Codec::kRaw) {
    return stored(encoded(codec == Codec::kPng ? ".png" : ".jpg", image), codec, orientation);
  }
  cv::Mat rgb;
  cv::cvtColor(image, rgb, cv::COLOR_BGR2RGB);
  const auto* const begin = reinterpret_cast<const std::byte*>(rgb.data);
  SourcePicture picture = stored({begin, begin + rgb.total() * 3}, codec, orientation);
  picture.raw = RawShape{.height_px = static_cast<std::uint32_t>(image.rows),
                         .width_px = static_cast<std::uint32_t>(image.cols),
                         .channels = 3};
  return picture;
}

// What is stored, as OpenCV shows it in colours, its orientation left alone.
cv::Mat shown(const SourcePicture& picture, const ImageVerdict& verdict) {
  const auto& bytes = is_made_anew(verdict.fate) ? verdict.reencoded : picture.bytes;
  const IndexRecord& record = verdict.record;
  BOOST_TEST(record.length_bytes == bytes.size());
  cv::Mat image;
  if (record.codec == static_cast<std::uint8_t>(Codec::kRaw)) {
    const bool is_gray = record.components == 1;
    const cv::Mat view(static_cast<int>(record.height_px), static_cast<int>(record.width_px),
                       is_gray ? CV_8UC1 : CV_8UC3, const_cast<std::byte*>(bytes.data()));
    cv::cvtColor(view, image, is_gray ? cv::COLOR_GRAY2BGR : cv::COLOR_RGB2BGR);
    return image;
  }
  const cv::Mat view(1, static_cast<int>(bytes.size()), CV_8UC1,
                     const_cast<std::byte*>(bytes.data()));
  return cv::imdecode(view, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
}

// What the file itself says of its orientation; 1 of bare pixels.
int told_orientation(const ImageVerdict& verdict, std::span<const std::byte> bytes) {
  switch (static_cast<Codec>(verdict.record.codec)) {
    case Codec::kJpeg:
      return read_exif_orientation(bytes);
    case Codec::kPng:
      return read_tiff_orientation(read_png_structure(bytes).exif);
    default:
      return 1;
  }
}

struct Asked {
  const char* name;
  EncodeSettings encode;
  // What becomes of JPEG, PNG and raw.
  std::array<Codec, 3> codecs;
};

const std::array kAsked{
    Asked{"nothing", {}, {Codec::kJpeg, Codec::kPng, Codec::kRaw}},
    Asked{"short", {.resize_short_px = 40}, {Codec::kJpeg, Codec::kPng, Codec::kRaw}},
    Asked{"side", {.max_side_px = 60}, {Codec::kJpeg, Codec::kPng, Codec::kRaw}},
    Asked{"quality", {.quality = 60}, {Codec::kJpeg, Codec::kPng, Codec::kRaw}},
    Asked{"gray", {.grayscale = true}, {Codec::kJpeg, Codec::kPng, Codec::kRaw}},
    Asked{"jpeg", {.codec = CodecChoice::kJpeg}, {Codec::kJpeg, Codec::kJpeg, Codec::kJpeg}},
    Asked{"png", {.codec = CodecChoice::kPng}, {Codec::kJpeg, Codec::kPng, Codec::kPng}},
    Asked{"raw", {.codec = CodecChoice::kRaw}, {Codec::kRaw, Codec::kRaw, Codec::kRaw}},
    Asked{"auto", {.codec = CodecChoice::kAuto}, {Codec::kJpeg, Codec::kJpeg, Codec::kJpeg}},
    Asked{"small auto",
          {.max_side_px = 60, .codec = CodecChoice::kAuto},
          {Codec::kRaw, Codec::kRaw, Codec::kRaw}}};

BOOST_AUTO_TEST_SUITE(sample_check)

BOOST_AUTO_TEST_CASE(a_png_stays_one_and_is_summed) {
  ImageChecker checker({.max_px = 1000});
  const ImageVerdict verdict = checker.check(stored(gray_png(), Codec::kPng), "a", {});
  BOOST_TEST((verdict.fate == FileFate::kKept));
  BOOST_TEST(verdict.record.codec == 2);  // FORMAT.md, section 4
  BOOST_TEST(verdict.record.orientation == 6);
  BOOST_TEST(verdict.record.width_px == 5u);
  BOOST_TEST(verdict.record.height_px == 3u);
  BOOST_TEST(verdict.record.components == 1);
  BOOST_TEST(verdict.record.length_bytes == gray_png().size());
  BOOST_TEST(verdict.sums.num_px == 15u);
  BOOST_TEST(verdict.reasons.has(ReasonCode::kGrayscale));
  BOOST_TEST(verdict.reasons.has(ReasonCode::kExifOrientation));
  BOOST_TEST(verdict.sums.mean()[2] == 0.2, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(samples_of_every_codec_become_what_is_asked_for) {
  constexpr std::array kCodecs{Codec::kJpeg, Codec::kPng, Codec::kRaw};
  const cv::Mat image = scene();
  for (const Asked& asked : kAsked) {
    for (std::size_t i = 0; i < kCodecs.size(); ++i) {
      BOOST_TEST_CONTEXT(asked.name << " of codec " << static_cast<int>(kCodecs[i])) {
        const SourcePicture picture = sample_of(image, kCodecs[i], 1);
        ImageChecker checker({.max_px = 5400, .encode = asked.encode});
        const ImageVerdict verdict = checker.check(picture, "a", {});
        BOOST_REQUIRE(is_stored(verdict.fate));
        BOOST_TEST(verdict.record.codec == static_cast<int>(asked.codecs[i]));
        const bool is_resized = asked.encode.resize_short_px || asked.encode.max_side_px;
        BOOST_TEST(verdict.is_resized == is_resized);
        BOOST_TEST(verdict.record.width_px == (is_resized ? 60u : 90u));
        BOOST_TEST(verdict.record.height_px == (is_resized ? 40u : 60u));
        BOOST_TEST(verdict.record.components == (asked.encode.grayscale ? 1 : 3));
        cv::Mat expected = image;
        if (is_resized) cv::resize(image, expected, {60, 40}, 0, 0, cv::INTER_AREA);
        if (asked.encode.grayscale) {
          cv::cvtColor(image, expected, cv::COLOR_BGR2GRAY);
          cv::cvtColor(expected, expected, cv::COLOR_GRAY2BGR);
        }
        const cv::Mat found = shown(picture, verdict);
        BOOST_TEST(cv::PSNR(found, expected) > 30.0);
        const bool is_exact = kCodecs[i] != Codec::kJpeg && asked.codecs[i] != Codec::kJpeg &&
                              !is_resized && !asked.encode.grayscale;
        if (is_exact) BOOST_TEST(cv::norm(found, expected, cv::NORM_L1) == 0.0);
        BOOST_TEST(static_cast<double>(verdict.sums.sum[0]) == cv::sum(found)[2]);
      }
    }
  }
}

// As after a conversion that took all EXIF out, or where an EXIF was wrong. 6 of the index stands over it.
BOOST_AUTO_TEST_CASE(a_jpeg_whose_exif_does_not_say_it_is_kept_told_and_turned_by_the_index) {
  const cv::Mat image = scene();
  const SourcePicture without = sample_of(image, Codec::kJpeg, 6);
  SourcePicture otherwise = without;
  otherwise.bytes = fixtures::with_orientation(without.bytes, 3);
  for (const SourcePicture& picture : {without, otherwise}) {
    CheckSettings settings;
    const ImageVerdict kept = ImageChecker(settings).check(picture, "a", {});
    BOOST_CHECK(kept.fate == FileFate::kKept);
    BOOST_TEST(kept.reencoded.empty());
    BOOST_TEST(kept.record.orientation == 6);
    BOOST_TEST(kept.record.length_bytes == picture.bytes.size());
    BOOST_TEST(kept.reasons.has(ReasonCode::kExifOrientation));

    settings.encode = {.max_side_px = 16};
    const ImageVerdict small = ImageChecker(settings).check(picture, "a", {});
    BOOST_CHECK(small.fate == FileFate::kReencoded);
    BOOST_TEST(small.record.orientation == 6);
    BOOST_TEST(int{read_exif_orientation(small.reencoded)} == 6);

    for (const EncodeSettings& encode : {EncodeSettings{}, EncodeSettings{.max_side_px = 16}}) {
      settings.encode = encode;
      settings.fixes.policies.set("exif_orientation=fix");
      const ImageVerdict turned = ImageChecker(settings).check(picture, "a", {});
      BOOST_TEST(is_made_anew(turned.fate));
      BOOST_TEST(turned.record.orientation == 1);
      BOOST_TEST(int{read_exif_orientation(turned.reencoded)} == 1);
      BOOST_TEST(turned.mended.has(ReasonCode::kExifOrientation));
      cv::Mat expected;
      cv::rotate(encode.max_side_px ? shown(picture, small) : shown(picture, kept), expected,
                 cv::ROTATE_90_CLOCKWISE);
      BOOST_TEST(cv::PSNR(shown(picture, turned), expected) > 35.0);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_jpeg_that_a_dataset_shows_as_it_lies_is_not_turned_by_its_exif) {
  SourcePicture picture = sample_of(scene(), Codec::kJpeg, 1);
  picture.bytes = fixtures::with_orientation(picture.bytes, 6);
  CheckSettings settings;
  settings.fixes.policies.set("exif_orientation=fix");
  const ImageVerdict verdict = ImageChecker(settings).check(picture, "a", {});
  BOOST_CHECK(verdict.fate == FileFate::kKept);
  BOOST_TEST(verdict.record.orientation == 1);
  BOOST_TEST(!verdict.reasons.has(ReasonCode::kExifOrientation));
}

// Of bare pixels and PNG, only the index says how the camera was held.
BOOST_AUTO_TEST_CASE(the_orientation_of_the_index_is_kept_told_and_mended) {
  const cv::Mat image = scene();
  cv::Mat upright;
  cv::rotate(image, upright, cv::ROTATE_90_CLOCKWISE);  // what 6 means: JEITA CP-3451, 4.6.4
  for (const Asked& asked : kAsked) {
    for (const Codec codec : {Codec::kPng, Codec::kRaw}) {
      BOOST_TEST_CONTEXT(asked.name << " of codec " << static_cast<int>(codec)) {
        const SourcePicture picture = sample_of(image, codec, 6);
        CheckSettings settings{.encode = asked.encode};
        const ImageVerdict kept = ImageChecker(settings).check(picture, "a", {});
        BOOST_TEST(kept.record.orientation == 6);
        BOOST_TEST(kept.reasons.has(ReasonCode::kExifOrientation));
        BOOST_TEST(!kept.mended.has(ReasonCode::kExifOrientation));
        const bool tells = kept.fate == FileFate::kReencoded &&
                           kept.record.codec != static_cast<std::uint8_t>(Codec::kRaw);
        BOOST_TEST(told_orientation(kept, kept.reencoded) == (tells ? 6 : 1));

        settings.fixes.policies.set("exif_orientation=fix");
        const ImageVerdict fixed = ImageChecker(settings).check(picture, "a", {});
        BOOST_REQUIRE(fixed.fate == FileFate::kReencoded);
        BOOST_TEST(fixed.record.codec == kept.record.codec);
        BOOST_TEST(fixed.record.orientation == 1);
        BOOST_TEST(fixed.mended.has(ReasonCode::kExifOrientation));
        BOOST_TEST(told_orientation(fixed, fixed.reencoded) == 1);
        cv::Mat expected;
        cv::rotate(shown(picture, kept), expected, cv::ROTATE_90_CLOCKWISE);
        BOOST_TEST(cv::PSNR(shown(picture, fixed), expected) > 35.0);
      }
    }
  }
}

// The lower bits and alpha are not what training on the dataset has seen.
BOOST_AUTO_TEST_CASE(of_a_png_the_pixels_count_that_the_loader_shows) {
  cv::Mat deep(4, 4, CV_16UC4, cv::Scalar(0x12FF, 0x34FF, 0x56FF, 0x7F00));
  ImageChecker checker({.encode = {.codec = CodecChoice::kRaw}});
  const ImageVerdict verdict =
      checker.check(stored(encoded(".png", deep), Codec::kPng, 1), "a", {});
  BOOST_REQUIRE(verdict.reencoded.size() == 48u);
  BOOST_TEST(std::to_integer<int>(verdict.reencoded[0]) == 0x56);
  BOOST_TEST(std::to_integer<int>(verdict.reencoded[1]) == 0x34);
  BOOST_TEST(std::to_integer<int>(verdict.reencoded[2]) == 0x12);
  BOOST_TEST(verdict.is_lossy);
}

BOOST_AUTO_TEST_CASE(text_in_a_png_is_stripped) {
  std::vector<std::byte> png = gray_png();
  const std::vector<std::byte> plain = png;
  // Length 4, tEXt, "a\0me" and its CRC-32 by zlib, behind IHDR.
  constexpr std::array<unsigned char, 16> kText{0,   0, 0,   4,   't',  'E',  'X',  't',
                                                'a', 0, 'm', 'e', 0xD9, 0x95, 0xC6, 0x13};
  const auto text = std::as_bytes(std::span(kText));
  png.insert(png.begin() + 33, text.begin(), text.end());
  for (const CheckDepth depth : {CheckDepth::kDecode, CheckDepth::kHeader}) {
    ImageChecker checker({.depth = depth, .strips_metadata = true});
    const ImageVerdict verdict = checker.check(stored(png, Codec::kPng), "a", {});
    BOOST_CHECK(verdict.fate == FileFate::kRewritten);
    BOOST_CHECK(verdict.reencoded == plain);
    BOOST_TEST(verdict.stripped_bytes == 16u);
    BOOST_TEST(verdict.record.orientation == 6);
  }
}

BOOST_AUTO_TEST_CASE(a_side_that_no_jpeg_has_is_refused_and_not_written) {
  constexpr int kLongPx = 65501;  // libjpeg's JPEG_MAX_DIMENSION is 65500
  const cv::Mat line(1, kLongPx, CV_8UC3, cv::Scalar(1, 2, 3));
  for (const Codec codec : {Codec::kPng, Codec::kRaw}) {
    const SourcePicture picture = sample_of(line, codec, 1);
    ImageChecker jpeg({.encode = {.codec = CodecChoice::kJpeg}});
    const ImageVerdict refused = jpeg.check(picture, "a", {});
    BOOST_CHECK(refused.fate == FileFate::kQuarantined);
    BOOST_CHECK(refused.reason == ReasonCode::kTooManyPixels);
    ImageChecker small({.encode = {.max_side_px = 1000, .codec = CodecChoice::kJpeg}});
    BOOST_TEST(small.check(picture, "a", {}).record.width_px == 1000u);
  }
}

BOOST_AUTO_TEST_CASE(a_jpeg_and_as_many_pixels_as_said_are_ordinary) {
  BOOST_TEST(is_ordinary_sample(stored(tests::picture_jpeg({}), Codec::kJpeg)));
  BOOST_TEST(!is_ordinary_sample(stored(gray_png(), Codec::kJpeg)));
  BOOST_TEST(!is_ordinary_sample(stored(gray_png(), Codec::kPng)));
  SourcePicture raw = stored(std::vector<std::byte>(24, std::byte{255}), Codec::kRaw);
  BOOST_TEST(!is_ordinary_sample(raw));
  raw.raw = RawShape{.height_px = 2, .width_px = 4, .channels = 3};
  BOOST_TEST(is_ordinary_sample(raw));
  raw.bytes.pop_back();
  BOOST_TEST(!is_ordinary_sample(raw));
  SourcePicture file;  // of no dataset
  BOOST_TEST(is_ordinary_sample(file));
}

BOOST_AUTO_TEST_CASE(what_does_not_decode_is_quarantined_with_its_reason) {
  for (const CodecChoice codec : {CodecChoice::kAsFound, CodecChoice::kRaw}) {
    const auto reason = [&](std::vector<std::byte> bytes, Codec was, std::uint64_t max_px = 15) {
      ImageChecker checker({.max_px = max_px, .encode = {.codec = codec}});
      const ImageVerdict verdict = checker.check(stored(std::move(bytes), was), "a", {});
      BOOST_TEST((verdict.fate == FileFate::kQuarantined));
      BOOST_TEST(verdict.reasons.has(verdict.reason));
      return reason_code_name(verdict.reason);
    };
    BOOST_TEST(reason(gray_png(), Codec::kPng, 14) == "too_many_pixels");  // 5 x 3
    std::vector<std::byte> png = gray_png();
    png.resize(png.size() - 20);
    BOOST_TEST(reason(png, Codec::kPng) == "damaged");
    BOOST_TEST(reason(gray_png(), Codec::kJpeg) == "damaged");
    BOOST_TEST(reason(std::vector<std::byte>(23), Codec::kRaw) == "damaged");
    BOOST_TEST(reason(gray_png(), static_cast<Codec>(9)) == "unsupported_format");
  }
}

BOOST_AUTO_TEST_CASE(a_png_has_its_price_only_where_it_is_decoded) {
  const SourcePicture png = stored(gray_png(), Codec::kPng);
  const auto price = [&](const CheckSettings& settings) {
    return ImageChecker(settings).checking_bytes(png);
  };
  const std::uint64_t kept_bytes = price({.max_px = 15});
  BOOST_TEST(kept_bytes >= 15u * 3);  // its pixels as RGB
  BOOST_TEST(price({.max_px = 14}) == 0u);
  const CheckSettings trusting{.max_px = 15, .depth = CheckDepth::kHeader};
  BOOST_TEST(price(trusting) == 0u);
  // What is encoded is decoded whatever is trusted: its pixels, and what becomes of them.
  CheckSettings encoding = trusting;
  encoding.encode.codec = CodecChoice::kJpeg;
  BOOST_TEST(price(encoding) >= kept_bytes + 15u * 3);
  CheckSettings turning = trusting;
  turning.fixes.policies.set("exif_orientation=fix");
  BOOST_TEST(price(turning) >= kept_bytes + 15u * 3);
  const ImageVerdict verdict = ImageChecker(trusting).check(png, "a", {});
  BOOST_TEST((verdict.fate == FileFate::kKept));
  BOOST_TEST(verdict.sums.num_px == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
