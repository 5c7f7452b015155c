// What a conversion does to pictures on request, as its summary and its dataset tell it.
#include <fmt/core.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <string>

#include "fixtures/jpeg_edit.h"
#include "fixtures/picture_bytes.h"
#include "streamer/core/error.h"
#include "streamer/shard/dataset.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/convert_listener.h"
#include "tests/tools/folder_contents.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/convert_job.h"
#include "tools/convert/convert_report.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::contents;
using tests::Listener;
using tests::write_file;
using tests::write_picture;

BOOST_AUTO_TEST_SUITE(convert_encoding)

// ITU T.81, B.2.3: a scan holds at most 10 blocks of all its components in a unit; these have 12.
BOOST_AUTO_TEST_CASE(pictures_that_stay_in_several_scans_are_counted) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  const fixtures::SamplingFactors twice{.x = 2, .y = 2};
  write_picture(source / "cat" / "plain.jpg");
  write_picture(source / "cat" / "progressive.jpg", {.jpeg = {.is_progressive = true}});
  write_picture(source / "dog" / "apart.jpg", {.jpeg = {.sampling_factors = {{twice, twice, twice}},
                                                        .has_scan_per_component = true}});
  Listener listener;
  const ConvertSummary summary =
      convert_folder({.source = source,
                      .dataset = folder.path() / "ds",
                      .split = {.validation_fraction = 0.0, .test_fraction = {}},
                      .several_scans = SeveralScans::kRewritten},
                     listener, {});
  BOOST_TEST(summary.counted.num_rewritten == 1u);
  BOOST_TEST(summary.counted.num_in_several_scans == 1u);
  const std::string text = summary_text(summary, "ds");
  BOOST_TEST(text.find("rewritten     1 picture of several scans, as baseline JPEG of the same "
                       "pixels; left as they are: 1") != std::string::npos,
             text);
  BOOST_TEST(summary_json(summary).find("\"num_in_several_scans\": 1") != std::string::npos);
}

// 64 x 48 pixels of 4:2:0: 8 x 6 blocks of 128 bytes and half as many again, and padding.
BOOST_AUTO_TEST_CASE(coefficients_above_the_limit_are_rewritten_by_default) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  const fixtures::SamplingFactors twice{.x = 2, .y = 2};
  const tests::PictureOptions progressive{
      .width_px = 64, .height_px = 48, .jpeg = {.is_progressive = true}};
  for (const char* const name : {"a.jpg", "b.jpg", "c.jpg"}) {
    write_picture(source / "cat" / name, progressive);
  }
  write_picture(source / "dog" / "apart.jpg", {.width_px = 64,
                                               .height_px = 48,
                                               .jpeg = {.sampling_factors = {{twice, twice, twice}},
                                                        .has_scan_per_component = true}});
  write_picture(source / "dog" / "plain.jpg");
  Listener listener;
  ConvertConfig config{.source = source,
                       .dataset = folder.path() / "ds",
                       .split = {.validation_fraction = 0.0, .test_fraction = {}},
                       .max_coefficient_bytes = 5000};
  const ConvertSummary summary = convert_folder(config, listener, {});
  BOOST_TEST(summary.counted.num_rewritten == 3u);
  BOOST_TEST(summary.reasons.num_fixed(ReasonCode::kLargeCoefficients) == 3u);
  BOOST_TEST(summary.num_by_reason.at("large_coefficients") == 1u);
  BOOST_TEST(summary.manifest.conversion.at("max_coefficient_bytes") == "5000");
  config.dataset = folder.path() / "kept";
  config.max_coefficient_bytes = kMaxCoefficientBytes;
  const ConvertSummary kept = convert_folder(config, listener, {});
  BOOST_TEST(kept.counted.num_rewritten == 0u);
  BOOST_TEST(kept.manifest.num_quarantined.value() == 0u);
  BOOST_TEST(kept.manifest.largest.decode_scratch_bytes >
             summary.manifest.largest.decode_scratch_bytes);
}

BOOST_AUTO_TEST_CASE(metadata_is_stripped_and_counted_whether_or_not_pictures_are_decoded) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  for (const char* const name : {"a.jpg", "b.jpg", "c.jpg"}) {
    const fixtures::Bytes jpeg =
        fixtures::with_segment(fixtures::with_orientation(fixtures::pattern_jpeg({}), 6),
                               fixtures::JpegMarker::kComment, fixtures::bytes_of("taken by me"));
    write_file(source / "cat" / name, jpeg);
  }
  write_picture(source / "dog" / "plain.jpg");
  Listener listener;
  std::map<std::string, std::string> first;
  for (const CheckDepth depth : {CheckDepth::kDecode, CheckDepth::kHeader}) {
    for (const unsigned num_jobs : {1u, 3u}) {
      ConvertConfig config{.source = source,
                           .dataset = folder.path() / fmt::format("{}-{}", num_jobs, int(depth)),
                           .split = {.validation_fraction = 0.0, .test_fraction = {}},
                           .num_jobs = num_jobs,
                           .strip_metadata = true,
                           .depth = depth};
      const ConvertSummary summary = convert_folder(config, listener, {});
      BOOST_TEST(summary.counted.num_stripped == 3u);
      // The segment of the comment: marker, length, text.
      BOOST_TEST(summary.counted.stripped_bytes == 3u * (2 + 2 + 11));
      BOOST_TEST(summary_text(summary, "ds").find("stripped      3 pictures of 45") !=
                 std::string::npos);
      BOOST_TEST(summary_json(summary).find("\"stripped_bytes\": 45") != std::string::npos);
      BOOST_TEST(summary.manifest.conversion.at("metadata") == "stripped");
      const auto files = contents(config.dataset);
      for (const auto& [name, text] : files) {
        BOOST_TEST(text.find("taken by me") == std::string::npos, name);
      }
      const Dataset dataset = Dataset::open(config.dataset);
      std::uint64_t num_turned = 0;
      for (std::uint64_t i = 0; i < 4; ++i) {
        num_turned += dataset.split("train").record(i).orientation == 6 ? 1 : 0;
      }
      BOOST_TEST(num_turned == 3u);
      if (num_jobs == 1) first = files;
      BOOST_TEST((files == first));
    }
  }
}

BOOST_AUTO_TEST_CASE(trust_and_optimized_crops_contradict_each_other) {
  const ConvertConfig config{.several_scans = SeveralScans::kRewritten,
                             .depth = CheckDepth::kHeader};
  BOOST_CHECK_EXCEPTION(config.validate(), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           error.hint() == "leave out --trust, or --optimize-crops";
  });
}

BOOST_AUTO_TEST_CASE(what_is_encoded_on_request_is_counted_and_the_same_for_any_number_of_jobs) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  for (std::uint32_t i = 0; i < 12; ++i) {
    write_picture(source / "a" / (std::to_string(i) + ".jpg"),
                  {.width_px = 60 + 10 * i, .height_px = 80, .seed = i});
  }
  std::map<std::string, std::string> first;
  for (const unsigned num_jobs : {1u, 4u}) {
    const fs::path dataset = folder.path() / std::to_string(num_jobs);
    Listener listener;
    const ConvertSummary summary = convert_folder(
        {.source = source,
         .dataset = dataset,
         .num_jobs = num_jobs,
         .encode = {.resize_short_px = 64, .quality = 90, .codec = CodecChoice::kAuto}},
        listener, {});
    // One is 60 px wide, so its longer side, 80 px, is above what auto keeps bare, and it needs nothing.
    BOOST_TEST(summary.counted.num_resized == 11u);
    BOOST_TEST(summary.counted.num_lossy == 11u);
    const Manifest manifest = read_manifest(dataset);
    BOOST_TEST(manifest.conversion.at("resize_short_px") == "64");
    BOOST_TEST(manifest.conversion.at("quality") == "90");
    BOOST_TEST(manifest.conversion.at("codec") == "auto");
    BOOST_TEST(manifest.conversion.at("max_side_px") == "any");
    const std::string text = summary_text(summary, "d");
    BOOST_TEST(text.find("resized       11 pictures") != std::string::npos, text);
    BOOST_TEST(text.find("lossy         11 pictures") != std::string::npos, text);
    if (first.empty()) first = contents(dataset);
    BOOST_CHECK(contents(dataset) == first);
  }
}

BOOST_AUTO_TEST_CASE(trust_is_refused_beside_what_decodes) {
  Listener listener;
  ConvertConfig config{.source = "a", .dataset = "b", .encode = {.resize_short_px = 64}};
  config.depth = CheckDepth::kHeader;
  BOOST_CHECK_EXCEPTION(convert_folder(config, listener, {}), Error, [](const Error& error) {
    return std::string(error.what()).starts_with("convert: trust: expected nothing for which");
  });
  config.encode = {.codec = CodecChoice::kPng};
  BOOST_CHECK_NO_THROW(config.validate());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
