// Every kind of bad picture of fixtures, by itself: fate and reason under the default policies, what
// each fix makes of it, and what it may cost to find out.
#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <map>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <set>
#include <string>

#include "fixtures/bad_picture.h"
#include "fixtures/jpeg_edit.h"
#include "fixtures/picture_bytes.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/image_check.h"

namespace penstock::convert {
namespace {

using fixtures::BadFate;
using fixtures::BadPicture;
using fixtures::Bytes;
constexpr std::uint64_t kMaxPx = 100'000'000;

PictureFixes on(std::initializer_list<const char*> choices) {
  PictureFixes fixes;
  for (const char* choice : choices) fixes.policies.set(choice);
  return fixes;
}

ImageVerdict check(const BadPicture& picture, const PictureFixes& fixes = {},
                   std::uint64_t max_px = kMaxPx) {
  return ImageChecker({.max_px = max_px, .fixes = fixes})
      .check(picture.bytes, "a/" + picture.file_name(), {});
}

BadFate fate_of(const ImageVerdict& verdict, ReasonCode reason) {
  if (verdict.fate == FileFate::kSkippedText) return BadFate::kLeftOut;
  if (verdict.fate == FileFate::kQuarantined) return BadFate::kQuarantined;
  if (verdict.fate == FileFate::kKept) return BadFate::kKept;
  // A picture may be stored otherwise for another reason: a PNG with an orientation.
  return verdict.mended.has(reason) || verdict.mended.has(ReasonCode::kOtherFormat)
             ? BadFate::kFixed
             : BadFate::kKept;
}

std::vector<BadPicture> of_kind(const std::string& kind) {
  std::vector<BadPicture> some;
  for (BadPicture& picture : fixtures::all_bad_pictures()) {
    if (picture.kind == kind) some.push_back(std::move(picture));
  }
  BOOST_REQUIRE(some.size() >= 3);
  return some;
}

// A second reader: OpenCV, which knows nothing of Penstock.
cv::Mat decode(std::span<const std::byte> bytes,
               int flags = cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION) {
  const cv::Mat view(1, static_cast<int>(bytes.size()), CV_8UC1,
                     const_cast<std::byte*>(bytes.data()));
  const cv::Mat image = cv::imdecode(view, flags);
  BOOST_REQUIRE(!image.empty());
  return image;
}

double mean_difference(const cv::Mat& a, const cv::Mat& b) {
  BOOST_REQUIRE(a.size() == b.size());
  return cv::norm(a, b, cv::NORM_L1) / static_cast<double>(a.total() * a.channels());
}

BOOST_AUTO_TEST_SUITE(bad_pictures)

BOOST_AUTO_TEST_CASE(every_kind_has_three_files_and_a_reason_of_the_table) {
  std::map<std::string, int> num_of_kind;
  for (const BadPicture& picture : fixtures::all_bad_pictures()) {
    ++num_of_kind[picture.kind];
    BOOST_TEST(find_reason(picture.reason).has_value(), picture.reason);
  }
  for (const auto& [kind, count] : num_of_kind) BOOST_TEST(count >= 3, kind);
}

BOOST_AUTO_TEST_CASE(each_has_the_fate_and_the_reason_that_its_maker_states) {
  for (const BadPicture& picture : fixtures::all_bad_pictures()) {
    BOOST_TEST_CONTEXT(picture.file_name()) {
      const ReasonCode reason = *find_reason(picture.reason);
      const ImageVerdict verdict = check(picture);
      BOOST_TEST(verdict.detail.find('\n') == std::string::npos);
      BOOST_CHECK(fate_of(verdict, reason) == picture.fate);
      BOOST_TEST(verdict.reasons.has(reason));
      if (picture.fate == BadFate::kQuarantined) {
        BOOST_TEST(reason_code_name(verdict.reason) == picture.reason);
      }
      if (verdict.fate == FileFate::kKept) BOOST_TEST(verdict.reencoded.empty());
    }
  }
}

// By the defaults nothing that decodes is lost, and nothing is stored with a loss unasked.
BOOST_AUTO_TEST_CASE(by_default_only_what_does_not_decode_is_quarantined) {
  for (const ReasonInfo& info : all_reasons()) {
    if (info.default_policy != Policy::kQuarantine) continue;
    // A picture without a label decodes, but nothing says what it shows.
    if (info.code == ReasonCode::kRowWithoutLabel) continue;
    // Bare pixels always decode; whether they are the right ones, nothing says.
    if (info.code == ReasonCode::kFailedChecksum) continue;
    BOOST_TEST(!info.allows(Policy::kKeep), info.name);
  }
  for (const BadPicture& picture : fixtures::all_bad_pictures()) {
    BOOST_TEST(check(picture).loss == "", picture.file_name());
  }
}

BOOST_AUTO_TEST_CASE(an_ordinary_picture_has_no_reason) {
  const BadPicture good{.kind = "good",
                        .reason = "none",
                        .fate = BadFate::kKept,
                        .extension = "jpg",
                        .bytes = tests::picture_jpeg({})};
  const ImageVerdict verdict = check(good);
  BOOST_CHECK(verdict.fate == FileFate::kKept);
  BOOST_TEST(verdict.reasons.empty());
}

BOOST_AUTO_TEST_CASE(what_may_be_quarantined_is_when_asked_for) {
  for (const BadPicture& picture : fixtures::all_bad_pictures()) {
    if (picture.number != 0) continue;
    const ReasonInfo& info = reason_info(*find_reason(picture.reason));
    BOOST_REQUIRE(info.allows(Policy::kQuarantine));
    const ImageVerdict verdict = check(picture, on({(picture.reason + "=quarantine").c_str()}));
    BOOST_CHECK_MESSAGE(verdict.fate == FileFate::kQuarantined, picture.file_name());
    BOOST_TEST(reason_code_name(verdict.reason) == picture.reason);
  }
}

// A bomb may take 50 ms and 64 MB; the time is taken ten times over, so
// that a busy machine does not fail it.
BOOST_AUTO_TEST_CASE(bombs_are_refused_before_anything_is_allocated) {
  using Clock = std::chrono::steady_clock;
  const auto peak_bytes = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  };
  int num_bombs = 0;
  for (const char* kind :
       {"jpeg_huge", "jpeg_bomb", "png_huge", "idat_bomb", "text_bomb", "bmp_huge", "webp_bomb",
        "gif_huge", "gif_bomb", "comments", "scans_568"}) {
    for (const BadPicture& picture : of_kind(kind)) {
      ImageChecker checker({.max_px = kMaxPx});
      const std::uint64_t before = peak_bytes();
      const auto start = Clock::now();
      checker.check(picture.bytes, "a/1.jpg", {});
      const auto elapsed = Clock::now() - start;
      BOOST_TEST(peak_bytes() - before < 64u << 20, picture.file_name());
      BOOST_CHECK_MESSAGE(elapsed < std::chrono::milliseconds(500), picture.file_name());
      ++num_bombs;
    }
  }
  BOOST_TEST(num_bombs >= 33);
}

// Some bytes changed, or the end missing: whatever it is then, it has a verdict, and the good picture
// that follows has the one that it always has.
BOOST_AUTO_TEST_CASE(pictures_bent_at_random_have_a_verdict_and_spoil_nothing) {
  constexpr std::uint32_t kSeed = 20;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937 random(kSeed);
  ImageChecker checker(
      {.max_px = 1'000'000,
       .fixes = on({"truncated=fix", "damaged=fix", "restart_error=fix", "bad_crc=fix",
                    "too_many_pixels=fix", "exif_orientation=fix", "second_picture=fix"})});
  const Bytes good = fixtures::pattern_jpeg({.seed = 7});
  const ImageVerdict expected = checker.check(good, "good.jpg", {});
  for (const BadPicture& picture : fixtures::all_bad_pictures()) {
    if (picture.bytes.empty() || picture.bytes.size() > 20'000) continue;
    for (int round = 0; round < 4; ++round) {
      BOOST_TEST_CONTEXT(picture.file_name() << ", round " << round) {
        Bytes bent = picture.bytes;
        for (int i = 0; i <= round; ++i) {
          // Headers stand in front: half of the changes go there.
          const std::size_t room =
              i % 2 == 0 ? std::min<std::size_t>(bent.size(), 100) : bent.size();
          bent[random() % room] = static_cast<std::byte>(random());
        }
        if (round == 3) bent.resize(1 + random() % bent.size());
        const ImageVerdict verdict = checker.check(bent, "a/" + picture.file_name(), {});
        if (verdict.fate == FileFate::kQuarantined) BOOST_TEST(verdict.reasons.has(verdict.reason));
        if (is_stored(verdict.fate)) BOOST_TEST(verdict.sums.num_px > 0u);
        const ImageVerdict after = checker.check(good, "good.jpg", {});
        BOOST_CHECK(after.fate == FileFate::kKept && after.sums == expected.sums);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_jpeg_that_is_cut_short_is_stored_with_gray_on_request_only) {
  for (const BadPicture& picture : of_kind("cut")) {
    const ImageVerdict verdict = check(picture, on({"truncated=fix"}));
    BOOST_REQUIRE(verdict.fate == FileFate::kReencoded);
    BOOST_TEST(verdict.mended.has(ReasonCode::kTruncated));
    BOOST_TEST(verdict.loss == "stored as libjpeg guesses it: Premature end of JPEG file");
    // The first rows are those of the whole picture.
    const cv::Mat whole =
        decode(fixtures::pattern_jpeg({.width_px = 160, .height_px = 128, .seed = picture.number}));
    const cv::Rect top(0, 0, 160, 32);
    BOOST_TEST(mean_difference(decode(verdict.reencoded)(top), whole(top)) < 4.0);
  }
  // Of headers alone nothing is left.
  BadPicture headers = of_kind("cut").front();
  headers.bytes.resize(fixtures::find_segment(headers.bytes, fixtures::JpegMarker::kScan) + 14);
  BOOST_CHECK(check(headers, on({"truncated=fix"})).fate == FileFate::kQuarantined);
}

BOOST_AUTO_TEST_CASE(restart_errors_and_damage_are_guessed_on_request_only) {
  for (const BadPicture& picture : of_kind("restart")) {
    const ImageVerdict verdict = check(picture, on({"restart_error=fix"}));
    BOOST_CHECK(verdict.fate == FileFate::kReencoded);
    BOOST_TEST(verdict.loss != "");
  }
  for (const BadPicture& picture : of_kind("early_end")) {
    BOOST_CHECK(check(picture, on({"damaged=fix"})).fate == FileFate::kReencoded);
  }
  // No decoder makes anything of a table that is none.
  for (const BadPicture& picture : of_kind("huffman_table")) {
    BOOST_CHECK(check(picture, on({"damaged=fix"})).fate == FileFate::kQuarantined);
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_checksum_is_passed_over_on_request_only) {
  for (const BadPicture& picture : of_kind("wrong_crc")) {
    const ImageVerdict verdict = check(picture, on({"bad_crc=fix"}));
    BOOST_CHECK(verdict.fate == FileFate::kReencoded);
    BOOST_TEST(verdict.loss != "");
  }
}

BOOST_AUTO_TEST_CASE(pictures_above_the_limit_are_scaled_down_on_request) {
  // Slopes without an edge: however a picture is made smaller, they stay.
  cv::Mat slopes(480, 640, CV_8UC3);
  for (int y = 0; y < slopes.rows; ++y) {
    for (int x = 0; x < slopes.cols; ++x) {
      slopes.at<cv::Vec3b>(y, x) = {static_cast<std::uint8_t>(x / 3),
                                    static_cast<std::uint8_t>(y / 2),
                                    static_cast<std::uint8_t>((x + y) / 5)};
    }
  }
  std::vector<std::uint8_t> encoded;
  BOOST_REQUIRE(cv::imencode(".jpg", slopes, encoded));
  const auto* const begin = reinterpret_cast<const std::byte*>(encoded.data());
  const Bytes large(begin, begin + encoded.size());
  const auto scaled = [&](std::uint64_t max_px, const Bytes& jpeg) {
    return ImageChecker({.max_px = max_px, .fixes = on({"too_many_pixels=fix"})})
        .check(jpeg, "a", {});
  };
  const cv::Mat whole = decode(large);
  // sqrt(100,000 / 307,200) = 0.57054: 365.1 x 273.9.
  const ImageVerdict half = scaled(100'000, large);
  BOOST_REQUIRE(half.fate == FileFate::kReencoded);
  BOOST_TEST(half.loss == "640 x 480 px scaled down to 365 x 273");
  BOOST_TEST(half.mended.has(ReasonCode::kTooManyPixels));
  cv::Mat expected;
  cv::resize(whole, expected, {365, 273}, 0, 0, cv::INTER_AREA);
  BOOST_TEST(mean_difference(decode(half.reencoded), expected) < 1.0);
  // sqrt(600 / 307,200) = 0.0442: 28.3 x 21.2.
  const ImageVerdict small = scaled(600, large);
  BOOST_TEST(small.loss == "640 x 480 px scaled down to 28 x 21");
  const ImageVerdict progressive = scaled(
      600, fixtures::pattern_jpeg({.width_px = 6400, .height_px = 4800}, {.is_progressive = true}));
  BOOST_CHECK(progressive.fate == FileFate::kQuarantined);  // its coefficients are not bounded
  BOOST_CHECK(progressive.reasons.has(ReasonCode::kTooManyPixels));
}

// 8000 x 6000 in a limit of a megapixel: what is held is the result and some rows, not 144 MB.
BOOST_AUTO_TEST_CASE(scaling_down_holds_rows_and_not_the_picture) {
  const Bytes large = fixtures::pattern_jpeg({.width_px = 8000, .height_px = 6000});
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  const ImageVerdict verdict =
      ImageChecker({.max_px = 1'000'000, .fixes = on({"too_many_pixels=fix"})})
          .check(large, "a", {});
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  BOOST_TEST(verdict.loss == "8000 x 6000 px scaled down to 1154 x 866");
  BOOST_TEST(after.ru_maxrss - before.ru_maxrss < 64 << 10);  // KiB
}

BOOST_AUTO_TEST_CASE(turned_pixels_are_those_that_a_viewer_shows) {
  for (std::uint8_t orientation = 1; orientation <= 8; ++orientation) {
    for (const auto subsampling :
         {fixtures::ChromaSubsampling::k444, fixtures::ChromaSubsampling::k420,
          fixtures::ChromaSubsampling::k422}) {
      for (const std::uint32_t width_px : {96u, 90u}) {  // whole coded units, and not
        const Bytes jpeg = fixtures::with_orientation(
            fixtures::pattern_jpeg({.width_px = width_px, .height_px = 64, .seed = orientation},
                                   {.subsampling = subsampling}),
            orientation);
        ImageChecker checker({.max_px = kMaxPx, .fixes = on({"exif_orientation=fix"})});
        const ImageVerdict verdict = checker.check(jpeg, "a.jpg", {});
        BOOST_TEST(verdict.record.orientation == 1);
        if (orientation == 1) {
          BOOST_CHECK(verdict.fate == FileFate::kKept);
          continue;
        }
        BOOST_TEST(verdict.mended.has(ReasonCode::kExifOrientation));
        BOOST_TEST(read_exif_orientation(verdict.reencoded) == 1);
        // Only what is mirrored must be whole: the width, but for 4 and 5, and 6 which mirrors what
        // was the height.
        const bool needs_width = orientation == 2 || orientation == 3 || orientation >= 7;
        const bool is_lossless = width_px == 96 || !needs_width;
        BOOST_CHECK((verdict.fate == FileFate::kRewritten) == is_lossless);
        // OpenCV turns by EXIF unless told not to.
        const double difference =
            mean_difference(decode(verdict.reencoded), decode(jpeg, cv::IMREAD_COLOR));
        BOOST_TEST(difference < (is_lossless ? 1.0 : 4.0));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(orientations_of_png_and_webp_are_in_the_index_or_in_the_pixels) {
  for (const char* kind : {"exif_chunk", "webp_exif"}) {
    for (const BadPicture& picture : of_kind(kind)) {
      BOOST_TEST(check(picture).record.orientation > 1);
      const ImageVerdict upright = check(picture, on({"exif_orientation=fix"}));
      BOOST_TEST(upright.record.orientation == 1);
      BOOST_TEST(upright.mended.has(ReasonCode::kExifOrientation));
    }
  }
}

// OpenCV's TIFF reader turns by itself: it must not be turned again. 6 and 8 lie on their side.
BOOST_AUTO_TEST_CASE(the_orientation_of_a_tiff_is_applied_once) {
  for (const BadPicture& picture : of_kind("tiff_turned")) {
    const ImageVerdict verdict = check(picture);
    const bool lies_on_its_side = picture.number > 0;
    const bool is_turned = verdict.record.height_px > verdict.record.width_px;
    const bool is_to_turn = verdict.record.orientation > 4;
    BOOST_TEST((is_turned != is_to_turn) == lies_on_its_side);
    const ImageVerdict upright = check(picture, on({"exif_orientation=fix"}));
    BOOST_TEST((upright.record.height_px > upright.record.width_px) == lies_on_its_side);
    const cv::Mat shown = decode(picture.bytes, cv::IMREAD_COLOR);
    BOOST_TEST(mean_difference(decode(upright.reencoded), shown) < 4.0);
  }
}

BOOST_AUTO_TEST_CASE(bytes_behind_the_end_are_cut_off_on_request) {
  for (const char* kind : {"zeros_behind", "two_pictures"}) {
    for (const BadPicture& picture : of_kind(kind)) {
      const ImageVerdict verdict =
          check(picture, on({"bytes_after_end=fix", "second_picture=fix"}));
      BOOST_REQUIRE(verdict.fate == FileFate::kRewritten);
      const Bytes first = fixtures::pattern_jpeg(
          {.width_px = 40 + 8 * picture.number, .height_px = 32, .seed = picture.number});
      BOOST_CHECK(verdict.reencoded == first);
      BOOST_TEST(verdict.record.length_bytes == first.size());
    }
  }
}

BOOST_AUTO_TEST_CASE(other_codings_become_baseline_of_the_same_pixels) {
  for (const char* kind : {"progressive", "arithmetic", "motion_jpeg", "scans_190"}) {
    for (const BadPicture& picture : of_kind(kind)) {
      const ImageVerdict kept = check(picture, on({"many_scans=keep"}));
      BOOST_REQUIRE(kept.fate == FileFate::kKept);
      const ImageVerdict verdict =
          check(picture, on({"progressive=fix", "arithmetic=fix", "missing_huffman_tables=fix"}));
      BOOST_REQUIRE(verdict.fate == FileFate::kRewritten);
      BOOST_CHECK(verdict.sums == kept.sums);
      BOOST_TEST(verdict.mended.has(*find_reason(picture.reason)));
      BOOST_TEST((verdict.record.flags & kFlagProgressive) == 0);
      BOOST_CHECK(verdict.reencoded[fixtures::find_segment(
                      verdict.reencoded, fixtures::JpegMarker::kHuffman)] == std::byte{0xFF});
    }
  }
}

BOOST_AUTO_TEST_CASE(transparent_pictures_lie_on_the_background_asked_for) {
  PictureFixes fixes;
  fixes.background = parse_colour("#0000ff", "--background");
  for (const BadPicture& picture : of_kind("webp_alpha")) {
    const double on_blue = check(picture, fixes).sums.mean()[0];
    const double on_white = check(picture).sums.mean()[0];
    // Alpha is 100 of 255: red differs by 155 of 255.
    BOOST_TEST(on_white - on_blue == 155.0 / 255.0, boost::test_tools::tolerance(0.03));
  }
}

// The fourth byte of 32 bits is zero: as alpha it would hide the picture.
BOOST_AUTO_TEST_CASE(a_bmp_of_32_bits_is_not_transparent) {
  const ImageVerdict verdict = check(of_kind("bmp").back());
  BOOST_TEST(!verdict.reasons.has(ReasonCode::kTransparency));
  BOOST_TEST(verdict.sums.mean()[0] < 0.8);
}

BOOST_AUTO_TEST_CASE(of_an_animation_the_first_frame_is_stored) {
  // Greens of the first frame are 40 + seed and 200 in equal parts, of the others 20 and 40 more.
  for (const BadPicture& picture : of_kind("webp_animation")) {
    const double green = check(picture).sums.mean()[1] * 255;
    BOOST_TEST(std::abs(green - (240.0 + picture.number) / 2) < 3.0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
