#include <boost/test/unit_test.hpp>

#include <cmath>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "fixtures/damage.h"
#include "streamer/core/file.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/cli/trained_shapes.h"
#include "tests/contains.h"
#include "tests/train/has_bfloat16.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Fixture {
  const TrainedShapes& shapes = TrainedShapes::get();
  TemporaryFolder folder;

  fs::path run_copy() const {
    fs::copy(shapes.run(), folder.path() / "run", fs::copy_options::recursive);
    return folder.path() / "run";
  }
};

BOOST_FIXTURE_TEST_SUITE(evaluate_cli, Fixture)

BOOST_AUTO_TEST_CASE(the_test_split_is_taken_and_named) {
  const CommandResult result = run_penstock({"evaluate", shapes.run()});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.out.find("split test: 40 of 40 samples, each once, 0 skipped") !=
             std::string::npos);
}

// The table is counted from the scores, the totals by the backend: two ways to the same numbers.
BOOST_AUTO_TEST_CASE(the_class_table_adds_up_to_the_totals) {
  const CommandResult result = run_penstock({"evaluate", shapes.run(), "--json"});
  BOOST_REQUIRE(result.exit_code == 0);
  const Json json = Json::parse(result.out);
  BOOST_TEST(json["split"] == "test");
  BOOST_TEST(json["num_samples"] == 40);
  std::uint64_t num_samples = 0, num_correct = 0, num_predicted = 0;
  for (const Json& one : json["classes"]) {
    BOOST_TEST(one["num_samples"] == 4);  // 40 pictures of ten classes
    num_samples += one["num_samples"].get<std::uint64_t>();
    num_correct += one["num_correct"].get<std::uint64_t>();
    num_predicted += one["num_predicted"].get<std::uint64_t>();
  }
  BOOST_TEST(num_samples == 40u);
  BOOST_TEST(num_predicted == 40u);
  BOOST_TEST(json["top1"].get<double>() == static_cast<double>(num_correct) / 40);
}

BOOST_AUTO_TEST_CASE(the_matrix_the_figures_and_the_mistakes_agree) {
  const fs::path file = folder.path() / "confusion.csv";
  const CommandResult result =
      run_penstock({"evaluate", shapes.run(), "--json", "--worst", "40", "--confusion", file});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json json = Json::parse(result.out);
  const Json& matrix = json["confusion_matrix"];
  std::uint64_t num_samples = 0, num_wrong = 0;
  double f1_sum = 0;
  std::string csv = "label,arrow,circle,crescent,cross,grid,ring,spiral,square,star,triangle\n";
  for (std::size_t i = 0; i < 10; ++i) {
    csv += json["classes"][i]["name"].get<std::string>();
    for (std::size_t k = 0; k < 10; ++k) {
      num_samples += matrix[i][k].get<std::uint64_t>();
      num_wrong += i == k ? 0 : matrix[i][k].get<std::uint64_t>();
      csv += "," + matrix[i][k].dump();
    }
    csv += "\n";
    f1_sum += json["classes"][i]["f1"].get<double>();
  }
  BOOST_TEST(num_samples == 40u);
  BOOST_TEST(read_text_file(file) == csv);
  BOOST_TEST(json["worst"].size() == num_wrong);
  BOOST_TEST(json["macro_f1"].get<double>() == f1_sum / 10, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(json["top5"].get<double>() >= json["top1"].get<double>());
  BOOST_REQUIRE(num_wrong > 0);  // two epochs
  double last = json["worst"][0]["loss"].get<double>();
  for (const Json& one : json["worst"]) {
    BOOST_TEST(fs::exists(shapes.pictures() / one["name"].get<std::string>()));
    BOOST_TEST(one["name"].get<std::string>().find("/" + one["class"].get<std::string>() + "/") !=
               std::string::npos);
    BOOST_TEST(one["loss"].get<double>() <= last);
    last = one["loss"].get<double>();
  }
  check_refused(run_penstock({"evaluate", shapes.run(), "--confusion", file}), 1,
                "output: " + file.native() + ": expected nothing there, found a file",
                "--force replaces it; or name another file");
}

/// Probabilities of all classes of a picture, by class index.
std::vector<double> predicted(const fs::path& run, const fs::path& picture) {
  const CommandResult result = run_penstock({"predict", run, picture, "--top", "10", "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  std::vector<double> shares(10);
  const Json answers = Json::parse(result.out);
  for (const Json& one : answers[0]["top"]) {
    shares[one["class_idx"].get<std::size_t>()] = one["probability"].get<double>();
  }
  return shares;
}

// A picture of the network's own size is not resized, so its mirror image as a file is its mirror image as
// input.
BOOST_AUTO_TEST_CASE(a_flipped_evaluation_takes_the_mean_of_a_picture_and_its_mirror_image) {
  const fs::path pictures = folder.path() / "pictures";
  for (const auto& entry : fs::directory_iterator(shapes.pictures() / "test")) {
    fs::create_directories(pictures / entry.path().filename());
  }
  cv::Mat pixels(32, 32, CV_8UC3);
  cv::randu(pixels, 0, 255);
  cv::Mat mirrored;
  cv::flip(pixels, mirrored, 1);
  const fs::path star = pictures / "star/one.png";
  const fs::path other = folder.path() / "other.png";
  BOOST_REQUIRE(cv::imwrite(star.native(), pixels));
  BOOST_REQUIRE(cv::imwrite(other.native(), mirrored));
  // A class folder with nothing in it is no class: each has the one picture.
  for (const auto& entry : fs::directory_iterator(pictures)) {
    if (entry.path() != pictures / "star") fs::copy(star, entry.path() / "one.png");
  }
  const fs::path dataset = folder.path() / "flip.ds";
  const CommandResult converted =
      run_penstock({"convert", pictures, dataset, "--validation-split", "0"});
  BOOST_REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
  const CommandResult result =
      run_penstock({"evaluate", shapes.run(), dataset, "--split", "train", "--flip", "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json json = Json::parse(result.out);
  BOOST_TEST(json["is_flipped"] == true);
  const std::vector<double> a = predicted(shapes.run(), star), b = predicted(shapes.run(), other);
  double loss = 0,
         loss_unflipped = 0;  // each class once: the mean over classes of -log of the mean
  for (std::size_t k = 0; k < 10; ++k) {
    loss -= std::log((a[k] + b[k]) / 2) / 10;
    loss_unflipped -= std::log(a[k]) / 10;
  }
  // As JPEGs, which conversion makes of both, they are mirror images but for rounding.
  BOOST_TEST(json["loss"].get<double>() == loss, boost::test_tools::tolerance(1e-3));
  BOOST_TEST(std::abs(loss_unflipped - loss) > 0.02 * loss);
}

BOOST_AUTO_TEST_CASE(more_mistakes_than_are_kept_are_a_usage_error) {
  check_refused_with(run_penstock({"evaluate", shapes.run(), "--worst", "100001"}), 2,
                     "--worst: expected a whole number from 0 to 100000");
}

// The shapes are 40 to 64 pixels wide: all but the largest are enlarged, so that the edges of the samples lie
// beside the centres of the pictures' outermost pixels.
BOOST_AUTO_TEST_CASE(validation_of_a_run_that_wraps_is_what_evaluation_sees) {
  for (const std::string interpolation : {"bilinear", "bilinear_antialias"}) {
    const fs::path run = folder.path() / interpolation;
    const CommandResult trained =
        run_penstock({"train", shapes.dataset(), "-o", run, "--image-size", "64", "--epochs", "1",
                      "--batch-size", "16", "--threads", "2", "--augment.fill-mode", "wrap",
                      "--augment.rotation-range", "10", "--augment.interpolation", interpolation});
    BOOST_REQUIRE_MESSAGE(trained.exit_code == 0, trained.err);
    const Json metrics = Json::parse(read_text_file(run / "model.json"))["metrics"];
    const CommandResult result =
        run_penstock({"evaluate", run, "--split", "validation", "--json", "--threads", "2"});
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const Json json = Json::parse(result.out);
    BOOST_TEST(json["top1"] == metrics["val_top1"]);
    BOOST_TEST(json["loss"] == metrics["val_loss"]);
  }
}

BOOST_AUTO_TEST_CASE(another_split_can_be_asked_for_and_an_unknown_one_is_refused) {
  const CommandResult train =
      run_penstock({"evaluate", shapes.run(), "--split", "train", "--json"});
  BOOST_REQUIRE(train.exit_code == 0);
  BOOST_TEST(Json::parse(train.out)["num_samples"] == 80);
  const CommandResult other = run_penstock({"evaluate", shapes.run(), "--split", "tset"});
  check_refused(other, 1, "dataset: split: expected one of train, validation, test, found 'tset'",
                "--split test");
}

BOOST_AUTO_TEST_CASE(a_dataset_converted_again_is_remarked_on) {
  const fs::path run = run_copy();
  const fs::path dataset = folder.path() / "shapes.ds";
  fs::copy(shapes.dataset(), dataset, fs::copy_options::recursive);
  std::string settings = read_text_file(run / "run.toml");
  const std::string before = shapes.dataset().native();
  settings.replace(settings.find(before), before.size(), dataset.native());
  publish_file(run / "run.toml", settings);
  const CommandResult same = run_penstock({"evaluate", run});
  BOOST_TEST(same.exit_code == 0);
  BOOST_TEST(same.err.find("converted again") == std::string::npos);

  // Fewer test pictures are another dataset.
  fs::copy(shapes.pictures(), folder.path() / "fewer", fs::copy_options::recursive);
  fs::remove_all(folder.path() / "fewer/test");
  BOOST_REQUIRE(run_penstock({"convert", folder.path() / "fewer", dataset, "--force"}).exit_code ==
                0);
  const CommandResult other = run_penstock({"evaluate", run});
  BOOST_TEST(other.exit_code == 0);
  BOOST_TEST(other.err.find("warning: " + dataset.native() +
                            " was converted again since the training: its validation split may "
                            "hold pictures that were trained on") != std::string::npos);
  BOOST_TEST(Json::parse(run_penstock({"evaluate", run, "--json"}).out)["is_training_dataset"] ==
             false);
}

BOOST_AUTO_TEST_CASE(a_skipped_sample_is_named) {
  const fs::path dataset = folder.path() / "shapes.ds";
  fs::copy(shapes.dataset(), dataset, fs::copy_options::recursive);
  const fs::path shard = dataset / "test-00000.h5";
  const std::size_t first = read_text_file(shard).find("\xFF\xD8\xFF");
  fixtures::flip_byte(shard, first + 400);
  const CommandResult result = run_penstock({"evaluate", shapes.run(), dataset, "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json json = Json::parse(result.out);
  BOOST_TEST(json["num_skipped"] == 1);
  BOOST_REQUIRE(json["skipped"].size() == 1u);
  BOOST_TEST(json["skipped"][0]["sample_id"] == 0);
  BOOST_TEST(json["skipped"][0]["reason"] == "checksum mismatch");
  BOOST_TEST(result.err.find("skipped   sample 0 of split test (") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_unknown_backend_is_a_usage_error) {
  check_refused(run_penstock({"evaluate", shapes.run(), "--backend", "foo"}), 2,
                "--backend: expected onednn or reference, found 'foo'", "--backend onednn");
}

BOOST_AUTO_TEST_CASE(a_precision_is_float32_or_bfloat16) {
  check_refused(run_penstock({"evaluate", shapes.run(), "--precision", "half"}), 2,
                "--precision: expected float32, bfloat16, tf32 or float16, found 'half'",
                "--precision float32");
  const CommandResult result = run_penstock({"evaluate", shapes.run(), "--precision", "float32"});
  BOOST_TEST(result.exit_code == 0, result.err);
}

BOOST_AUTO_TEST_CASE(loader_threads_do_not_change_the_figures) {
  const auto loss = [&](std::vector<std::string> more) {
    std::vector<std::string> line = {"evaluate", shapes.run(), "--json"};
    line.insert(line.end(), more.begin(), more.end());
    const CommandResult result = run_penstock(line);
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    return Json::parse(result.out)["loss"].get<double>();
  };
  BOOST_TEST(loss({"--loader-threads", "6"}) == loss({"--loader-threads", "2"}));
  check_refused_with(run_penstock({"evaluate", shapes.run(), "--loader-threads", "1"}), 2,
                     "--loader-threads: expected a whole number from 2 to 256");
}

BOOST_AUTO_TEST_CASE(a_damaged_record_comes_with_a_hint) {
  const fs::path run = run_copy();
  fixtures::flip_byte(run / "model.json", 20);
  check_refused_with(run_penstock({"evaluate", run}), 3, "model.json");
}

// The validation figures of the last epoch, written while training, come again from the files.
BOOST_AUTO_TEST_CASE(the_stored_weights_give_the_figures_of_the_training) {
  const CommandResult result =
      run_penstock({"evaluate", shapes.run(), "--split", "validation", "--json", "--threads", "2"});
  BOOST_REQUIRE(result.exit_code == 0);
  const Json json = Json::parse(result.out);
  const Json record = Json::parse(read_text_file(shapes.run() / "model.json"));
  BOOST_TEST(json["loss"].get<double>() == record["metrics"]["val_loss"].get<double>());
  BOOST_TEST(json["top1"].get<double>() == record["metrics"]["val_top1"].get<double>());
}

// Lin et al. 2017, eq. 5: with the probability p of the right class, alpha (1 - p)^gamma times the cross-entropy.
BOOST_AUTO_TEST_CASE(a_run_of_another_loss_is_evaluated_with_it) {
  const fs::path run = folder.path() / "focal";
  const CommandResult trained = run_penstock(
      {"train", shapes.dataset(), "-o", run, "--image-size", "32", "--epochs", "1", "--batch-size",
       "16", "--threads", "2", "--loss", "focal", "--focal-gamma", "2", "--focal-alpha", "0.25"});
  BOOST_REQUIRE_MESSAGE(trained.exit_code == 0, trained.err);
  const Json record = Json::parse(read_text_file(run / "model.json"));
  const auto evaluated = [&](std::vector<std::string> more) {
    std::vector<std::string> line = {"evaluate", run,         "--split", "validation",
                                     "--json",   "--threads", "2"};
    line.insert(line.end(), more.begin(), more.end());
    const CommandResult result = run_penstock(line);
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    return Json::parse(result.out);
  };
  const Json json = evaluated({});
  BOOST_TEST(json["loss_name"] == "focal");
  BOOST_TEST(json["precision"] == "float32");
  BOOST_TEST(json["loss"].get<double>() == record["metrics"]["val_loss"].get<double>());
  BOOST_TEST(json["loss"].get<double>() < 0.25 * json["nll"].get<double>());
  BOOST_TEST(json["loss"].get<double>() > 0.05 * json["nll"].get<double>());
  const Json flipped = evaluated({"--flip"});
  BOOST_TEST(flipped["loss"].get<double>() < 0.25 * flipped["nll"].get<double>());
}

BOOST_AUTO_TEST_CASE(a_dataset_of_other_classes_is_refused_with_the_difference) {
  // Two classes that the model does not know, made of the pictures of two that it does.
  const fs::path pictures = folder.path() / "pets";
  fs::create_directories(pictures);
  fs::copy(shapes.pictures() / "train/circle", pictures / "cat");
  fs::copy(shapes.pictures() / "train/star", pictures / "dog");
  const fs::path dataset = folder.path() / "pets.ds";
  BOOST_REQUIRE(
      run_penstock({"convert", pictures, dataset, "--validation-split", "0.4"}).exit_code == 0);
  check_refused(run_penstock({"evaluate", shapes.run(), dataset}), 1,
                "dataset: " + dataset.native() +
                    ": classes: expected the model's 10, found 2, without arrow, circle, "
                    "crescent, cross, grid, ring, spiral, square, star, triangle, with cat, dog "
                    "besides",
                "evaluate on a dataset converted from the same classes");
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_no_run_comes_with_a_hint) {
  const CommandResult result = run_penstock({"evaluate", folder.path()});
  check_refused_with(result, 1, folder.path().native());
  BOOST_TEST(result.err.find("\nhint: penstock train DATASET -o " + folder.path().native() +
                             "\n") != std::string::npos);
  const std::string dataset = shapes.dataset();
  const CommandResult taken_for_one = run_penstock({"evaluate", dataset});
  BOOST_TEST(contains(taken_for_one.err,
                      "\nhint: this is a dataset; name a run, as made by penstock "
                      "train " +
                          dataset + " -o RUN\n"),
             taken_for_one.err);
}

// As one that trains its first epoch: its settings are there.
BOOST_AUTO_TEST_CASE(a_run_without_weights_yet_is_not_told_to_be_trained_anew) {
  const fs::path run = folder.path() / "young";
  fs::create_directories(run);
  fs::copy(shapes.run() / "run.toml", run / "run.toml");
  const std::string message =
      "run: " + run.native() + ": expected weights, found none: no epoch has ended yet";
  const std::string hint = "wait for its first epoch; where it was stopped: penstock train -o " +
                           run.native() + " --resume";
  check_refused(run_penstock({"evaluate", run}), 1, message, hint);
  check_refused(run_penstock({"predict", run, "a.jpg"}), 1, message, hint);
}

BOOST_AUTO_TEST_CASE(too_little_memory_comes_with_flags_that_evaluate_has) {
  for (const char* limit : {"100K", "5M"}) {
    const CommandResult small = run_penstock({"evaluate", shapes.run(), "--memory", limit});
    check_refused_with(small, 1, "expected at most ");
    BOOST_TEST(contains(small.err, "\nhint: raise the memory limit (--memory)"), small.err);
    BOOST_TEST(!contains(small.err, "batch size"), small.err);
  }
}

BOOST_AUTO_TEST_CASE(damaged_weights_are_noticed) {
  const fs::path run = run_copy();
  fixtures::flip_byte(run / "weights.safetensors", fs::file_size(run / "weights.safetensors") / 2);
  check_refused_with(run_penstock({"evaluate", run}), 3,
                     "weights.safetensors: checksum: expected ");
  fixtures::truncate_file(run / "weights.safetensors", 100);
  check_refused_with(run_penstock({"evaluate", run}), 3, "bytes, found 100");
}

// AVX-512 without instructions for bfloat16, which the library then emulates: its own limit says so.
BOOST_AUTO_TEST_CASE(bfloat16_that_is_emulated_is_warned_of,
                     *boost::unit_test::precondition(train::tests::HasBfloat16())) {
  const auto limited = [](const std::vector<std::string>& line) {
    return run_program(PENSTOCK_PROGRAM, line, {{"ONEDNN_MAX_CPU_ISA", "AVX512_CORE"}});
  };
  const std::string warning = "bfloat16 is emulated, slower than float32: oneDNN ";
  const std::string run = shapes.run();
  const CommandResult evaluated = limited({"evaluate", run, "--precision", "bfloat16"});
  BOOST_TEST(evaluated.exit_code == 0);
  BOOST_TEST(contains(evaluated.err, "warning: " + warning), evaluated.err);
  BOOST_TEST(!contains(limited({"evaluate", run}).err, warning));
  const CommandResult planned =
      limited({"train", shapes.dataset(), "-o", folder.path() / "bf16", "--image-size", "32",
               "--precision", "bfloat16", "--dry-run"});
  BOOST_TEST(contains(planned.err, "warning   " + warning), planned.err);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
