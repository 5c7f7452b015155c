#include "train/loop/initial_weights.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/train/backend/training_bench.h"
#include "train/backend/reference/reference_backend.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

using penstock::tests::contains;
namespace fs = std::filesystem;

/// A convolution, a norm and a head; its tensors are stem.weight [2, 3, 1, 1], norm.weight, norm.bias,
/// norm.running_mean and norm.running_var [2], head.weight [classes, 2], head.bias [classes].
ModelGraph small_net(std::uint32_t num_classes) {
  ModelGraph graph("small", {3, 4, 4});
  NodeId x =
      graph.conv2d("stem", graph.input(), {.filters = 2, .kernel = {1, 1}, .has_bias = false});
  x = graph.global_avg_pool("gap", graph.batch_norm("norm", x));
  graph.set_output(graph.dense("head", x, {.units = num_classes}));
  return graph;
}

struct Fixture {
  penstock::tests::TemporaryFolder folder;
  fs::path file = folder.path() / "w.safetensors";
  TensorFile content{.tensors = {{"stem.weight", {2, 3, 1, 1}, {1, 2, 3, 4, 5, 6}},
                                 {"norm.weight", {2}, {7, 8}},
                                 {"norm.bias", {2}, {9, 10}},
                                 {"norm.running_mean", {2}, {11, 12}},
                                 {"norm.running_var", {2}, {13, 14}},
                                 {"head.weight", {3, 2}, {15, 16, 17, 18, 19, 20}},
                                 {"head.bias", {3}, {21, 22, 23}}},
                     .metadata = {}};

  NamedTensor& tensor(const std::string& name) {
    return *std::ranges::find(content.tensors, name, &NamedTensor::name);
  }
  void write() { write_safetensors(file, content); }
  Bench bench(std::uint32_t num_classes, OptimizerConfig optimizer = {}) {
    return {make_reference_backend({}), small_net(num_classes), {{.optimizer = optimizer}}};
  }
  Error refusal(const fs::path& path) {
    try {
      Bench bench = this->bench(3);
      InitialWeights::open(path, bench.graph()).load(bench.program());
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "accepted"};
  }
};

BOOST_FIXTURE_TEST_SUITE(initial_weights, Fixture)

BOOST_AUTO_TEST_CASE(every_tensor_of_the_file_goes_to_the_parameter_of_its_name) {
  std::ranges::reverse(content.tensors);
  write();
  Bench bench = this->bench(3, {.ema_decay = 0.5});
  const InitialWeights weights = InitialWeights::open(file, bench.graph());
  BOOST_TEST(weights.num_tensors() == 7u);
  BOOST_TEST(weights.new_head() == "");
  BOOST_TEST(weights.new_params().empty());
  BOOST_TEST((weights.seal() == seal_of_file(file)));
  weights.load(bench.program());
  for (std::size_t i = 0; i < 7; ++i) {
    const Parameter& parameter = bench.graph().parameters()[i];
    BOOST_TEST_CONTEXT(parameter.name) {
      BOOST_TEST((bench.read(i) == tensor(parameter.name).values));
      if (parameter.is_trainable) {
        BOOST_TEST((bench.read(i, ParamPart::kEma) == tensor(parameter.name).values));
      }
    }
  }
}

// torchvision's squeeze-and-excite layers are 1 x 1 convolutions, its layer scales [channels, 1, 1].
BOOST_AUTO_TEST_CASE(ones_at_the_end_of_a_shape_do_not_count) {
  tensor("stem.weight").shape = {2, 3};
  tensor("norm.bias").shape = {2, 1, 1};
  tensor("head.weight").shape = {3, 2, 1, 1};
  write();
  Bench bench = this->bench(3);
  InitialWeights::open(file, bench.graph()).load(bench.program());
  BOOST_TEST(bench.read(0)[5] == 6.0f);
  BOOST_TEST(bench.read(5)[5] == 20.0f);
}

BOOST_AUTO_TEST_CASE(counters_of_batches_are_passed_over) {
  content.tensors.push_back({"norm.num_batches_tracked", {}, {5}});
  write();
  BOOST_TEST(InitialWeights::open(file, small_net(3)).num_tensors() == 7u);
}

BOOST_AUTO_TEST_CASE(a_head_for_another_number_of_classes_begins_anew_and_the_rest_is_taken) {
  write();
  for (const std::uint32_t num_classes : {1u, 2u, 5u}) {
    Bench bench = this->bench(num_classes);
    const std::vector<float> head = bench.read(5);
    const std::vector<float> bias = bench.read(6);
    const InitialWeights weights = InitialWeights::open(file, bench.graph());
    BOOST_TEST(weights.num_tensors() == 5u);
    BOOST_TEST((weights.new_params() == std::vector<std::uint32_t>{5, 6}));
    BOOST_TEST(weights.new_head() ==
               "head begins anew: " + std::to_string(num_classes) + " classes here, 3 in the file");
    weights.load(bench.program());
    BOOST_TEST((bench.read(5) == head));
    BOOST_TEST((bench.read(6) == bias));
    BOOST_TEST(bench.read(4)[1] == 14.0f);
  }
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_counted_and_named) {
  content.tensors.erase(content.tensors.begin() + 1, content.tensors.begin() + 5);  // the norm
  content.tensors.push_back({"fc.weight", {1}, {0}});
  tensor("stem.weight").shape = {3, 2, 1, 1};
  write();
  const Error error = refusal(file);
  BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
  BOOST_TEST(std::string(error.what()) ==
             "init_from: " + file.native() +
                 ": expected the 7 tensors of small, found 4 missing (norm.weight, norm.bias, "
                 "norm.running_mean, ...); 1 of another shape (stem.weight: expected [2, 3, 1, 1], "
                 "found [3, 2, 1, 1]); 1 left over (fc.weight)");
}

BOOST_AUTO_TEST_CASE(a_name_as_long_as_a_page_is_cut_in_the_message) {
  content.tensors.push_back({std::string(4'000, 'a'), {1}, {0}});
  write();
  BOOST_TEST(std::string(refusal(file).what()) ==
             "init_from: " + file.native() +
                 ": expected the 7 tensors of small, found 1 left over (" + std::string(80, 'a') +
                 "...)");
}

// The first part of a head's shape is its classes; any other part is none of theirs.
BOOST_AUTO_TEST_CASE(a_head_of_other_inputs_or_with_a_bias_alone_that_differs_is_refused) {
  tensor("head.weight") = {"head.weight", {3, 4}, std::vector<float>(12)};
  write();
  BOOST_TEST(contains(refusal(file).what(), "1 of another shape (head.weight: expected [3, 2]"));
  tensor("head.weight") = {"head.weight", {3, 2}, std::vector<float>(6)};
  tensor("head.bias") = {"head.bias", {4}, std::vector<float>(4)};
  write();
  BOOST_TEST(contains(refusal(file).what(), "1 of another shape (head.bias: expected [3]"));
}

BOOST_AUTO_TEST_CASE(values_that_are_no_numbers_and_variances_below_0_are_refused) {
  tensor("norm.running_var").values[1] = -1;
  write();
  BOOST_TEST(std::string(refusal(file).what()) ==
             "init_from: " + file.native() +
                 ": tensor \"norm.running_var\": expected variances, found -1.000000 at 1");
  tensor("norm.running_var").values[1] = 1;
  tensor("norm.running_mean").values[0] = -1;
  tensor("head.bias").values[2] = NAN;
  write();
  BOOST_TEST(contains(refusal(file).what(), "\"head.bias\": expected finite numbers, found"));
}

BOOST_AUTO_TEST_CASE(
    a_stored_model_is_taken_by_its_folder_or_its_file_when_its_record_vouches_for_it) {
  ModelRecord record;
  record.model_name = "small";
  record.height_px = record.width_px = 4;
  record.mean = {0, 0, 0};
  record.std = {1, 1, 1};
  record.class_names = {"a", "b", "c"};
  save_model(folder.path(), record, content);
  const fs::path weights = folder.path() / kWeightsName;
  BOOST_TEST(InitialWeights::open(folder.path(), small_net(3)).num_tensors() == 7u);
  BOOST_TEST(InitialWeights::open(weights, small_net(3)).num_tensors() == 7u);
  tensor("head.bias").values[2] = 24;
  write_safetensors(weights, content);  // the record is of other bytes
  for (const fs::path& path : {folder.path(), weights}) {
    const Error error = refusal(path);
    BOOST_TEST((error.code() == ErrorCode::kCorruptData));
    BOOST_TEST(contains(error.what(), "checksum: expected"));
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_safetensors_file_is_refused_with_what_makes_one) {
  const fs::path pickle = folder.path() / "w.pth";
  publish_file(pickle, "PK\x03\x04 and more than eight bytes");
  BOOST_TEST((refusal(pickle).code() == ErrorCode::kCorruptData));
  BOOST_TEST(refusal(pickle).hint() ==
             "make it float32 safetensors: tools/pth_to_safetensors.py IN OUT");
  const fs::path text = folder.path() / "notes.txt";
  publish_file(text, "eight bytes and more");
  BOOST_TEST(refusal(text).hint() == "a safetensors file, or the folder of a run");
  const Error missing = refusal(folder.path() / "none.safetensors");
  BOOST_TEST((missing.code() == ErrorCode::kNotFound));
  BOOST_TEST(missing.hint() == "a safetensors file, or the folder of a run");
}

BOOST_AUTO_TEST_CASE(the_head_is_the_last_layer_with_weights_of_its_own) {
  ModelGraph graph("all_convolutions", {3, 4, 4});
  NodeId x = graph.dense("squeeze", graph.global_avg_pool("gap", graph.input()), {.units = 3});
  x = graph.multiply("scaled", graph.input(), x);
  x = graph.batch_norm("norm", graph.conv2d("scores", x, {.filters = 2, .kernel = {1, 1}}));
  graph.set_output(graph.global_avg_pool("mean", x));
  BOOST_TEST(graph.node(classifier_head(graph)).name == "scores");
  ModelGraph none("none", {3, 1, 1});
  none.set_output(none.flatten("flat", none.input()));
  BOOST_CHECK_THROW(classifier_head(none), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
