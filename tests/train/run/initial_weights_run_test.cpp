// Runs that begin with the weights of a file.
#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"
#include "train/run/settings/run_file.h"
#include "train/store/safetensors.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;
using tests::TinyRun;

struct Started : TinyRun {
  fs::path first = folder.path() / "first";
  fs::path file = folder.path() / "w.safetensors";
  std::string told;
  std::string note;

  Started() {
    RunConfig config = this->config();
    config.out = first;
    config.epochs = 1;
    config.mean = {0.5, 0.25, 0.125};  // not the dataset's
    config.std = {0.5, 0.5, 0.25};
    train_run(config, watcher, stop.get_token());
    watcher.at_start = [this](const RunOverview& overview) {
      told = overview.initial_weights;
      note = overview.statistics_note;
    };
  }
  /// One epoch whose steps are too small to move a float32.
  RunConfig standing(const fs::path& init_from) const {
    RunConfig config = this->config();
    config.epochs = 1;
    config.optimizer.learning_rate = 1e-30;
    config.init_from = init_from;
    return config;
  }
  TensorFile weights_of(const fs::path& run) const { return read_safetensors(run / kWeightsName); }
};

BOOST_FIXTURE_TEST_SUITE(initial_weights_run, Started)

BOOST_AUTO_TEST_CASE(a_run_begins_with_the_weights_of_another_one) {
  train_run(standing(first), watcher, stop.get_token());
  const TensorFile expected = weights_of(first);
  const TensorFile found = weights_of(out);
  BOOST_REQUIRE(found.tensors.size() == 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST((found.tensors[i].values == expected.tensors[i].values));
  }
  BOOST_TEST(told == "2 tensors; mean and std of that run");
  BOOST_TEST(
      contains(read_text_file(out / kRunFileName), "init_from = \"" + first.native() + "\""));
}

BOOST_AUTO_TEST_CASE(pixels_come_as_the_weights_have_learned_them) {
  for (const fs::path& place : {first, first / kWeightsName}) {
    BOOST_TEST_CONTEXT(place) {
      fs::remove_all(out);
      train_run(standing(place), watcher, stop.get_token());
      BOOST_TEST(record()["mean"] == nlohmann::json({0.5, 0.25, 0.125}));
      BOOST_TEST(record()["std"] == nlohmann::json({0.5, 0.5, 0.25}));
      BOOST_TEST(note == "");
      BOOST_TEST(contains(read_text_file(out / kRunFileName), "mean = [0.5, 0.25, 0.125]\n"));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_mean_that_is_given_stays_and_is_told) {
  RunConfig given = standing(first);
  given.mean = {0.5, 0.5, 0.5};
  train_run(given, watcher, stop.get_token());
  BOOST_TEST(record()["mean"] == nlohmann::json({0.5, 0.5, 0.5}));
  BOOST_TEST(record()["std"] == nlohmann::json({0.5, 0.5, 0.25}));
  BOOST_TEST(told == "2 tensors");
  BOOST_TEST(note ==
             "mean and std: 0.5 0.5 0.5 and 0.5 0.5 0.25, but these weights were trained with 0.5 "
             "0.25 0.125 and 0.5 0.5 0.25");
  RunConfig same = standing(first);
  same.out = folder.path() / "same";
  same.mean = {127.5, 63.75, 31.875};  // of pixels of 0 to 255
  same.std = {127.5, 127.5, 63.75};
  same.augment.rescale = 1;
  train_run(same, watcher, stop.get_token());
  BOOST_TEST(told == "2 tensors; mean and std of that run");
}

BOOST_AUTO_TEST_CASE(the_datasets_mean_is_taken_when_it_is_asked_for_and_without_a_record) {
  RunConfig drawn = standing({});
  drawn.out = folder.path() / "drawn";
  train_run(drawn, watcher, stop.get_token());
  const auto mean_of = [](const fs::path& run) {
    return nlohmann::json::parse(read_text_file(run / kModelRecordName))["mean"];
  };
  RunConfig asked = standing(first);
  set_run_value(asked, "mean", "dataset", "--mean");
  train_run(asked, watcher, stop.get_token());
  BOOST_TEST(mean_of(out) == mean_of(drawn.out));
  BOOST_TEST(contains(note, "but these weights were trained with 0.5 0.25 0.125"));
  fs::copy_file(first / kWeightsName, file);
  fs::remove_all(out);
  train_run(standing(file), watcher, stop.get_token());
  BOOST_TEST(mean_of(out) == mean_of(drawn.out));
  BOOST_TEST(told == "2 tensors");
  BOOST_TEST(note == "");
}

BOOST_AUTO_TEST_CASE(a_folder_without_weights_is_no_place_to_begin_from) {
  const fs::path pictures = folder.path() / "pictures";
  fs::create_directory(pictures);
  const Error error = failure_of(standing(pictures));
  BOOST_TEST((error.code() == ErrorCode::kNotFound));
  BOOST_TEST(error.hint() == "--init-from takes a safetensors file or a run");
}

BOOST_AUTO_TEST_CASE(a_head_of_other_classes_begins_as_without_a_file_and_is_told) {
  RunConfig drawn = standing({});
  drawn.out = folder.path() / "drawn";
  train_run(drawn, watcher, stop.get_token());
  BOOST_TEST(told == "");
  write_safetensors(file, {.tensors = {{"dense_1.weight", {7, 768}, std::vector<float>(7 * 768)},
                                       {"dense_1.bias", {7}, std::vector<float>(7)}},
                           .metadata = {}});
  train_run(standing(file), watcher, stop.get_token());
  BOOST_TEST(told == "0 tensors; dense_1 begins anew: 2 classes here, 7 in the file");
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST((weights_of(out).tensors[i].values == weights_of(drawn.out).tensors[i].values));
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_does_not_fit_ends_the_run_before_it_leaves_anything) {
  write_safetensors(
      file, {.tensors = {{"fc.weight", {2, 768}, std::vector<float>(2 * 768)}}, .metadata = {}});
  const Error error = failure_of(standing(file));
  BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
  BOOST_TEST(contains(error.what(),
                      "found 2 missing (dense_1.weight, dense_1.bias); "
                      "1 left over (fc.weight)"));
  BOOST_TEST(!fs::exists(out));
  BOOST_TEST((failure_of(standing(folder.path() / "none")).code() == ErrorCode::kNotFound));
}

// The same bytes give the same run, wherever they lie.
BOOST_AUTO_TEST_CASE(the_bytes_of_the_file_belong_to_the_runs_identity_and_its_place_does_not) {
  const auto identity_of = [&](const fs::path& init_from) {
    std::uint64_t hash = 0;
    watcher.at_start = [&](const RunOverview& overview) {
      hash = overview.identity_hash;
      throw Error(ErrorCode::kStopped, "that is all");
    };
    RunConfig config = standing(init_from);
    config.mean = config.std = {0.5, 0.5, 0.5};  // else the record's
    failure_of(config);
    return hash;
  };
  const std::uint64_t of_run = identity_of(first);
  BOOST_TEST(of_run != 0u);
  BOOST_TEST(of_run != identity_of({}));
  fs::copy_file(first / kWeightsName, file);
  BOOST_TEST(identity_of(file) == of_run);
  TensorFile other = weights_of(first);
  other.tensors[1].values[0] += 1;
  write_safetensors(file, other);
  BOOST_TEST(identity_of(file) != of_run);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
