// color_mode = "grayscale" from end to end: trained, evaluated and predicted on one channel.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "tests/cli/run_command.h"
#include "tests/cli/trained_shapes.h"
#include "tests/contains.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// The shapes, seen in gray by a run of its own.
class GrayRun {
 public:
  static const GrayRun& get() {
    static const GrayRun run;
    return run;
  }
  fs::path path() const { return folder_.path() / "run"; }
  Json model() const { return Json::parse(read_text_file(path() / "model.json")); }

 private:
  GrayRun() {
    const CommandResult trained = run_penstock(
        {"train", TrainedShapes::get().dataset(), "-o", path(), "--color-mode", "grayscale",
         "--image-size", "32", "--epochs", "2", "--batch-size", "16", "--threads", "2"});
    BOOST_REQUIRE_MESSAGE(trained.exit_code == 0, trained.err);
  }

  TemporaryFolder folder_;
};

BOOST_AUTO_TEST_SUITE(grayscale_cli)

BOOST_AUTO_TEST_CASE(the_model_says_that_it_sees_one_channel) {
  const Json model = GrayRun::get().model();
  BOOST_TEST(model["model"]["channels"] == 1);
  BOOST_TEST(contains(model["model"]["graph"], "input = input() -> [1, 32, 32]\n"));
  BOOST_TEST(contains(model["identity"], "\nchannels=1\n"));
  const Manifest manifest = Dataset::open(TrainedShapes::get().dataset()).manifest();
  BOOST_REQUIRE(manifest.gray.has_value());
  BOOST_TEST((model["mean"].get<std::vector<double>>() == std::vector{manifest.gray->mean}));
  BOOST_TEST((model["std"].get<std::vector<double>>() == std::vector{manifest.gray->std}));
  BOOST_TEST(contains(read_text_file(GrayRun::get().path() / "run.toml"),
                      "\ncolor_mode = \"grayscale\"\n"));
}

// The same pictures, batches and sums as in the last validation of the training.
BOOST_AUTO_TEST_CASE(evaluation_sees_what_validation_saw) {
  const CommandResult result = run_penstock(
      {"evaluate", GrayRun::get().path(), "--split", "validation", "--json", "--threads", "2"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json json = Json::parse(result.out);
  const Json metrics = GrayRun::get().model()["metrics"];
  BOOST_TEST(json["num_samples"] == 40);
  BOOST_TEST(json["top1"] == metrics["val_top1"]);
  BOOST_TEST(json["loss"] == metrics["val_loss"]);
}

/// The probabilities of a picture's classes, by name.
Json probabilities(const fs::path& run, const fs::path& picture) {
  const CommandResult result = run_penstock({"predict", run, picture, "--top", "10", "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  Json by_name;
  const Json answer = Json::parse(result.out)[0];
  for (const Json& one : answer["top"]) by_name[std::string(one["class"])] = one["probability"];
  return by_name;
}

double largest_difference(const Json& one, const Json& other) {
  BOOST_REQUIRE(one.size() == 10u);
  double largest = 0;
  for (const auto& [name, value] : one.items()) {
    largest = std::max(largest, std::abs(value.get<double>() - other[name].get<double>()));
  }
  return largest;
}

// A coloured picture beside its luma by the weights of BT.601: a network that sees gray cannot tell
// them apart, but for pixels at which the luma rounds the other way; one that sees colour can.
BOOST_AUTO_TEST_CASE(prediction_sees_the_luma_and_nothing_else) {
  const TemporaryFolder folder;
  cv::Mat bgr(48, 48, CV_8UC3);
  cv::Mat gray(48, 48, CV_8UC1);
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 48; ++x) {
      const cv::Vec3b pixel(static_cast<std::uint8_t>(5 * x), static_cast<std::uint8_t>(4 * y + 30),
                            static_cast<std::uint8_t>(x > 16 && x < 32 ? 200 : 40));
      bgr.at<cv::Vec3b>(y, x) = pixel;
      gray.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>(
          std::lround(0.299 * pixel[2] + 0.587 * pixel[1] + 0.114 * pixel[0]));
    }
  }
  const fs::path coloured = folder.path() / "coloured.png";
  const fs::path luma = folder.path() / "luma.png";
  cv::imwrite(coloured, bgr);
  cv::imwrite(luma, gray);
  const fs::path run = GrayRun::get().path();
  BOOST_TEST(largest_difference(probabilities(run, coloured), probabilities(run, luma)) < 2e-3);
  const fs::path rgb_run = TrainedShapes::get().run();
  BOOST_TEST(largest_difference(probabilities(rgb_run, coloured), probabilities(rgb_run, luma)) >
             2e-3);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
