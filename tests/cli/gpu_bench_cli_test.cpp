// penstock bench train on the stand-in device: the report of a GPU, where there is none.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fixtures/shapes_dataset.h"
#include "streamer/core/file.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

using Json = nlohmann::json;

constexpr const char* kNet =
    "[[layer]]\ntype = \"conv2d\"\nfilters = 4\n\n[[layer]]\ntype = \"batch_norm\"\n\n"
    "[[layer]]\ntype = \"global_avg_pool\"\n\n[[layer]]\ntype = \"dense\"\nunits = "
    "\"num_classes\"\n";

/// As text, or as JSON with {"--json"}.
std::string bench_of(const std::string& device, EnvironmentChanges environment,
                     const std::vector<std::string>& more) {
  const TemporaryFolder folder;
  publish_file(folder.path() / "net.toml", kNet);
  environment["PENSTOCK_CUDA_MODULE"] = PENSTOCK_STAND_IN_MODULE;
  std::vector<std::string> line = {
      "bench",        "train", "--device",  device, "--model",      folder.path() / "net.toml",
      "--image-size", "12",    "--classes", "3",    "--batch-size", "4",
      "--rounds",     "1"};
  line.insert(line.end(), more.begin(), more.end());
  const CommandResult result = run_penstock(line, environment);
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  return result.out;
}

Json report_of(const std::string& device, const EnvironmentChanges& environment = {}) {
  return Json::parse(bench_of(device, environment, {"--json"}));
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

BOOST_AUTO_TEST_CASE(a_step_that_leaves_no_memory_for_its_products_is_measured_alone) {
  const Json whole = report_of("cuda");
  const auto step_bytes = whole["peak_bytes"].get<std::uint64_t>();
  const auto ceiling_bytes = whole["ceiling_bytes"].get<std::uint64_t>();
  BOOST_TEST(whole["ceiling_absence"].is_null());
  const std::uint64_t too_few = step_bytes + ceiling_bytes / 2;
  const EnvironmentChanges small{{"STAND_IN_MEMORY_BYTES", std::to_string(too_few)}};
  const Json alone = report_of("cuda", small);
  BOOST_REQUIRE(alone["sides"].size() == 1u);
  BOOST_TEST(alone["sides"][0]["name"] == "training step");
  BOOST_TEST(alone["sides"][0]["images_per_s"]["median"].get<double>() > 0.0);
  for (const char* const name : {"ceiling", "ratio", "gflop_per_s", "tflop_per_s"}) {
    BOOST_TEST(alone["sides"][0][name].is_null(), name);
  }
  for (const char* const name : {"gflop", "weighted", "bare_weighted", "ceiling_bytes"}) {
    BOOST_TEST(alone[name].is_null(), name);
  }
  BOOST_TEST(contains(alone["ceiling_absence"].get<std::string>(), "memory"));
  BOOST_TEST(alone["peak_bytes"] == step_bytes);
  BOOST_TEST(alone["layers"].size() == whole["layers"].size());
  const std::string text = bench_of("cuda", small, {});
  BOOST_TEST(contains(text, "\nno ceiling beside the step: "));
  BOOST_TEST(!contains(text, "TFLOP/s"));
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
