#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "fixtures/damage.h"
#include "streamer/core/file.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/cli/trained_shapes.h"
#include "tests/contains.h"
#include "train/export/onnx_export.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Fixture {
  const TrainedShapes& shapes = TrainedShapes::get();
  TemporaryFolder folder;
  fs::path file = folder.path() / "shapes.onnx";
};

boost::test_tools::assertion_result has_onnx(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result result(train::writes_onnx());
  result.message() << "SKIPPED: no libonnx in this build";
  return result;
}

BOOST_FIXTURE_TEST_SUITE(export_cli, Fixture, *boost::unit_test::precondition(has_onnx))

// small_cnn: four convolutions, each with its batch norm; 391,466 parameters of 4 bytes (README), of which
// 4 x 480 are of norms.
BOOST_AUTO_TEST_CASE(a_run_becomes_a_file_that_says_what_it_takes) {
  const CommandResult result = run_penstock({"export", shapes.run(), "--onnx", file});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  BOOST_TEST(contains(result.out, file.native() + ": small_cnn, "));
  BOOST_TEST(contains(result.out, " 4 batch norms folded, "));
  BOOST_TEST(contains(result.out,
                      "images  float32 [batch, 3, 32, 32], normalised by mean and std of the "
                      "metadata"));
  BOOST_TEST(contains(result.out, "logits  float32 [batch, 10]"));
  BOOST_TEST(fs::file_size(file) > 4u * 390'000);
  BOOST_TEST(fs::file_size(file) < 4u * 395'000);
}

BOOST_AUTO_TEST_CASE(preprocessing_and_norms_are_as_asked_for) {
  const CommandResult result = run_penstock(
      {"export", shapes.run(), "--onnx", file, "--preprocessing", "--no-fold", "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json json = Json::parse(result.out);
  BOOST_TEST(json["has_preprocessing"] == true);
  BOOST_TEST(json["num_folded_norms"] == 0);
  BOOST_TEST(json["size_bytes"].get<std::uint64_t>() == fs::file_size(file));
  BOOST_TEST(json["num_classes"] == 10);
  BOOST_TEST(contains(read_text_file(file), "BatchNormalization"));
  const CommandResult quiet =
      run_penstock({"export", shapes.run(), "--onnx", folder.path() / "other.onnx", "--quiet"});
  BOOST_TEST(quiet.exit_code == 0);
  BOOST_TEST(quiet.out == "");
  BOOST_TEST(!contains(read_text_file(folder.path() / "other.onnx"), "BatchNormalization"));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_there_is_replaced_on_request_only) {
  publish_file(file, "mine");
  check_refused(run_penstock({"export", shapes.run(), "--onnx", file}), 1,
                "output: " + file.native() + ": expected nothing there, found a file",
                "--force replaces it; or name another file");
  BOOST_TEST(read_text_file(file) == "mine");
  BOOST_TEST(run_penstock({"export", shapes.run(), "--onnx", file, "--force"}).exit_code == 0);
  BOOST_TEST(fs::file_size(file) > 1000u);
}

BOOST_AUTO_TEST_CASE(nothing_to_write_is_a_usage_error) {
  check_refused(run_penstock({"export", shapes.run()}), 2,
                "export: expected --onnx FILE, found nothing to write",
                "penstock export RUN --onnx model.onnx");
}

BOOST_AUTO_TEST_CASE(damaged_weights_become_no_file) {
  const fs::path run = folder.path() / "run";
  fs::copy(shapes.run(), run, fs::copy_options::recursive);
  fixtures::flip_byte(run / "weights.safetensors", fs::file_size(run / "weights.safetensors") / 2);
  check_refused_with(run_penstock({"export", run, "--onnx", file}), 3,
                     "weights.safetensors: checksum: expected ");
  BOOST_TEST(!fs::exists(file));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
