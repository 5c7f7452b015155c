// What train/graph/README.md shows: the Keras Sequential beside its translation, and every type of layer.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <string>

#include "streamer/core/file.h"
#include "tests/train/graph/model_file_refusal.h"
#include "train/graph/layer_types.h"
#include "train/graph/model_summary.h"

namespace penstock::train {
namespace {

std::string readme() {
  return read_text_file(std::filesystem::path(PENSTOCK_SOURCE_DIR) / "train/graph/README.md");
}

/// One side of the document's Sequential: what stands before the column of the first [[layer]], or from it on.
std::string translation_side(bool is_toml) {
  const std::string text = readme();
  const std::size_t title = text.find("A Keras Sequential translates line by line:\n\n");
  BOOST_REQUIRE(title != std::string::npos);
  const std::size_t begin = text.find("\n\n", title) + 2;
  const std::string block = text.substr(begin, text.find("\n\n", begin) + 1 - begin);
  const std::size_t first = block.find("[[layer]]");
  BOOST_REQUIRE(first != std::string::npos);
  const std::size_t column = first - (block.rfind('\n', first) + 1);
  std::string side;
  for (std::size_t at = 0; at < block.size(); at = block.find('\n', at) + 1) {
    const std::string line = block.substr(at, block.find('\n', at) - at);
    if (!is_toml) side += line.substr(0, column) + "\n";
    if (is_toml && line.size() > column) side += line.substr(column) + "\n";
  }
  return side;
}

BOOST_AUTO_TEST_SUITE(graph_readme)

// Parameters by hand, as Keras counts them: Conv2D (3 x 3 x 3 + 1) x 32, BatchNormalization 2 x 32 that learn and
// 2 x 32 that do not, Dense (16 x 16 x 32 + 1) x 10. Its norms have momentum 0.99 and epsilon 1e-3; GlorotUniform
// draws within the root of 6 / (fan in + fan out).
BOOST_AUTO_TEST_CASE(the_translated_sequential_is_the_model_that_keras_builds) {
  const ModelGraph graph = parse_test_model(translation_side(true));
  ModelGraph expected("test", {3, 32, 32});
  NodeId x = expected.conv2d("", 0, {.filters = 32});
  x = expected.relu(expected.node(x).name + "_relu", x);
  x = expected.batch_norm("", x, {.epsilon = 1e-3, .momentum = 0.01});
  x = expected.max_pool("", x);
  x = expected.dropout("", expected.flatten("", x), 0.5);
  expected.set_output(expected.dense("", x, {.units = 10}));
  BOOST_TEST(graph.identity() == expected.identity());
  const LayerSummary total = summarize(graph).total;
  BOOST_TEST(total.num_params == 896u + 64u + 81'930u);
  BOOST_TEST(total.num_statistics == 64u);
  const Initializer& conv = graph.parameters().front().initial;
  BOOST_TEST((conv.shape == DrawShape::kUniform));
  BOOST_TEST(conv.size == std::sqrt(6.0 / (9 * 3 + 9 * 32)), boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(every_keras_layer_stands_in_the_line_where_its_translation_begins) {
  const std::string keras = translation_side(false);
  const std::string toml = translation_side(true);
  std::size_t num_layers = 0;
  for (std::size_t at = 0; (at = toml.find("[[layer]]", at)) != std::string::npos; ++at)
    ++num_layers;
  BOOST_TEST(num_layers == 6u);
  for (const char* layer : {"  Conv2D(32, 3, ", "  BatchNormalization(),", "  MaxPooling2D(2),",
                            "  Flatten(),", "  Dropout(0.5),", "  Dense(10, "}) {
    const std::size_t at = readme().find(layer);
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, layer);
    BOOST_TEST(keras.find(layer) != std::string::npos, layer);
    const std::string line = readme().substr(at, readme().find('\n', at) - at);
    BOOST_TEST(line.ends_with("[[layer]]"), line);
  }
}

BOOST_AUTO_TEST_CASE(the_table_has_every_type_of_layer) {
  const std::string text = readme();
  const std::size_t table = text.find("| type | keys");
  BOOST_REQUIRE(table != std::string::npos);
  const std::string rows = text.substr(table, text.find("\n\n", table) - table);
  for (const std::string_view name : layer_type_names()) {
    BOOST_TEST(rows.find("`" + std::string(name) + "`") != std::string::npos, name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
