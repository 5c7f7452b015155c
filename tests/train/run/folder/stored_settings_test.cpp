#include "train/run/folder/stored_settings.h"

#include <boost/test/unit_test.hpp>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/train/run/resumed_run.h"
#include "train/run/folder/run_folder.h"
#include "train/run/settings/run_file.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

/// A run that was stopped, and the run file that it wrote.
struct Fixture : tests::ResumedRun {
  fs::path file = out / kRunFileName;
  std::string written;

  Fixture() {
    stop_after(net(), 6);
    written = read_text_file(file);
  }

  std::string note_of_equal_settings() const {
    const StoredSettings settings = read_stored_settings(out);
    BOOST_TEST(format_run_file(settings.config) == written);
    return settings.note;
  }
  std::string from_newest() const {
    return ": the settings are those in checkpoint " + checkpoints().front().filename().native();
  }
};

BOOST_FIXTURE_TEST_SUITE(stored_settings, Fixture)

BOOST_AUTO_TEST_CASE(a_whole_run_file_is_taken_whatever_checkpoints_say) {
  BOOST_TEST(note_of_equal_settings() == "");
  RunConfig changed = read_run_file(file);
  changed.epochs = 77;
  publish_file(file, format_run_file(changed));
  BOOST_TEST(read_stored_settings(out).config.epochs == 77u);
  BOOST_TEST(read_stored_settings(out).note == "");
}

BOOST_AUTO_TEST_CASE(a_missing_run_file_is_found_in_the_newest_checkpoint) {
  fs::remove(file);
  BOOST_TEST(note_of_equal_settings() == "run.toml is missing" + from_newest());
  BOOST_TEST(!fs::exists(file));
}

// Cut at the end of a line it is a run file, of other settings.
BOOST_AUTO_TEST_CASE(every_cut_of_the_run_file_comes_back_from_the_checkpoint) {
  for (std::size_t size = 0; size < written.size(); ++size) {
    BOOST_TEST_CONTEXT("cut to " << size) {
      publish_file(file, written.substr(0, size));
      BOOST_TEST(note_of_equal_settings() == "run.toml is cut short" + from_newest());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_run_file_that_is_none_is_told_with_its_fault) {
  publish_file(file, std::string(written.size(), '\0'));
  const std::string note = note_of_equal_settings();
  BOOST_TEST(note.starts_with("run.toml cannot be read (run: " + file.native()), note);
  BOOST_TEST(note.ends_with(")" + from_newest()), note);
  fs::remove(file);
  fs::create_directory(file);
  BOOST_TEST(note_of_equal_settings().ends_with(")" + from_newest()));
}

BOOST_AUTO_TEST_CASE(a_damaged_state_leaves_it_to_the_one_before) {
  RunConfig config = net();
  config.checkpoint.every_steps = 1;
  fs::remove_all(out);
  stop_after(config, 6);
  const std::vector<fs::path> there = checkpoints();
  BOOST_REQUIRE(there.size() >= 2u);
  const fs::path state = there[0] / "state.json";
  fixtures::flip_byte(state, fs::file_size(state) / 2);
  fs::remove(file);
  BOOST_TEST(read_stored_settings(out).note ==
             "run.toml is missing: the settings are those in checkpoint " +
                 there[1].filename().native());
}

BOOST_AUTO_TEST_CASE(settings_that_are_nowhere_are_refused_with_what_is_left_to_do) {
  train(net(), RunStart::kResume);
  fs::remove(file);
  fs::remove_all(out / kCheckpointsName);
  BOOST_CHECK_EXCEPTION(read_stored_settings(out), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kNotFound &&
           std::string(error.what()) ==
               "run: " + out.native() + ": expected a folder with run.toml, found none" &&
           error.hint() ==
               "its weights are whole and can begin another run: penstock train "
               "DATASET -o OTHER --init-from " +
                   out.native();
  });
  const fs::path nowhere = folder.path() / "nowhere";
  BOOST_CHECK_EXCEPTION(read_stored_settings(nowhere), Error, [&](const Error& error) {
    return error.hint() == "penstock train DATASET -o " + nowhere.native();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
