// The model files that ship with the recipes are built, and have the parameters counted by hand.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <string>

#include "train/graph/model_file.h"
#include "train/graph/model_summary.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

// 3 x 3 and 1 x 1 convolutions without bias, norms of two values a channel, a dense layer with bias.
std::uint64_t resnet20_params() {
  const std::uint64_t stem = 27 * 16;
  const std::uint64_t stage1 = 6 * 9 * 16 * 16;
  const std::uint64_t stage2 = 9 * 16 * 32 + 5 * 9 * 32 * 32 + 16 * 32;
  const std::uint64_t stage3 = 9 * 32 * 64 + 5 * 9 * 64 * 64 + 32 * 64;
  const std::uint64_t norms = 2 * (7 * 16 + 7 * 32 + 7 * 64);
  return stem + stage1 + stage2 + stage3 + norms + 64 * 10 + 10;
}

std::uint64_t keras_params() {
  const std::uint64_t separable = 9 * 32 + 32 * 64 + 64;
  return 27 * 32 + 32 + 2 * 32 + separable + 64 * 8 * 8 * 128 + 128 + 128 * 10 + 10;
}

std::uint64_t mobile_block_params(std::uint64_t width, std::uint64_t inner, std::uint64_t squeezed,
                                  std::uint64_t kernel) {
  const std::uint64_t excite = inner * squeezed + squeezed + squeezed * inner + inner;
  return width * inner + inner * kernel * kernel + excite + inner * width +
         2 * (inner + inner + width);
}

std::uint64_t squeeze_excite_params() {
  const std::uint64_t stems = 27 * 16 + 2 * 16 + 9 * 16 * 32 + 2 * 32;
  return stems + 2 * mobile_block_params(16, 48, 16, 3) + 2 * mobile_block_params(32, 96, 24, 5) +
         32 * 10 + 10;
}

BOOST_AUTO_TEST_SUITE(model_examples)

BOOST_AUTO_TEST_CASE(every_example_has_the_parameters_counted_by_hand) {
  const std::map<std::string, std::uint64_t> expected = {
      {"resnet20.toml", resnet20_params()},
      {"keras_sequential.toml", keras_params()},
      {"squeeze_excite.toml", squeeze_excite_params()}};
  std::size_t num_files = 0;
  for (const auto& entry :
       fs::directory_iterator(fs::path(PENSTOCK_SOURCE_DIR) / "tools/recipes/models")) {
    if (entry.path().extension() != ".toml") continue;
    ++num_files;
    const std::string name = entry.path().filename().native();
    BOOST_REQUIRE_MESSAGE(expected.contains(name), "an example that nobody counted: " << name);
    const ModelGraph graph = read_model_file(entry.path(), {3, 32, 32}, 10);
    BOOST_TEST(summarize(graph).total.num_params == expected.at(name), name);
  }
  BOOST_TEST(num_files == expected.size());
}

BOOST_AUTO_TEST_CASE(a_block_that_is_repeated_numbers_its_layers) {
  const ModelGraph graph = read_model_file(
      fs::path(PENSTOCK_SOURCE_DIR) / "tools/recipes/models/resnet20.toml", {3, 32, 32}, 10);
  std::map<std::string, std::string> shapes;
  for (const Node& node : graph.nodes()) shapes[node.name] = node.shape.text();
  BOOST_TEST(shapes["stage1.2.second.bn"] == "[16, 32, 32]");
  BOOST_TEST(shapes["wider2.shortcut.conv"] == "[32, 16, 16]");
  BOOST_TEST(shapes["stage3.1.add_1_relu"] == "[64, 8, 8]");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
