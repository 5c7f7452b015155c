// Blocks of model files: written once, used with values.
#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/train/graph/model_file_refusal.h"

namespace penstock::train {
namespace {

const std::string kHead =
    "[[layer]]\ntype = \"global_avg_pool\"\nname = \"gap\"\n"
    "[[layer]]\ntype = \"dense\"\nname = \"head\"\nunits = \"num_classes\"\n";

const std::string kResidual =
    "[[block.residual]]\ntype = \"conv2d\"\nname = \"conv\"\nfilters = \"$filters\"\n"
    "kernel = [\"$side\", 3]\n"
    "[[block.residual]]\ntype = \"relu\"\n"
    "[[block.residual]]\ntype = \"add\"\nname = \"sum\"\nfrom = [\"conv\", \"in\"]\n";

std::string use(const std::string& keys) {
  return kResidual + "[[layer]]\ntype = \"residual\"\n" + keys + "\n" + kHead;
}

BOOST_AUTO_TEST_SUITE(model_blocks)

BOOST_AUTO_TEST_CASE(a_block_is_the_layers_it_stands_for) {
  const std::string block =
      "[[block.wide]]\ntype = \"conv2d\"\nname = \"conv\"\nfilters = \"$filters\"\n"
      "kernel = [\"$rows\", 3]\nactivation = \"relu\"\n"
      "[[block.wide]]\ntype = \"concat\"\nfrom = [\"conv\", \"in\"]\n"
      "[[layer]]\ntype = \"wide\"\nname = \"a\"\nfilters = 4\nrows = 1\n"
      "[[layer]]\ntype = \"wide\"\nname = \"b\"\nrepeat = 2\nfilters = 2\nrows = 5\n"
      "[[layer]]\ntype = \"concat\"\nname = \"all\"\nfrom = [\"a\", \"b\"]\n";
  ModelGraph expected("test", {3, 32, 32});
  const auto wide = [&](const std::string& name, NodeId from, std::uint32_t filters,
                        std::uint32_t rows) {
    NodeId x = expected.conv2d(name + ".conv", from, {.filters = filters, .kernel = {rows, 3}});
    x = expected.relu(name + ".conv_relu", x);
    return expected.concat(name + ".concat_1", std::array{x, from});
  };
  const NodeId a = wide("a", expected.input(), 4, 1);
  const NodeId b = wide("b.1", wide("b.0", a, 2, 5), 2, 5);
  const NodeId all = expected.concat("all", std::array{a, b});
  expected.set_output(expected.dense("head", expected.global_avg_pool("gap", all), {.units = 10}));
  BOOST_TEST(parse_test_model(block + kHead).identity() == expected.identity());
}

BOOST_AUTO_TEST_CASE(blocks_hold_blocks_and_hand_values_on) {
  const ModelGraph graph = parse_test_model(
      "[[block.inner]]\ntype = \"conv2d\"\nname = \"conv\"\nfilters = \"$width\"\n"
      "[[block.outer]]\ntype = \"inner\"\nrepeat = 2\nwidth = \"$filters\"\n"
      "[[block.outer]]\ntype = \"$kind\"\nname = \"act\"\n"
      "[[layer]]\ntype = \"outer\"\nfilters = 6\nkind = \"gelu\"\n"
      "[[layer]]\ntype = \"outer\"\nname = \"last\"\nfilters = 5\nkind = \"silu\"\n" +
      kHead);
  BOOST_TEST(graph.node(1).name == "outer_1.inner_1.0.conv");
  BOOST_TEST(graph.node(2).name == "outer_1.inner_1.1.conv");
  BOOST_TEST(graph.node(3).name == "outer_1.act");
  BOOST_TEST(graph.node(3).shape.text() == "[6, 32, 32]");
  BOOST_TEST((std::get<ActivationOp>(graph.node(6).op).kind == ActivationKind::kSilu));
  BOOST_TEST(graph.node(6).name == "last.act");
}

BOOST_AUTO_TEST_CASE(a_use_is_refused_with_its_layer_and_key) {
  BOOST_TEST(model_file_refusal(use("name = \"a\"\nfilters = 3\nsides = 3")) ==
             "model: a: side: expected a value for $side of block residual, found nothing | side "
             "= ...");
  BOOST_TEST(model_file_refusal(use("name = \"a\"\nfilters = 3\nside = 3\nstride = 2")) ==
             "model: a: expected a known key, found 'stride' | did you mean 'side'?");
  BOOST_TEST(model_file_refusal(use("name = \"a\"\nfilters = \"many\"\nside = 3")) ==
             "model: a.conv: filters: expected a whole number or \"num_classes\", found the text "
             "\"many\" | filters = 32");
  BOOST_TEST(model_file_refusal(use("name = \"a\"\nfilters = 3\nside = 3\nrepeat = 0")) ==
             "model: a: repeat: expected 1 to 1000, found 0 | repeat = 3");
  BOOST_TEST(model_file_refusal(use("filters = 3\nside = 3\nrepeat = 1001")) ==
             "model: layer 1 (residual): repeat: expected a whole number from 0 to 1000, found "
             "the number 1001 | repeat = 3");
  // The sum takes 4 and 3 channels.
  BOOST_TEST(model_file_refusal(use("name = \"a\"\nrepeat = 2\nfilters = 4\nside = 3")) ==
             "model: a.0.sum: expected inputs of one shape, found [4, 32, 32] and [3, 32, 32] | a "
             "1 x 1 convolution brings a branch to the other's shape");
}

// The relu of the block is read by nobody.
BOOST_AUTO_TEST_CASE(a_layer_of_a_block_that_leads_nowhere_is_named) {
  BOOST_TEST(model_file_refusal(use("name = \"a\"\nfilters = 3\nside = 3")) ==
             "model: a.relu_1: expected a layer that leads to the output head, found one that "
             "nothing uses | leave it out, or let a later layer use it");
}

BOOST_AUTO_TEST_CASE(a_block_that_is_no_list_of_layers_is_refused) {
  const std::string start = "start each layer of a block with [[block.NAME]]";
  BOOST_TEST(model_file_refusal("block = 3\n" + kHead) ==
             "model: test.toml: block: expected a table, found the number 3 | " + start);
  BOOST_TEST(model_file_refusal("[block]\nb = 3\n" + kHead) ==
             "model: test.toml: block.b: expected [[b]] tables, found the number 3 | " + start);
  BOOST_TEST(model_file_refusal("[[block.relu]]\ntype = \"gelu\"\n" + kHead) ==
             "model: test.toml: block.relu: expected a name that no type of layer has, found a "
             "block of that name | " +
                 start);
  BOOST_TEST(model_file_refusal("[[block.b]]\ntype = \"relu\"\nname = \"$name\"\n" + kHead) ==
             "model: test.toml: block.b: expected values with other names than type, name, from "
             "and repeat, found \"$name\" | " +
                 start);
  BOOST_TEST(model_file_refusal("[[block.b]]\ntype = \"relu\"\n" + kHead) ==
             "model: test.toml: block.b: expected a layer of that type, found none | type = "
             "\"b\", or leave the block out");
  BOOST_TEST(model_file_refusal(
                 "[[block.b]]\nname = \"x\"\n[[layer]]\ntype = \"b\"\nname = \"a\"\n" + kHead) ==
             "model: a.layer_1: type: expected a text, found nothing | type = \"conv2d\"");
}

BOOST_AUTO_TEST_CASE(blocks_without_an_end_are_refused) {
  const std::string refusal = model_file_refusal(
      "[[block.b]]\ntype = \"b\"\nname = \"a\"\nrepeat = 1000\n[[layer]]\ntype = \"b\"\n"
      "name = \"a\"\n" +
      kHead);
  BOOST_TEST(
      refusal.ends_with(": type: expected blocks at most 16 deep, found 'b' inside them | "
                        "type = \"conv2d\""));
  // 1,000 times 1,000 layers.
  BOOST_TEST(model_file_refusal("[[block.many]]\ntype = \"relu\"\n"
                                "[[block.more]]\ntype = \"many\"\nrepeat = 1000\n"
                                "[[layer]]\ntype = \"more\"\nname = \"a\"\nrepeat = 1000\n" +
                                kHead) ==
             "model: a.9.many_1.999.relu_1: expected at most 10000 layers, found more | a smaller "
             "repeat");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
