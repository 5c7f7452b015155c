#include "train/run/folder/run_hints.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/train/run/resumed_run.h"
#include "train/run/inference/stored_network.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

/// A finished run.
struct Fixture : tests::ResumedRun {
  const std::string run = out.native();
  const std::string go_on =
      "to bring it back from a checkpoint: penstock train -o " + run + " --resume";
  const std::string once_more = "penstock train --config " + run + "/run.toml -o " + run + ".again";

  Fixture() { train(net(), RunStart::kNew); }

  void damage(const char* name) const {
    fixtures::flip_byte(out / name, fs::file_size(out / name) / 2);
  }
  void damage_checkpoints() const {
    for (const fs::path& checkpoint : checkpoints()) {
      fixtures::truncate_file(checkpoint / "state.json", 100);
    }
  }
  std::string hint_of_model() const {
    try {
      load_stored_model(out);
    } catch (const Error& error) {
      return error.hint();
    }
    return "no failure";
  }
};

BOOST_FIXTURE_TEST_SUITE(run_hints, Fixture)

// Tests run as root, whom no folder refuses.
BOOST_AUTO_TEST_CASE(a_run_that_cannot_be_written_to_goes_on_as_a_copy) {
  const auto hint = [&](int failure) {
    return hint_in_the_way(out, Error(ErrorCode::kIo, "open: run.toml.tmp", {}, failure));
  };
  for (const int failure : {EROFS, EACCES, EPERM}) {
    BOOST_TEST(hint(failure) == "a run that goes on is written to: make " + run +
                                    " writable, or go on with a copy: cp -r " + run +
                                    " OTHER, then penstock train -o OTHER --resume");
  }
  BOOST_TEST(hint(EIO) == "");
}

// The hint is followed.
BOOST_AUTO_TEST_CASE(a_damaged_or_missing_model_is_brought_back_from_a_checkpoint) {
  const tests::LeftBehind before(out);
  for (const char* name : {"weights.safetensors", "model.json"}) {
    BOOST_TEST_CONTEXT(name) {
      damage(name);
      BOOST_TEST(hint_of_model() == go_on);
      resume(net());
      check_equal(tests::LeftBehind(out), before);
      fs::remove(out / name);
      BOOST_TEST(hint_of_model() == go_on);
      resume(net());
      check_equal(tests::LeftBehind(out), before);
    }
  }
}

BOOST_AUTO_TEST_CASE(without_a_whole_checkpoint_a_damaged_model_is_trained_again) {
  damage("weights.safetensors");
  damage_checkpoints();
  BOOST_TEST(hint_of_model() == "train it again: " + once_more);
}

BOOST_AUTO_TEST_CASE(a_damaged_run_to_begin_from_is_refused_with_its_way_back) {
  damage("weights.safetensors");
  RunConfig config = net_at(folder.path() / "next");
  config.init_from = out;
  BOOST_TEST(refusal_of(config, RunStart::kNew).hint() == go_on);
  config.init_from = out / "weights.safetensors";
  BOOST_TEST(refusal_of(config, RunStart::kNew).hint() == go_on);
  damage_checkpoints();
  BOOST_TEST(refusal_of(config, RunStart::kNew).hint() == "train it again: " + once_more);
}

BOOST_AUTO_TEST_CASE(whole_weights_without_a_checkpoint_can_begin_another_run) {
  damage_checkpoints();
  const std::string from_weights =
      "its weights are whole and can begin another run: " + once_more + " --init-from " + run;
  BOOST_TEST(refusal_of(net(), RunStart::kResume).hint() == from_weights);
  fs::remove_all(out / kCheckpointsName);
  BOOST_TEST(refusal_of(net(), RunStart::kResume).hint() == from_weights);
  damage("weights.safetensors");
  BOOST_TEST(refusal_of(net(), RunStart::kResume).hint() == "start the run anew: " + once_more);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
