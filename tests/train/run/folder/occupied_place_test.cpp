#include "train/run/folder/occupied_place.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/train/run/tiny_run.h"
#include "train/store/checkpoint_folder.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

struct Fixture : tests::TinyRun {
  /// A run into `place` is refused, with `found` and a hint that removes nothing, and leaves it alone.
  void check_refused(const fs::path& place, const std::string& found, const std::string& hint) {
    BOOST_TEST_CONTEXT(place) {
      RunConfig config = this->config();
      config.out = place;
      const Error error = failure_of(config);
      BOOST_TEST((error.code() == ErrorCode::kAlreadyExists));
      BOOST_TEST(std::string(error.what()) ==
                 "run: " + place.native() + ": expected no such folder, found " + found);
      BOOST_TEST(error.hint() == hint);
      BOOST_TEST(fs::exists(fs::symlink_status(place)));
    }
  }
};

constexpr const char* kElsewhere = "choose another folder with -o";

BOOST_FIXTURE_TEST_SUITE(occupied_place, Fixture)

BOOST_AUTO_TEST_CASE(what_is_no_run_is_named_and_no_hint_removes_it) {
  const fs::path pictures = folder.path() / "pictures";
  fs::create_directory(pictures);
  publish_file(pictures / "cat.jpg", "x");
  check_refused(pictures, "a folder of other files", kElsewhere);
  check_refused(pictures / "cat.jpg", "a file", kElsewhere);
  check_refused("/dev/null", "a device", kElsewhere);
  check_refused(tests::pets(), "a dataset", kElsewhere);
  fs::create_symlink(folder.path() / "gone", folder.path() / "link");
  check_refused(folder.path() / "link", "a link to nothing", kElsewhere);
}

BOOST_AUTO_TEST_CASE(an_empty_folder_is_removed_by_what_removes_nothing_else) {
  const fs::path empty = folder.path() / "empty";
  fs::create_directory(empty);
  check_refused(empty, "an empty folder",
                std::string(kElsewhere) + ", or remove this one: rmdir " + empty.native());
}

BOOST_AUTO_TEST_CASE(a_run_that_cannot_go_on_keeps_its_weights) {
  run();
  fs::remove_all(out / kCheckpointsName);
  check_refused(out, "the weights of a run that has no checkpoint to go on from",
                std::string(kElsewhere) + "; with --init-from " + out.native() +
                    " it begins with these weights");
  publish_file(out / kWeightsName, "x");
  check_refused(out, "a damaged run", kElsewhere);
}

BOOST_AUTO_TEST_CASE(a_dataset_json_of_another_program_is_no_dataset) {
  BOOST_TEST(is_dataset(tests::pets()));
  BOOST_TEST(!is_dataset(folder.path()));
  publish_file(folder.path() / "dataset.json", "{\"name\": \"mine\"}");
  BOOST_TEST(!is_dataset(folder.path()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
