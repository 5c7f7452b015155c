// What is written into places of crops, and what is refused. What becomes of a record is tested where it is read:
// tests/train/backend/cuda.
#include "augment/crop_transform.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "streamer/core/crop_record.h"
#include "streamer/core/error.h"
#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

BatchSpec crop_spec(SizePx output, std::uint32_t crop_bytes, std::uint32_t channels = 3) {
  BatchSpec spec = spec_of(output, channels);
  spec.crop_bytes = crop_bytes;
  return spec;
}

struct WrittenPlace {
  CropRecord record;
  std::vector<std::uint8_t> pixels;
};

WrittenPlace write_place(const CropTransform& transform, const DecodedView& decoded,
                         const SampleInfo& info, const BatchSpec& spec) {
  const SamplePlan plan = transform.plan(info, spec, Draws({.seed = 1}));
  std::vector<std::byte> scratch(plan.scratch_bytes);
  std::vector<std::byte> place(spec.crop_bytes, std::byte{0xC5});
  transform.apply(decoded, plan, scratch, {&spec, place.data()});
  WrittenPlace written;
  std::memcpy(&written.record, place.data(), sizeof(CropRecord));
  const std::size_t num_bytes =
      std::size_t{written.record.x.length} * written.record.y.length * written.record.channels;
  const auto* const pixels =
      reinterpret_cast<const std::uint8_t*>(place.data() + sizeof(CropRecord));
  written.pixels.assign(pixels, pixels + num_bytes);
  return written;
}

void check_refused(const AugmentConfig& config, const BatchSpec& spec, ErrorCode code,
                   const std::string& message, const std::string& hint) {
  BOOST_CHECK_EXCEPTION(CropTransform(config).accept(spec), Error, [&](const Error& error) {
    BOOST_TEST(error.what() == message);
    BOOST_TEST(error.hint() == hint);
    return error.code() == code;
  });
}

BOOST_AUTO_TEST_SUITE(crop_transform)

BOOST_AUTO_TEST_CASE(what_no_record_can_say_is_refused_by_its_name) {
  const BatchSpec spec = crop_spec({32, 32}, 6400);
  const auto refused = [&](const AugmentConfig& config, const std::string& message) {
    check_refused(config, spec, ErrorCode::kUnsupported, message, "--augment-on cpu");
  };
  refused(
      {.interpolation = Interpolation::kBilinearAntialias},
      "augment: interpolation: expected bilinear or nearest where a device makes the pixels, found "
      "bilinear_antialias");
  refused(
      {.interpolation = Interpolation::kBicubic},
      "augment: interpolation: expected bilinear or nearest where a device makes the pixels, found "
      "bicubic");
  refused({.hue_range = 0.1},
          "augment: hue_range: expected 0 where a device makes the pixels, found 0.1");
  refused(
      {.auto_augment = AutoAugment::kRandAugment},
      "augment: auto_augment: expected none where a device makes the pixels, found rand_augment");
  for (const std::string_view preset : AugmentConfig::preset_names()) {
    BOOST_CHECK_NO_THROW(CropTransform(AugmentConfig::preset(preset)).accept(spec));
  }
}

BOOST_AUTO_TEST_CASE(batches_that_cannot_hold_a_sampled_picture_or_no_floats_are_refused) {
  // 32 * 32 * 3 bytes behind 328 are 3400: 54 lines of 64 bytes.
  check_refused({}, crop_spec({32, 32}, 3392), ErrorCode::kInvalidArgument,
                "batch: crop_bytes: expected at least 3456, a picture of the batch, found 3392",
                "CropTransform::crop_bytes()");
  BOOST_CHECK_NO_THROW(CropTransform({}).accept(crop_spec({32, 32}, 3456)));
  BatchSpec spec = crop_spec({32, 32}, 3456);
  spec.element = ElementType::kUint8;
  check_refused({}, spec, ErrorCode::kInvalidArgument,
                "batch: element: expected floats in NHWC, which crops become, found another", "");
  spec = crop_spec({32, 32}, 3456);
  spec.layout = PixelLayout::kNchw;
  check_refused({}, spec, ErrorCode::kInvalidArgument,
                "batch: layout: expected floats in NHWC, which crops become, found another", "");
  check_refused({}, crop_spec({32, 32}, 3457), ErrorCode::kInvalidArgument,
                "batch: crop_bytes: expected a multiple of 64, found 3457", "");
}

BOOST_AUTO_TEST_CASE(a_transform_of_finished_pixels_refuses_places_of_crops) {
  BOOST_CHECK_EXCEPTION(AugmentTransform({}).accept(crop_spec({32, 32}, 3456)), Error,
                        [](const Error& error) {
                          return std::string(error.what()) ==
                                 "augment: crop_bytes: expected 0 for finished pixels, found 3456";
                        });
}

// A picture of 40 x 30, every other column of which is shown: the crop is all of it, and its rows come from a decoder
// that leaves a byte between pixels.
BOOST_AUTO_TEST_CASE(a_place_holds_the_pixels_as_they_were_decoded) {
  std::mt19937_64 random(3);
  const TestPicture picture = noise_picture({40, 30}, 3, random);
  std::vector<std::uint8_t> padded;
  for (std::size_t i = 0; i < picture.bytes.size(); ++i) {
    padded.push_back(picture.bytes[i]);
    if (i % 3 == 2) padded.push_back(99);
  }
  DecodedView decoded = picture.decoded();
  decoded.image = {padded.data(), 40, 30, 3, 4, 160};
  const WrittenPlace written =
      write_place(CropTransform({}), decoded, info_of({40, 30}), crop_spec({20, 15}, 4032));
  BOOST_TEST(written.record.mark == CropRecord::kPicture);
  BOOST_TEST(written.record.channels == 3u);
  BOOST_TEST(written.record.x.length == 40u);
  BOOST_TEST(written.record.y.length == 30u);
  // x_source = 2 (x + 0.5) - 0.5
  BOOST_TEST(written.record.map == (std::vector<double>{2, 0, 0.5, 0, 2, 0.5}),
             boost::test_tools::per_element());
  BOOST_TEST(written.pixels == picture.bytes, boost::test_tools::per_element());
}

// center_crop 0.5 of 40 x 40 is the window from 10 to 29; positions lie from 10 to 29, and one pixel more is kept on
// each side, and the right neighbour's.
BOOST_AUTO_TEST_CASE(of_a_picture_that_was_decoded_whole_the_part_that_is_read_is_kept) {
  std::mt19937_64 random(4);
  const TestPicture picture = noise_picture({40, 40}, 3, random);
  const WrittenPlace written = write_place(CropTransform({.center_crop = 0.5}), picture.decoded(),
                                           info_of({40, 40}), crop_spec({20, 20}, 3008));
  BOOST_TEST(written.record.x.begin == 9u);
  BOOST_TEST(written.record.x.length == 23u);
  BOOST_REQUIRE(written.record.y.length == 23u);
  for (std::size_t y = 0; y < 23; ++y) {
    const bool is_same = std::memcmp(&written.pixels[y * 23 * 3],
                                     &picture.bytes[((y + 9) * 40 + 9) * 3], 23 * 3) == 0;
    BOOST_TEST(is_same, "row " << y);
  }
}

BOOST_AUTO_TEST_CASE(a_crop_that_does_not_fit_becomes_a_picture_of_the_outputs_sides) {
  const TestPicture picture{std::vector<std::uint8_t>(64 * 64 * 3, 201), {64, 64}, 3};
  const WrittenPlace written = write_place(CropTransform({}), picture.decoded(), info_of({64, 64}),
                                           crop_spec({16, 12}, 960));
  BOOST_TEST(written.record.x.length == 16u);
  BOOST_TEST(written.record.y.length == 12u);
  BOOST_TEST(written.record.map == (std::vector<double>{1, 0, 0, 0, 1, 0}),
             boost::test_tools::per_element());
  BOOST_TEST(std::ranges::count(written.pixels, 201) == 16 * 12 * 3);
}

BOOST_AUTO_TEST_CASE(places_fit_a_picture_at_the_finest_scale_within_four_outputs) {
  const CropTransform transform({});
  SampleInfo info = info_of({1000, 800});
  // 224 px: decoded at half size, 500 x 400 x 3 bytes behind 328, in lines of 64.
  BOOST_TEST(transform.crop_bytes(info, spec_of({224, 224}, 3)) == 600384u);
  // Raw pixels have no other scale: 4 x 224 x 224 x 3.
  info.max_decode_scale = 1;
  BOOST_TEST(transform.crop_bytes(info, spec_of({224, 224}, 3)) == 602496u);
  // A picture smaller than the batch: room for one of the batch's sides.
  BOOST_TEST(transform.crop_bytes(info_of({20, 20}), spec_of({32, 32}, 3)) == 3456u);
  BOOST_TEST(transform.crop_bytes(info_of({20, 20}), spec_of({32, 32}, 1)) == 1408u);
}

BOOST_AUTO_TEST_CASE(the_decoder_is_asked_for_the_same_as_by_the_cpus_transform) {
  AugmentConfig config = AugmentConfig::preset("imagenet");
  config.rotation_range = 20;
  const SampleInfo info = info_of({700, 500}, 6);
  const CropTransform crops(config);
  const AugmentTransform finished(config);
  for (std::uint64_t position = 0; position < 50; ++position) {
    const Draws draws({.seed = 8, .position = position});
    const SamplePlan a = crops.plan(info, crop_spec({64, 48}, 64000), draws);
    const SamplePlan b = finished.plan(info, spec_of({64, 48}, 3), draws);
    BOOST_TEST((a.source_region == b.source_region));
    BOOST_TEST(a.decode_scale == b.decode_scale);
  }
  BOOST_TEST(crops.takes_sample_draws());
  BOOST_TEST(crops.identity() == finished.identity());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
