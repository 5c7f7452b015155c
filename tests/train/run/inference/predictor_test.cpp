// What a program sees of the predictor; the figures of real models: tests/cli/predict_cli_test.cpp.
#include "train/run/inference/predictor.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "streamer/read/new_picture.h"
#include "tests/temporary_folder.h"
#include "tests/train/run/zero_net.h"

namespace penstock::train {
namespace {

/// Pixels of 2 x 2, described as a dataset's are.
EncodedPicture small_picture() {
  const std::vector<std::uint8_t> pixels(2 * 2 * 3, 7);
  const NewSample described = new_raw({pixels.data(), 2, 2, 3, 3, 2 * 3}, {});
  return {.encoded = {described.encoded.begin(), described.encoded.end()},
          .record = described.record};
}

struct Fixture {
  penstock::tests::TemporaryFolder folder;
  Predictor predictor{stored(folder.path()), {.backend = "reference", .memory_bytes = 64u << 20}};

  static const std::filesystem::path& stored(const std::filesystem::path& run) {
    tests::store_zero_net(run, 4);
    return run;
  }
};

BOOST_FIXTURE_TEST_SUITE(predictor, Fixture)

// Equal scores of four classes are a quarter each.
BOOST_AUTO_TEST_CASE(a_picture_that_is_described_as_for_a_dataset_is_scored) {
  BOOST_TEST(predictor.score().empty());
  for (int turn = 0; turn < 2; ++turn) {
    BOOST_TEST((predictor.add(small_picture()).status == SampleStatus::kOk));
    const std::vector<PictureScores> scores = predictor.score();
    BOOST_REQUIRE(scores.size() == 1u);
    BOOST_TEST(scores[0].logits == std::vector<float>(4, 0.0f), boost::test_tools::per_element());
    BOOST_TEST(scores[0].probabilities == std::vector<double>(4, 0.25),
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_picture_beyond_the_batch_is_refused_and_those_before_it_stay) {
  predictor.add(small_picture());
  BOOST_CHECK_EXCEPTION(predictor.add(small_picture()), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument && error.hint() == "call score() first" &&
           error.what() == std::string(
                               "predictor: expected at most 1 pictures before they are "
                               "scored, found one more");
  });
  BOOST_TEST(predictor.score().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
