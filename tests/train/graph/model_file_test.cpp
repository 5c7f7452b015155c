#include "train/graph/model_file.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/temporary_folder.h"
#include "train/graph/model_zoo.h"

namespace penstock::train {
namespace {

ModelGraph parse(const std::string& text, std::uint32_t num_classes = 10) {
  return parse_model(text, "test.toml", {3, 32, 32}, num_classes);
}

struct Refusal {
  std::string message;
  std::string hint;
};

Refusal refusal_of(const std::string& text) {
  try {
    parse(text);
  } catch (const Error& error) {
    return {error.what(), error.hint()};
  }
  return {"no error", ""};
}

BOOST_AUTO_TEST_SUITE(model_file)

BOOST_AUTO_TEST_CASE(small_cnn_written_as_toml_is_the_same_graph) {
  std::string text;
  const char* filters[] = {"32", "64", "128", "256"};
  for (int i = 0; i < 4; ++i) {
    const std::string n = std::to_string(i + 1);
    text += "[[layer]]\ntype = \"conv2d\"\nname = \"conv" + n + "\"\nfilters = " + filters[i] +
            "\nkernel = 3\npadding = \"same\"\nbias = false\n" +
            "[[layer]]\ntype = \"batch_norm\"\nname = \"bn" + n + "\"\n" +
            "[[layer]]\ntype = \"relu\"\nname = \"relu" + n + "\"\n" +
            "[[layer]]\ntype = \"max_pool\"\nname = \"pool" + n + "\"\nwindow = [2, 2]\n";
  }
  text +=
      "[[layer]]\ntype = \"global_avg_pool\"\nname = \"global_pool\"\n"
      "[[layer]]\ntype = \"dropout\"\nname = \"dropout\"\nrate = 0.2\n"
      "[[layer]]\ntype = \"dense\"\nname = \"head\"\nunits = \"num_classes\"\n";
  BOOST_TEST(parse(text).identity() == small_cnn({3, 32, 32}, 10).identity());
}

BOOST_AUTO_TEST_CASE(activation_inside_a_layer_becomes_a_layer_of_its_own) {
  const ModelGraph graph = parse(
      "[[layer]]\ntype = \"conv2d\"\nfilters = 4\nkernel = [3, 5]\nstride = 2\npadding = [1, 2]\n"
      "activation = \"relu\"\n[[layer]]\ntype = \"flatten\"\n"
      "[[layer]]\ntype = \"dense\"\nunits = 10\n");
  BOOST_TEST(graph.node(2).name == "conv2d_1_relu");
  BOOST_TEST(graph.node(2).shape.text() == "[4, 16, 16]");
  BOOST_TEST(graph.node(3).shape.text() == "[1024]");
}

BOOST_AUTO_TEST_CASE(wrong_types_and_names_are_refused_with_the_place) {
  const std::string head = "[[layer]]\nname = \"conv1\"\ntype = \"conv2d\"\n";
  const auto check = [](const std::string& text, const char* message, const char* hint) {
    const Refusal refusal = refusal_of(text);
    BOOST_TEST(refusal.message == message);
    BOOST_TEST(refusal.hint == hint);
  };
  check(head + "filters = \"32\"",
        "model: conv1: filters: expected a whole number or \"num_classes\", found the text "
        "\"32\"",
        "filters = 32");
  check(head + "filters = -1",
        "model: conv1: filters: expected a whole number from 0 to 2147483647, found the number -1",
        "filters = 32");
  check(head, "model: conv1: filters: expected a whole number, found nothing", "filters = 32");
  check(head + "filters = 4\nkernel = [3]",
        "model: conv1: kernel: expected a whole number or [rows, columns], found a list of 1",
        "kernel = 3");
  check(head + "filters = 4\nkernel = [3, 0.5]",
        "model: conv1: kernel: expected a whole number or [rows, columns], found a list with the "
        "number 0.5",
        "kernel = 3");
  check(head + "filters = 4\ndilation = 99999999999999",
        "model: conv1: dilation: expected a whole number from 0 to 2147483647, found the number "
        "99999999999999",
        "dilation = 1");
  check(head + "filters = 4\nstride = [1, -2]",
        "model: conv1: stride: expected a list with a whole number from 0 to 2147483647, found a "
        "list with the number -2",
        "stride = 1");
  check(head + "filters = 4\npadding = \"some\"",
        "model: conv1: padding: expected \"same\", \"symmetric\", \"valid\", a whole number or "
        "[rows, columns], found the text \"some\"",
        "padding = \"same\"");
  check(head + "filters = 4\ngroups = 2",
        "model: conv1: expected groups that divide 3 channels and 4 filters, found 2",
        "groups = 1");
  check(head + "filters = 4\nstrides = 2", "model: conv1: expected a known key, found 'strides'",
        "did you mean 'stride'?");
  check("[[layer]]\ntype = \"conv2\"\n",
        "model: layer 1 (conv2): type: expected a known layer type, found 'conv2'",
        "did you mean 'conv2d'?");
  check("[[layer]]\n", "model: layer 1: type: expected a text, found nothing", "type = \"conv2d\"");
}

// A rate of -1 is a number, and out of range.
BOOST_AUTO_TEST_CASE(a_dropout_rate_is_told_from_none) {
  const std::string head = "[[layer]]\nname = \"d\"\ntype = \"dropout\"\n";
  const Refusal negative = refusal_of(head + "rate = -1");
  BOOST_TEST(negative.message == "model: d: expected a rate from 0 to below 1, found -1");
  BOOST_TEST(negative.hint == "rate = 0.2");
  BOOST_TEST(refusal_of(head).message == "model: d: rate: expected a number, found nothing");
}

BOOST_AUTO_TEST_CASE(a_window_out_of_range_is_called_as_in_the_file) {
  const Refusal refusal = refusal_of("[[layer]]\nname = \"p\"\ntype = \"max_pool\"\nwindow = 0");
  BOOST_TEST(refusal.message == "model: p: window: expected 1 to 4096, found 0");
  BOOST_TEST(refusal.hint == "window = 3");
}

BOOST_AUTO_TEST_CASE(softmax_as_an_activation_is_explained_at_the_end_and_within) {
  for (const std::string rest : {"", "[[layer]]\ntype = \"dense\"\nunits = 10\n"}) {
    const Refusal refusal = refusal_of(
        "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nname = \"d\"\nunits = 10\n"
        "activation = \"softmax\"\n" +
        rest);
    BOOST_TEST(refusal.message ==
               "model: d: activation: expected linear, relu, relu6, leaky_relu, silu, "
               "hard_swish, hard_sigmoid, sigmoid or gelu, found 'softmax'");
    BOOST_TEST(
        refusal.hint ==
        "leave it out of the last layer: the loss applies softmax; elsewhere, a layer of type = "
        "\"softmax\" after this one");
  }
}

BOOST_AUTO_TEST_CASE(model_must_end_in_one_output_per_class) {
  BOOST_TEST(refusal_of("[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nunits = 7\n")
                 .message == "model: dense_1: expected 10 outputs, one per class, found 7");
}

BOOST_AUTO_TEST_CASE(text_that_is_no_model_is_refused) {
  const Refusal syntax = refusal_of("[[layer]\n");
  BOOST_TEST(syntax.message.starts_with("model: test.toml:1:"));
  BOOST_TEST(syntax.hint == "a layer starts with [[layer]] and a type");
  const Refusal empty = refusal_of("");
  BOOST_TEST(empty.message == "model: test.toml: layer: expected [[layer]] tables, found nothing");
  BOOST_TEST(empty.hint == "start each layer with [[layer]]");
  BOOST_TEST(refusal_of("layer = 3").message ==
             "model: test.toml: layer: expected [[layer]] tables, found the number 3");
  BOOST_TEST(refusal_of("layer = [3]").message ==
             "model: test.toml: layer: expected [[layer]] tables, found a list with the number 3");
}

BOOST_AUTO_TEST_CASE(a_file_gives_the_model_its_name) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "mine.toml";
  const std::string text =
      "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nunits = 10\n";
  publish_file(path, text);
  const ModelGraph graph = read_model_file(path, {3, 32, 32}, 10);
  BOOST_TEST(graph.name() == "mine");
  BOOST_TEST(graph.identity() == parse(text).identity());
}

// A file of data given by mistake is a wrong argument, not damage. 1 MiB = 1,048,576 bytes.
BOOST_AUTO_TEST_CASE(a_file_too_large_to_be_a_model_is_a_wrong_argument) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "big.toml";
  publish_file(path, std::string((1u << 20) + 1, '#'));
  BOOST_CHECK_EXCEPTION(read_model_file(path, {3, 32, 32}, 10), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument && !error.hint().empty() &&
           std::string(error.what()) ==
               "model: " + path.native() +
                   ": expected TOML of at most 1048576 bytes, found 1048577";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
