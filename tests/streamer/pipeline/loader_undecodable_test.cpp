// Samples that are what was stored, and are no pictures: the checksum is right, the decoder says no.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <map>

#include "streamer/core/draws.h"
#include "streamer/core/error.h"
#include "tests/streamer/pipeline/seen_place.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::SeenPlace;

BOOST_AUTO_TEST_SUITE(loader_undecodable)

// jerror.h of libjpeg, and png_decoder.cpp for what libpng leaves to its caller.
constexpr const char* kNoJpeg = "Not a JPEG file";
constexpr const char* kCutShort = "Premature end of JPEG file";
constexpr const char* kOtherSides = "the picture's sides are not those of the index";

// Spoils a JPEG before it is stored, by what is drawn; returns how the decoder's words begin.
std::string spoil(tests::SmallSample& sample, std::uint32_t draw) {
  auto& encoded = sample.encoded;
  switch (draw % 4) {
    case 0:
      encoded.assign(encoded.size(), std::byte{0});
      return kNoJpeg;
    case 1:  // behind all headers: a progressive picture of this size has none in its last third
      encoded.resize(encoded.size() - encoded.size() / 4);
      return kCutShort;
    case 2:
      encoded.resize(1);
      return "";  // libjpeg's words on no header at all
    default:
      ++sample.record.width_px;
      return kOtherSides;
  }
}

BOOST_AUTO_TEST_CASE(they_keep_their_places_with_the_decoders_words_and_move_no_other) {
  const tests::TemporaryFolder folder;
  const std::vector<tests::SmallSample> whole = tests::mixed_samples(60);
  const std::vector<SeenPlace> expected = tests::stream_epoch(
      tests::write_small_dataset(folder.path() / "whole", whole, 25).split("train"), 1);
  BOOST_REQUIRE(expected.size() == 60u);
  const std::vector<float> zero(tests::kSeenSpec.sample_bytes() / sizeof(float), 0.0f);
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u}) {
    std::vector<tests::SmallSample> samples = whole;
    std::map<std::uint64_t, std::string> spoilt;  // and the words that are to come
    for (std::uint32_t i = 0; i < 12; ++i) {
      const auto words = Draws({.seed = seed, .position = i}).block(0);
      const std::uint64_t id = words[0] % samples.size();
      if (spoilt.contains(id)) continue;
      spoilt[id] = spoil(samples[id], words[1]);
    }
    const DatasetSplit split =
        tests::write_small_dataset(folder.path() / std::to_string(seed), samples, 25)
            .split("train");
    for (const std::uint32_t num_threads : {1u, 2u, 8u}) {
      const std::vector<SeenPlace> found = tests::stream_epoch(split, num_threads);
      BOOST_REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        BOOST_TEST_CONTEXT("seed " << seed << ", " << num_threads << " threads, sample "
                                   << found[i].sample_id) {
          const SeenPlace& is = found[i];
          const SeenPlace& was = expected[i];
          const bool is_spoilt = spoilt.contains(was.sample_id);
          BOOST_TEST(is.sample_id == was.sample_id);
          BOOST_TEST(is.position == was.position);
          BOOST_TEST(is.class_idx == was.class_idx);
          BOOST_TEST(is.weight == (is_spoilt ? 0.0f : 1.0f));
          BOOST_TEST((is.pixels == (is_spoilt ? zero : was.pixels)));
          BOOST_REQUIRE(is.events.size() == (is_spoilt ? 1u : 0u));
          if (!is_spoilt) continue;
          BOOST_TEST((is.events[0].status == SampleStatus::kDecodeFailed));
          const std::string detail(is.events[0].detail());
          BOOST_TEST(!detail.empty());
          BOOST_TEST(detail.starts_with(spoilt[was.sample_id]), detail);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(they_count_towards_the_stated_share) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples = tests::mixed_samples(24);
  for (const std::size_t id : {3u, 20u}) spoil(samples[id], 0);
  MemoryBudget budget(64u << 20);
  Loader loader(tests::write_small_dataset(folder.path() / "d", samples).split("train"),
                {.batch = tests::kSeenSpec, .order = SampleOrder::kSequential},
                std::make_shared<ResizeTransform>(), budget);
  for (int i = 0; i < 2; ++i) BOOST_TEST(static_cast<bool>(loader.next()));
  BOOST_CHECK_EXCEPTION(loader.next(), Error, [](const Error& error) {
    BOOST_TEST(error.what() == std::string("epoch 0: failed samples: expected at most 1, found 2 "
                                           "(the last: sample 20, decode failed: ") +
                                   "Not a JPEG file: starts with 0x00 0x00)");
    return error.code() == ErrorCode::kTooManyBad;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
