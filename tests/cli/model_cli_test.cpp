// penstock model as it is typed.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

using Json = nlohmann::json;

BOOST_AUTO_TEST_SUITE(model_cli)

// 11,689,512 parameters: torchvision's documentation of ResNet18_Weights. 1,814 million multiply-adds, its
// GFLOPS, count twice here, and more for the layers that it leaves out.
BOOST_AUTO_TEST_CASE(a_model_by_name_has_its_layers_and_sums_in_words_and_as_json) {
  const CommandResult text = run_penstock({"model", "resnet18"});
  BOOST_TEST(text.exit_code == 0);
  BOOST_TEST(contains(text.out, "layer1.0.conv1"));
  BOOST_TEST(contains(text.out, "[64, 56, 56]"));
  BOOST_TEST(contains(text.out, "11,689,512"));
  const CommandResult json = run_penstock({"model", "resnet18", "--json"});
  const Json model = Json::parse(json.out);
  BOOST_TEST(model["num_params"] == 11689512u);
  BOOST_TEST(model["num_outputs"] == 1000u);
  // Four bytes each; sgd keeps one momentum (Sutskever et al. 2013, eq. 3), Adam two moments (Kingma and Ba 2015,
  // algorithm 1).
  BOOST_TEST(model["parameter_bytes"] == 46758048u);
  BOOST_TEST(model["gradient_bytes"] == 46758048u);
  BOOST_TEST(model["sgd_momentum_state_bytes"] == 46758048u);
  BOOST_TEST(model["adam_state_bytes"] == 93516096u);
  BOOST_TEST(
      contains(text.out,
               "\ntraining keeps 46,758,048 bytes of parameters and passes 46,758,048 of "
               "gradients; optimizer states: sgd with momentum 46,758,048, adam 93,516,096\n"));
  const auto flops = model["forward_flops"].get<double>();
  BOOST_TEST(flops > 2 * 1.814e9);
  BOOST_TEST(flops < 2 * 1.814e9 * 1.02);
  std::uint64_t num_params = 0;
  for (const Json& layer : model["layers"]) num_params += layer["num_params"].get<std::uint64_t>();
  BOOST_TEST(num_params == 11689512u);
  BOOST_TEST(run_penstock({"model", "resnet18", "--quiet"}).out.empty());
}

BOOST_AUTO_TEST_CASE(a_size_that_can_never_be_right_is_usage_with_a_flag_as_the_hint) {
  for (const char* text : {"x", "0", "100000"}) {
    const CommandResult result = run_penstock({"model", "resnet18", "--image-size", text});
    BOOST_TEST(result.exit_code == 2, result.err);
    BOOST_TEST(contains(result.err, "\nhint: --image-size 96\n"), result.err);
  }
  BOOST_TEST(run_penstock({"model", "resnet18", "--color-mode", "cmyk"}).exit_code == 2);
}

// 2 * 2 * 1 * 3 weights and 3 biases; a pixel less on each side; 3 * 4 + 4 of the dense layer.
BOOST_AUTO_TEST_CASE(a_file_of_layers_is_shown_for_an_image_and_classes) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "mine.toml").string();
  std::ofstream(file)
      << "[[layer]]\ntype = \"conv2d\"\nfilters = 3\nkernel = 2\npadding = \"valid\"\n"
         "[[layer]]\ntype = \"global_avg_pool\"\n"
         "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
  const CommandResult result = run_penstock({"model", file, "--image-size", "8x6", "--classes", "4",
                                             "--color-mode", "grayscale", "--json"});
  BOOST_TEST(result.exit_code == 0, result.err);
  const Json model = Json::parse(result.out);
  BOOST_TEST(model["num_params"] == 15u + 16u);
  BOOST_TEST(model["layers"][1]["height"] == 7u);
  BOOST_TEST(model["layers"][1]["width"] == 5u);
  BOOST_TEST(model["layers"][1]["activation_bytes"] == 3u * 7 * 5 * 4);
}

BOOST_AUTO_TEST_CASE(what_is_no_model_is_refused_with_the_nearest) {
  const CommandResult unknown = run_penstock({"model", "resnet_18"});
  BOOST_TEST(unknown.exit_code == 1);
  BOOST_TEST(contains(unknown.err, "did you mean 'resnet18'?"), unknown.err);
  BOOST_TEST(run_penstock({"model", "missing.toml"}).exit_code == 1);
  const CommandResult small = run_penstock({"model", "vgg11_bn", "--image-size", "8"});
  BOOST_TEST(small.exit_code == 1);
  BOOST_TEST(contains(small.err, "32"), small.err);
  BOOST_TEST(run_penstock({"model", "resnet18", "--classes", "0"}).exit_code == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
