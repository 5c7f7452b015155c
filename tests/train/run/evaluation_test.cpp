// What is refused before a dataset is looked at; the figures themselves: tests/cli/evaluate_cli_test.cpp.
#include "train/run/evaluation.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "train/run/run_folder.h"
#include "train/run/run_model.h"

namespace penstock::train {
namespace {

struct Fixture {
  tests::TemporaryFolder folder;

  /// A run of a network of one layer with so many classes, all weights 0.
  std::filesystem::path run_of(std::uint32_t num_classes) {
    RunConfig config;
    config.model = "net";
    config.model_layers =
        "[[layer]]\ntype = \"global_avg_pool\"\n[[layer]]\ntype = \"dense\"\nunits = "
        "\"num_classes\"\n";
    config.image_height_px = config.image_width_px = 2;
    const ModelGraph graph = build_run_model(config, 3, num_classes);
    ModelRecord record;
    record.model_name = config.model;
    record.model_layers = config.model_layers;
    record.graph_identity = graph.identity();
    record.height_px = record.width_px = 2;
    record.batch_size = 1;
    record.mean = {0, 0, 0};
    record.std = {1, 1, 1};
    for (std::uint32_t i = 0; i < num_classes; ++i) record.class_names.push_back(std::to_string(i));
    TensorFile weights;
    for (const Parameter& parameter : graph.parameters()) {
      weights.tensors.push_back({parameter.name,
                                 {parameter.shape.begin(), parameter.shape.end()},
                                 std::vector<float>(parameter.num_elements())});
    }
    save_model(folder.path(), record, weights);
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
  BOOST_TEST(tests::contains(error.what(), "metrics"));
  config.inference.memory_bytes = std::uint64_t{140} << 20;
  BOOST_TEST((refusal_of(config).code() == ErrorCode::kNotFound));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
