#include "train/run/data/picture_place.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/read/admission.h"
#include "train/run/data/data_pipeline.h"

namespace penstock::train {
namespace {

constexpr BatchSpec kSpec{.batch = 1, .height_px = 2, .width_px = 3};

/// 3 x 2 pixels of raw RGB: 0, 1, 2...
EncodedPicture raw_picture() {
  EncodedPicture picture;
  for (int i = 0; i < 18; ++i) picture.encoded.push_back(static_cast<std::byte>(i));
  picture.record.width_px = 3;
  picture.record.height_px = 2;
  picture.record.length_bytes = 18;
  picture.record.codec = static_cast<std::uint8_t>(Codec::kRaw);
  return picture;
}

struct Filled {
  SampleFault fault;
  std::vector<float> values = std::vector<float>(18, -1);
};

Filled fill(const EncodedPicture& picture, std::uint64_t limit_bytes = 1u << 20,
            Draws draws = Draws(Draws::Place{})) {
  MemoryBudget budget(limit_bytes);
  Filled filled;
  const auto transform =
      make_transform({.horizontal_flip = 0.5, .rescale = 1}, PipelineUse::kTrain, BatchSpec{});
  filled.fault = fill_place(
      picture, *transform,
      {.spec = kSpec, .pixels = reinterpret_cast<std::byte*>(filled.values.data()), .draws = draws},
      budget);
  BOOST_TEST(budget.used_bytes() == 0u);
  return filled;
}

BOOST_AUTO_TEST_SUITE(picture_place)

// Of 64 positions some are mirrored and some are not; nothing else happens to a pixel.
BOOST_AUTO_TEST_CASE(a_place_is_filled_with_what_its_draws_say) {
  int num_mirrored = 0;
  for (std::uint64_t position = 0; position < 64; ++position) {
    const Filled filled = fill(raw_picture(), 1u << 20, Draws({.position = position}));
    BOOST_REQUIRE(filled.fault.status == SampleStatus::kOk);
    const bool is_mirrored = filled.values[0] == 6;  // red of the last pixel of row 0
    num_mirrored += is_mirrored;
    for (int i = 0; i < 18; ++i) {
      const int x = i / 3 % 3;
      const int expected = is_mirrored ? i + 3 * (2 - 2 * x) : i;
      BOOST_TEST(filled.values[static_cast<std::size_t>(i)] == static_cast<float>(expected));
    }
  }
  BOOST_TEST(num_mirrored > 0);
  BOOST_TEST(num_mirrored < 64);
}

BOOST_AUTO_TEST_CASE(a_fault_leaves_the_place_as_it_was) {
  EncodedPicture not_whole = raw_picture();
  not_whole.record.status = 1;
  EncodedPicture unknown = raw_picture();
  unknown.record.codec = 200;
  EncodedPicture cut_short = raw_picture();
  cut_short.encoded.resize(7);
  for (const EncodedPicture& picture : {not_whole, unknown, cut_short}) {
    const Filled filled = fill(picture);
    BOOST_TEST((filled.fault.status != SampleStatus::kOk));
    BOOST_TEST(filled.values == std::vector<float>(18, -1), boost::test_tools::per_element());
  }
  BOOST_TEST((fill(not_whole).fault.status == SampleStatus::kUnsupported));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_the_budget_is_refused) {
  BOOST_CHECK_EXCEPTION(fill(raw_picture(), 8), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kOutOfMemory; });
}

BOOST_AUTO_TEST_CASE(a_transform_is_told_what_the_index_says) {
  IndexRecord record = raw_picture().record;
  record.class_idx = 4;
  record.orientation = 6;
  const SampleInfo info = sample_info(record, 17);
  BOOST_TEST(info.sample_id == 17u);
  BOOST_TEST(info.width_px == 3u);
  BOOST_TEST(info.height_px == 2u);
  BOOST_TEST(info.class_idx == 4u);
  BOOST_TEST(static_cast<int>(info.orientation) == 6);
  BOOST_TEST(static_cast<int>(info.max_decode_scale) == 1);  // raw pixels come at full size only
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
