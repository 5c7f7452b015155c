// What is written, held against libonnx's own checker and shape inference. That it computes the same values:
// tests/interop/onnx_files.py.
#include "train/export/onnx_model.h"

#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <boost/test/unit_test.hpp>
#include <map>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/temporary_folder.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/export/exported_model.h"
#include "train/graph/model_zoo.h"

namespace penstock::train {
namespace {

using Dims = std::vector<std::int64_t>;

std::vector<ModelGraph> models() {
  std::vector<ModelGraph> all = {strided_model(),       normalized_model(), dropping_model(),
                                 padded_pools_model(),  odd_width_model(),  residual_model(),
                                 resnet_blocks_model(), mobile_model(),     normed_samples_model()};
  all.push_back(build_model("mobilenet_v3_small", {3, 64, 64}, 10));
  return all;
}

/// Dimensions of a tensor, -1 for the batch.
Dims dims_of(const onnx::ValueInfoProto& value) {
  Dims dims;
  for (const auto& one : value.type().tensor_type().shape().dim()) {
    dims.push_back(one.has_dim_value() ? one.dim_value() : -1);
  }
  return dims;
}

std::string refusal_of(const ModelGraph& graph, std::vector<NamedTensor> weights) {
  const ModelRecord record = record_of(graph);
  try {
    make_onnx_model({.graph = graph, .record = record, .weights = std::move(weights)}, {});
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kUnsupported));
    return error.what();
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(onnx_model)

BOOST_AUTO_TEST_CASE(the_checker_takes_every_model) {
  for (const ModelGraph& graph : models()) {
    for (const bool folds : {true, false}) {
      for (const bool preprocesses : {true, false}) {
        const OnnxModel model =
            exported(graph, {.folds_batch_norms = folds, .has_preprocessing = preprocesses});
        BOOST_TEST_CONTEXT(graph.name()) {
          BOOST_CHECK_NO_THROW(onnx::checker::check_model(model.proto));
        }
      }
    }
  }
}

// Without folding every layer but dropout has a tensor of its own.
BOOST_AUTO_TEST_CASE(onnx_infers_the_shapes_that_the_graph_has) {
  for (const ModelGraph& graph : models()) {
    OnnxModel model = exported(graph, {.folds_batch_norms = false});
    // Types are checked, failures thrown, shapes computed from constants.
    onnx::shape_inference::InferShapes(model.proto, onnx::OpSchemaRegistry::Instance(),
                                       {true, 1, true});
    std::map<std::string, Dims> inferred;
    for (const auto& value : model.proto.graph().value_info()) {
      inferred[value.name()] = dims_of(value);
    }
    for (const Node& node : graph.nodes()) {
      if (std::holds_alternative<InputOp>(node.op) || std::holds_alternative<DropoutOp>(node.op)) {
        continue;
      }
      const auto found = inferred.find(node.name + "/output");
      BOOST_TEST_CONTEXT(graph.name() << ": " << node.name) {
        BOOST_REQUIRE((found != inferred.end()));
        const Dims flat = {-1, node.shape.channels};
        const Dims map = {-1, node.shape.channels, node.shape.height, node.shape.width};
        const bool is_flat = node.shape.is_flat() && found->second.size() == 2;
        BOOST_TEST(found->second == (is_flat ? flat : map), boost::test_tools::per_element());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(input_and_output_say_what_they_take_for_any_batch) {
  const ModelGraph graph = strided_model();  // [2, 8, 7] to 3 classes
  const OnnxModel model = exported(graph);
  BOOST_REQUIRE(model.proto.graph().input_size() == 1);
  const onnx::ValueInfoProto& input = model.proto.graph().input(0);
  BOOST_TEST(input.name() == "images");
  BOOST_TEST(input.type().tensor_type().elem_type() == onnx::TensorProto::FLOAT);
  BOOST_TEST(dims_of(input) == (Dims{-1, 2, 8, 7}), boost::test_tools::per_element());
  BOOST_TEST(input.type().tensor_type().shape().dim(0).dim_param() == "batch");
  BOOST_REQUIRE(model.proto.graph().output_size() == 1);
  BOOST_TEST(model.proto.graph().output(0).name() == "logits");
  BOOST_TEST(dims_of(model.proto.graph().output(0)) == (Dims{-1, 3}),
             boost::test_tools::per_element());
  BOOST_TEST(model.proto.ir_version() == 8);
  BOOST_TEST(model.proto.opset_import(0).version() == 17);
}

// Over 8 x 7 in steps of 2 a window of 3 takes one row of padding, below, and two columns, one on each side
// (TensorFlow, tf.nn, "Notes on padding"). ONNX: [top, left, bottom, right].
BOOST_AUTO_TEST_CASE(padding_that_is_not_alike_on_both_sides_is_written_so) {
  const OnnxModel model = exported(strided_model());
  const onnx::NodeProto same = node_of(model.proto, "same2/output");
  BOOST_TEST(ints_of(same, "pads") == (Dims{0, 1, 1, 1}), boost::test_tools::per_element());
  BOOST_TEST(ints_of(same, "strides") == (Dims{2, 2}), boost::test_tools::per_element());
  BOOST_TEST(ints_of(same, "kernel_shape") == (Dims{3, 3}), boost::test_tools::per_element());
  const onnx::NodeProto pad = node_of(model.proto, "pad/output");
  BOOST_TEST(ints_of(pad, "pads") == (Dims{1, 0, 1, 0}), boost::test_tools::per_element());
}

// (x / 255 - 0.5) / 0.25 = x / 63.75 - 2.
BOOST_AUTO_TEST_CASE(preprocessing_takes_bytes_with_channels_last) {
  const OnnxModel model = exported(strided_model(), {.has_preprocessing = true});
  const onnx::ValueInfoProto& input = model.proto.graph().input(0);
  BOOST_TEST(input.type().tensor_type().elem_type() == onnx::TensorProto::UINT8);
  BOOST_TEST(dims_of(input) == (Dims{-1, 8, 7, 2}), boost::test_tools::per_element());
  BOOST_TEST((constant_of(model.proto, "/factors") == std::vector<float>(2, 1 / 63.75f)));
  BOOST_TEST((constant_of(model.proto, "/shifts") == std::vector<float>(2, -2.0f)));
}

BOOST_AUTO_TEST_CASE(a_users_own_operation_is_refused_by_name) {
  const ModelGraph graph = custom_model();
  BOOST_TEST(refusal_of(graph, drawn_weights(graph)) ==
             "onnx: gated: expected an operation that ONNX has, found gated_product, which is the "
             "program's own");
}

// 32,768 x 32,768 weights of 4 bytes, which nobody makes: the refusal comes before they are looked at.
BOOST_AUTO_TEST_CASE(weights_that_no_message_holds_are_refused_beforehand) {
  ModelGraph graph("large", {32768, 1, 1});
  graph.set_output(graph.dense("dense", graph.input(), {.units = 32768, .has_bias = false}));
  BOOST_TEST(refusal_of(graph, {}) ==
             "onnx: large: expected weights below 2 GiB, which one ONNX file holds, found "
             "4294967296 bytes");
}

BOOST_AUTO_TEST_CASE(metadata_say_what_the_classes_are) {
  const ModelGraph graph = strided_model();
  ModelRecord record = record_of(graph);
  record.class_names = {"cat", "caf\xC3\xA9", "no \xFF text"};
  const OnnxModel model =
      make_onnx_model({.graph = graph, .record = record, .weights = drawn_weights(graph)}, {});
  std::map<std::string, std::string> found;
  for (const auto& entry : model.proto.metadata_props()) found[entry.key()] = entry.value();
  // U+FFFD stands for what is no UTF-8.
  BOOST_TEST(found["class_names"] == "[\"cat\",\"caf\xC3\xA9\",\"no \xEF\xBF\xBD text\"]");
  BOOST_TEST(found["mean"] == "[0.5,0.5]");
  BOOST_TEST(found["interpolation"] == "bilinear");
}

struct WrittenFile {
  tests::TemporaryFolder folder;
  ModelGraph graph = residual_model();
  ModelRecord record = record_of(graph);

  OnnxReport write(const std::string& name) {
    return write_onnx(folder.path() / name,
                      {.graph = graph, .record = record, .weights = drawn_weights(graph)}, {});
  }
};

BOOST_FIXTURE_TEST_CASE(the_same_source_gives_the_same_bytes, WrittenFile) {
  const OnnxReport report = write("a.onnx");
  write("b.onnx");
  const std::string bytes = read_text_file(folder.path() / "a.onnx");
  BOOST_TEST((bytes == read_text_file(folder.path() / "b.onnx")));
  BOOST_TEST(report.num_bytes == bytes.size());
  onnx::ModelProto read;
  BOOST_REQUIRE(read.ParseFromString(bytes));
  BOOST_TEST(static_cast<std::uint64_t>(read.graph().node_size()) == report.num_nodes);
  BOOST_TEST(tests::count_entries(folder.path()) == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_file_that_cannot_be_written_leaves_the_one_before, WrittenFile) {
  write("a.onnx");
  const std::string before = read_text_file(folder.path() / "a.onnx");
  // A folder of the temporary name, with something in it.
  std::filesystem::create_directories(folder.path() / "a.onnx.tmp" / "inside");
  BOOST_CHECK_THROW(write("a.onnx"), Error);
  BOOST_TEST((read_text_file(folder.path() / "a.onnx") == before));
  BOOST_CHECK_THROW(write("nowhere/a.onnx"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
