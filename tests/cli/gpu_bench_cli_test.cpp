// penstock bench train on the stand-in device: the report of a GPU, where there is none.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "fixtures/shapes_dataset.h"
#include "streamer/core/file.h"
#include "tests/cli/run_command.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

using Json = nlohmann::json;

constexpr const char* kNet =
    "[[layer]]\ntype = \"conv2d\"\nfilters = 4\n\n[[layer]]\ntype = \"batch_norm\"\n\n"
    "[[layer]]\ntype = \"global_avg_pool\"\n\n[[layer]]\ntype = \"dense\"\nunits = "
    "\"num_classes\"\n";

Json report_of(const std::string& device) {
  const TemporaryFolder folder;
  publish_file(folder.path() / "net.toml", kNet);
  const CommandResult result = run_penstock(
      {"bench", "train", "--device", device, "--model", folder.path() / "net.toml", "--image-size",
       "12", "--classes", "3", "--batch-size", "4", "--rounds", "1", "--json"},
      {{"PENSTOCK_CUDA_MODULE", PENSTOCK_STAND_IN_MODULE}});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  return Json::parse(result.out);
}

BOOST_AUTO_TEST_SUITE(gpu_bench_cli)

BOOST_AUTO_TEST_CASE(a_step_on_a_device_stands_beside_its_products_and_its_memory) {
  const Json report = report_of("cuda");
  BOOST_TEST(report["backend"].get<std::string>().starts_with("Stand-in, compute capability 9.0"));
  BOOST_TEST(report["sides"][0]["name"] == "bare convolutions");
  BOOST_TEST(report["sides"][1]["ratio"]["median"].get<double>() > 0.0);
  // Products and an addition of the bias, as `penstock model` counts them: 27 to each of 4 filters at 144 places,
  // forward and for the gradient of the weights; 4 to each of 3 units, in three passes. 4 samples.
  constexpr double kFlops = 4 * (2.0 * (2 * 27 + 1) * 4 * 144 + 3.0 * (2 * 4 + 1) * 3);
  BOOST_TEST(report["gflop"].get<double>() * 1e9 == kFlops, boost::test_tools::tolerance(1e-9));
  for (const Json& side : report["sides"]) {
    BOOST_TEST(
        side["tflop_per_s"].get<double>() == kFlops / side["step_ms"]["median"].get<double>() / 1e9,
        boost::test_tools::tolerance(1e-9));
  }
  BOOST_TEST(report["arena_held_bytes"] == report["arena_bytes"]);  // the device has nothing else
  BOOST_TEST(report["peak_bytes"] == report["arena_bytes"]);
  BOOST_TEST(report["layers"][0]["name"] == "input");
}

BOOST_AUTO_TEST_CASE(auto_takes_a_device_that_answers) {
  BOOST_TEST(report_of("auto")["backend"].get<std::string>().starts_with("Stand-in"));
  BOOST_TEST(!report_of("cpu")["backend"].get<std::string>().starts_with("Stand-in"));
}

BOOST_AUTO_TEST_CASE(from_shards_a_device_is_fed_and_waiting_is_told) {
  const TemporaryFolder folder;
  fixtures::make_shapes(folder.path() / "pictures", {.num_train = 24,
                                                     .num_validation = 10,
                                                     .num_test = 10,
                                                     .min_side_px = 32,
                                                     .max_side_px = 36});
  const auto dataset = folder.path() / "shapes.ds";
  const CommandResult converted = run_penstock({"convert", folder.path() / "pictures", dataset});
  BOOST_REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
  publish_file(folder.path() / "net.toml", kNet);
  const CommandResult result = run_penstock(
      {"bench", "train", dataset, "--device", "cuda", "--model", folder.path() / "net.toml",
       "--image-size", "12", "--batch-size", "4", "--rounds", "1", "--json"},
      {{"PENSTOCK_CUDA_MODULE", PENSTOCK_STAND_IN_MODULE}});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json report = Json::parse(result.out);
  BOOST_TEST(report["backend"].get<std::string>().starts_with("Stand-in"));
  BOOST_TEST(report["sides"][1]["name"] == "from shards");
  BOOST_TEST(report["sides"][1]["images_per_s"]["median"].get<double>() > 0.0);
  const double waiting = report["waiting_share"]["median"].get<double>();
  BOOST_TEST((waiting >= 0.0 && waiting < 1.0));
  BOOST_TEST(report["candidates"].empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
