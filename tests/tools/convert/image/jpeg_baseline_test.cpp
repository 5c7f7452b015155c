#include "tools/convert/image/jpeg_baseline.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstring>

#include <jpeglib.h>

#include "streamer/core/checksum.h"
#include "tests/streamer/small_dataset.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/image_check.h"

namespace penstock::convert {
namespace {

using fixtures::ChromaSubsampling;
using Bytes = std::vector<std::byte>;

Bytes encoded(const fixtures::JpegOptions& options, std::uint32_t channels = 3) {
  return tests::jpeg_sample(91, 61, 5, options, channels).encoded;
}

// libjpeg itself, errors ending the test program: all pixels, and what the header says.
struct Decoded {
  std::vector<std::uint8_t> pixels;
  std::vector<std::pair<int, std::string>> metadata;  // marker and bytes, in order
  bool has_several_scans = false;
  bool is_progressive = false;
  unsigned restart_interval = 0;
  std::uint32_t width_mcus = 0;
};

Decoded decode(const Bytes& jpeg) {
  jpeg_decompress_struct cinfo{};
  jpeg_error_mgr errors{};
  cinfo.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&cinfo);
  jpeg_mem_src(&cinfo, reinterpret_cast<const unsigned char*>(jpeg.data()), jpeg.size());
  jpeg_save_markers(&cinfo, JPEG_COM, 0xFFFF);
  for (int i = 0; i < 16; ++i) jpeg_save_markers(&cinfo, JPEG_APP0 + i, 0xFFFF);
  jpeg_read_header(&cinfo, TRUE);
  Decoded decoded{.pixels = {},
                  .metadata = {},
                  .has_several_scans = jpeg_has_multiple_scans(&cinfo) != 0,
                  .is_progressive = cinfo.progressive_mode != 0};
  for (const auto* marker = cinfo.marker_list; marker != nullptr; marker = marker->next) {
    decoded.metadata.emplace_back(
        marker->marker,
        std::string(reinterpret_cast<const char*>(marker->data), marker->data_length));
  }
  jpeg_start_decompress(&cinfo);
  const std::size_t row_bytes = std::size_t{cinfo.output_width} * cinfo.output_components;
  decoded.pixels.resize(row_bytes * cinfo.output_height);
  while (cinfo.output_scanline < cinfo.output_height) {
    JSAMPROW row = &decoded.pixels[cinfo.output_scanline * row_bytes];
    jpeg_read_scanlines(&cinfo, &row, 1);
  }
  decoded.restart_interval = cinfo.restart_interval;
  decoded.width_mcus = cinfo.MCUs_per_row;
  BOOST_TEST(errors.num_warnings == 0);
  jpeg_finish_decompress(&cinfo);
  jpeg_destroy_decompress(&cinfo);
  return decoded;
}

Bytes rewritten(const Bytes& jpeg) {
  const BaselineOutcome outcome = rewrite_as_baseline(jpeg, {});
  const auto* const bytes = std::get_if<Bytes>(&outcome);
  const auto* const why = std::get_if<std::string>(&outcome);
  BOOST_REQUIRE_MESSAGE(bytes != nullptr, (why == nullptr ? "" : *why));
  return *bytes;
}

// A segment right behind SOI: marker, length with itself, content.
Bytes with_segment(const Bytes& jpeg, std::uint8_t marker, std::string_view content) {
  const auto length = content.size() + 2;
  Bytes bytes(jpeg.begin(), jpeg.begin() + 2);
  for (const std::size_t byte :
       {std::size_t{0xFF}, std::size_t{marker}, length >> 8, length & 255}) {
    bytes.push_back(static_cast<std::byte>(byte));
  }
  for (const char c : content) bytes.push_back(static_cast<std::byte>(c));
  bytes.insert(bytes.end(), jpeg.begin() + 2, jpeg.end());
  return bytes;
}

// EXIF 2.32, 4.5.4 and 4.6: little-endian TIFF with one entry, orientation 6.
std::string exif_turned() {
  return std::string("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0", 32);
}

SourcePicture as_picture(const Bytes& jpeg) {
  SourcePicture picture;
  picture.bytes = jpeg;
  return picture;
}

BOOST_AUTO_TEST_SUITE(jpeg_baseline)

BOOST_AUTO_TEST_CASE(the_pixels_are_the_same_and_the_scan_is_one_with_a_restart_a_row) {
  for (const auto subsampling : {ChromaSubsampling::k444, ChromaSubsampling::k422,
                                 ChromaSubsampling::k420, ChromaSubsampling::k440}) {
    for (const bool is_progressive : {true, false}) {
      const Bytes source = encoded({.quality = 85,
                                    .subsampling = subsampling,
                                    .is_progressive = is_progressive,
                                    .has_scan_per_component = !is_progressive});
      const Bytes bytes = rewritten(source);
      const Decoded before = decode(source);
      const Decoded after = decode(bytes);
      BOOST_TEST(before.has_several_scans);
      BOOST_TEST(!after.has_several_scans);
      BOOST_TEST(!after.is_progressive);
      BOOST_TEST(after.restart_interval == after.width_mcus);
      BOOST_TEST((before.pixels == after.pixels));
      BOOST_TEST((rewritten(source) == bytes));
    }
  }
  const Bytes gray = encoded({.is_progressive = true}, 1);
  BOOST_TEST((decode(gray).pixels == decode(rewritten(gray)).pixels));
  const Bytes rgb = encoded({.is_stored_as_rgb = true, .has_scan_per_component = true});
  BOOST_TEST((decode(rgb).pixels == decode(rewritten(rgb)).pixels));
}

BOOST_AUTO_TEST_CASE(segments_and_comments_are_kept_in_their_order) {
  Bytes source = encoded({.is_progressive = true});
  source = with_segment(source, 0xFE, "taken in the rain");
  source = with_segment(source, 0xE2, std::string("ICC_PROFILE\0", 12) + std::string(5000, 'p'));
  source = with_segment(source, 0xE1, exif_turned());
  const Decoded before = decode(source);
  const Decoded after = decode(rewritten(source));
  BOOST_TEST(before.metadata.size() == 4u);  // and JFIF's
  BOOST_TEST((before.metadata == after.metadata));
  BOOST_TEST(int{read_exif_orientation(rewritten(source))} == 6);
}

BOOST_AUTO_TEST_CASE(what_libjpeg_cannot_rewrite_has_a_reason) {
  Bytes cut = encoded({.is_progressive = true});
  cut.resize(cut.size() / 2);
  for (const Bytes& bytes : {Bytes{}, Bytes(100), cut}) {
    const BaselineOutcome outcome = rewrite_as_baseline(bytes, {});
    const auto* const why = std::get_if<std::string>(&outcome);
    BOOST_REQUIRE(why != nullptr);
    BOOST_TEST(!why->empty());
  }
}

BOOST_AUTO_TEST_CASE(a_stop_ends_a_rewrite) {
  std::stop_source stop;
  const Bytes source = encoded({.is_progressive = true});
  BOOST_TEST(std::holds_alternative<Bytes>(rewrite_as_baseline(source, stop.get_token())));
  stop.request_stop();
  const BaselineOutcome outcome = rewrite_as_baseline(source, stop.get_token());
  BOOST_REQUIRE(std::holds_alternative<std::string>(outcome));
  BOOST_TEST(std::get<std::string>(outcome) == "stopped");
}

CheckSettings rewriting() {
  CheckSettings settings{.max_px = 1u << 20};
  settings.apply(SeveralScans::kRewritten);
  return settings;
}

BOOST_AUTO_TEST_CASE(the_checker_rewrites_what_has_several_scans) {
  ImageChecker checker(rewriting());
  const Bytes progressive = with_segment(encoded({.is_progressive = true}), 0xE1, exif_turned());
  const ImageVerdict verdict = checker.check(progressive, "a.jpg", {});
  BOOST_REQUIRE((verdict.fate == FileFate::kRewritten));
  BOOST_TEST((verdict.reencoded == rewritten(progressive)));
  BOOST_TEST(verdict.record.length_bytes == verdict.reencoded.size());
  BOOST_TEST(int{verdict.record.flags} == 0);
  BOOST_TEST(int{verdict.record.orientation} == 6);
  const ImageVerdict before = ImageChecker({.max_px = 1u << 20}).check(progressive, "a.jpg", {});
  BOOST_REQUIRE((before.fate == FileFate::kKept));
  BOOST_TEST(int{before.record.flags} == int{kFlagProgressive});
  BOOST_TEST(verdict.decode_scratch_bytes < before.decode_scratch_bytes);
  BOOST_TEST((verdict.sums.mean() == before.sums.mean()));
}

// A coded unit of 4:2:0 is 16 px high: below four rows of them nothing is gained.
BOOST_AUTO_TEST_CASE(one_scan_gets_restart_markers_where_crops_gain_by_them) {
  ImageChecker checker({.optimizes_crops = true});
  const auto check = [&](std::uint32_t height_px, const fixtures::JpegOptions& options) {
    const Bytes jpeg = tests::jpeg_sample(91, height_px, 5, options).encoded;
    const ImageVerdict verdict = checker.check(jpeg, "a.jpg", {});
    if (verdict.fate != FileFate::kRewritten) {
      BOOST_TEST((verdict.fate == FileFate::kKept));
      BOOST_TEST(!verdict.is_optimized);
      return false;
    }
    BOOST_TEST(verdict.is_optimized);
    BOOST_TEST(verdict.mended.empty());
    BOOST_TEST((decode(jpeg).pixels == decode(verdict.reencoded).pixels));
    BOOST_TEST((verdict.reencoded == rewritten(jpeg)));
    return true;
  };
  BOOST_TEST(check(61, {}));
  BOOST_TEST(!check(48, {}));
  BOOST_TEST(check(48, {.subsampling = ChromaSubsampling::k444}));
  BOOST_TEST(!check(61, {.restart_rows = 1}));
  BOOST_TEST(
      (ImageChecker({.max_px = 1u << 20}).check(encoded({}), "b.jpg", {}).fate == FileFate::kKept));
  ImageChecker small({.max_coefficient_bytes = 1000, .optimizes_crops = true});
  BOOST_TEST((small.check(encoded({}), "b.jpg", {}).fate == FileFate::kKept));
}

// 91 x 61 pixels of 4:4:4: 12 x 8 blocks of 128 bytes, three times, and some padding.
BOOST_AUTO_TEST_CASE(coefficients_above_the_limit_are_rewritten_or_quarantined_by_name) {
  const Bytes source = encoded({.subsampling = ChromaSubsampling::k444, .is_progressive = true});
  constexpr std::uint64_t kLeast = 12 * 8 * 128 * 3;
  const ImageVerdict kept =
      ImageChecker({.max_coefficient_bytes = 4 * kLeast}).check(source, "a.jpg", {});
  BOOST_TEST((kept.fate == FileFate::kKept));
  BOOST_TEST(!kept.reasons.has(ReasonCode::kLargeCoefficients));
  CheckSettings settings{.max_coefficient_bytes = kLeast};
  for (const CheckDepth depth : {CheckDepth::kDecode, CheckDepth::kHeader}) {
    settings.depth = depth;
    ImageChecker checker(settings);
    const ImageVerdict verdict = checker.check(source, "a.jpg", {});
    BOOST_REQUIRE((verdict.fate == FileFate::kRewritten));
    BOOST_TEST(verdict.mended.has(ReasonCode::kLargeCoefficients));
    BOOST_TEST(int{verdict.record.flags} == 0);
    BOOST_TEST((decode(verdict.reencoded).pixels == decode(source).pixels));
    // The loader needs rows alone now; rewriting takes all coefficients, and is priced so.
    BOOST_TEST(verdict.decode_scratch_bytes < kept.decode_scratch_bytes);
    BOOST_TEST(checker.checking_bytes(as_picture(source)) >= kLeast + 2 * verdict.reencoded.size());
    BOOST_TEST((checker.check(encoded({}), "b.jpg", {}).fate == FileFate::kKept));
  }
  settings.depth = CheckDepth::kDecode;
  settings.fixes.policies.set(ReasonCode::kLargeCoefficients, Policy::kKeep);
  BOOST_TEST((ImageChecker(settings).check(source, "a.jpg", {}).fate == FileFate::kKept));
  settings.fixes.policies.set(ReasonCode::kLargeCoefficients, Policy::kQuarantine);
  BOOST_TEST(
      (ImageChecker(settings).check(source, "a.jpg", {}).reason == ReasonCode::kLargeCoefficients));
}

// T.81, B.2.3: a scan of several components holds at most ten blocks a coded unit; 4 x 2, 2 x 1 and
// 1 x 1 are eleven.
BOOST_AUTO_TEST_CASE(coefficients_above_the_limit_that_one_scan_cannot_hold_are_quarantined) {
  const Bytes source =
      encoded({.sampling_factors = fixtures::ComponentSampling{{{4, 2}, {2, 1}, {1, 1}}},
               .has_scan_per_component = true});
  BOOST_REQUIRE(std::holds_alternative<std::string>(rewrite_as_baseline(source, {})));
  BOOST_TEST(
      (ImageChecker({.max_px = 1u << 20}).check(source, "a.jpg", {}).fate == FileFate::kKept));
  const ImageVerdict verdict =
      ImageChecker({.max_coefficient_bytes = 1000}).check(source, "a.jpg", {});
  BOOST_TEST((verdict.fate == FileFate::kQuarantined));
  BOOST_TEST((verdict.reason == ReasonCode::kLargeCoefficients));
  BOOST_TEST(verdict.detail.find("one scan cannot hold it") != std::string::npos);
}

// libjpeg would smooth what the missing last scans refine (jdcoefct.c, smoothing_ok), but only in a
// picture of several, and only where it is asked to: JpegDecoder does not ask.
BOOST_AUTO_TEST_CASE(a_picture_whose_last_scans_are_missing_keeps_the_loaders_pixels) {
  Bytes source = encoded({.quality = 60, .is_progressive = true});
  // Cut before the third scan, SOS being FF DA, and ended with EOI.
  std::size_t num_scans = 0;
  for (std::size_t at = 0; at + 1 < source.size(); ++at) {
    if (source[at] != std::byte{0xFF} || source[at + 1] != std::byte{0xDA}) continue;
    if (++num_scans < 2) continue;
    source.resize(at);
    break;
  }
  // Its Huffman tables stand before it; they do no harm.
  source.push_back(std::byte{0xFF});
  source.push_back(std::byte{0xD9});
  ImageChecker checker(rewriting());
  const ImageVerdict verdict = checker.check(source, "a.jpg", {});
  BOOST_REQUIRE((verdict.fate == FileFate::kRewritten));
  const ImageVerdict before = ImageChecker({.max_px = 1u << 20}).check(source, "a.jpg", {});
  BOOST_REQUIRE((before.fate == FileFate::kKept));
  BOOST_TEST((verdict.sums.mean() == before.sums.mean()));
  // With libjpeg's own settings the two differ: the case is one where smoothing matters.
  BOOST_TEST((decode(source).pixels != decode(verdict.reencoded).pixels));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
