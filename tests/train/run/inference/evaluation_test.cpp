// What is refused before a dataset is looked at; the figures themselves: tests/cli/evaluate_cli_test.cpp.
#include "train/run/inference/evaluation.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/train/run/zero_net.h"

namespace penstock::train {
namespace {

struct Fixture {
  penstock::tests::TemporaryFolder folder;

  std::filesystem::path run_of(std::uint32_t num_classes) {
    tests::store_zero_net(folder.path(), num_classes);
    return folder.path();
  }

  Error refusal_of(const EvaluationConfig& config) {
    try {
      evaluate_run(config, nullptr, {});
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "accepted"};
  }
};

BOOST_FIXTURE_TEST_SUITE(evaluation, Fixture)

BOOST_AUTO_TEST_CASE(more_classes_than_a_matrix_has_pairs_for_are_refused_beforehand) {
  const Error error =
      refusal_of({.run = run_of(4097), .dataset = "nowhere", .needs_confusion = true});
  BOOST_TEST((error.code() == ErrorCode::kUnsupported));
  BOOST_TEST(error.what() ==
             std::string("evaluate: confusion matrix: expected at most 4096 classes, found 4097"));
  BOOST_TEST(error.hint() == "leave --confusion out: figures of each class are there all the same");
  // Without a matrix it gets as far as the dataset.
  BOOST_TEST(
      (refusal_of({.run = folder.path(), .dataset = "nowhere"}).code() == ErrorCode::kNotFound));
}

// 4,096 x 4,096 counts of 8 bytes are 128 MiB.
BOOST_AUTO_TEST_CASE(the_matrix_of_many_classes_counts_against_the_limit) {
  EvaluationConfig config{.run = run_of(4096), .dataset = "nowhere"};
  config.inference.memory_bytes = std::uint64_t{120} << 20;
  const Error error = refusal_of(config);
  BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
  BOOST_TEST(penstock::tests::contains(error.what(), "metrics"));
  config.inference.memory_bytes = std::uint64_t{140} << 20;
  BOOST_TEST((refusal_of(config).code() == ErrorCode::kNotFound));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
