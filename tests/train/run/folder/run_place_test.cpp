#include "train/run/folder/run_place.h"

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"
#include "train/run/trial/run_rehearsal.h"
#include "train/store/checkpoint_folder.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

using penstock::tests::contains;
using penstock::tests::count_entries;

struct Fixture : tests::TinyRun {
  Error refusal_of_rehearsal(const RunConfig& config) {
    try {
      rehearse_run(config, RunStart::kNew, {.num_warm_up = 1, .min_timed = 1, .enough_s = 0}, {},
                   stop.get_token());
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "no failure"};
  }
  static std::uint64_t bytes_of(const fs::path& path) {
    std::uint64_t bytes = 0;
    for (const auto& file : fs::recursive_directory_iterator(path)) {
      if (file.is_regular_file()) bytes += file.file_size();
    }
    return bytes;
  }
};

BOOST_FIXTURE_TEST_SUITE(run_place, Fixture)

// What the system says of mkdir() there, for root too.
BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_made_is_refused_by_a_run_and_its_rehearsal_alike) {
  std::ofstream(folder.path() / "afile") << "x";
  for (const fs::path& place :
       {fs::path("/proc/penstock/run"), fs::path("/proc/run"), folder.path() / "afile" / "run"}) {
    BOOST_TEST_CONTEXT(place) {
      RunConfig config = this->config();
      config.out = place;
      const Error refused = refusal_of_rehearsal(config);
      BOOST_TEST(contains(refused.what(), "run: " + place.native() + ": expected "),
                 refused.what());
      BOOST_TEST(refused.hint() == "choose another folder with -o");
      const Error failure = failure_of(config);
      BOOST_TEST(std::string(failure.what()) == refused.what());
      BOOST_TEST(failure.hint() == refused.hint());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_look_at_a_place_leaves_nothing_and_folders_above_need_not_be_there) {
  check_run_place(folder.path() / "a" / "b" / "run");
  check_run_place("run-in-the-folder-that-it-is-started-from");
  BOOST_TEST(count_entries(folder.path()) == 0u);
}

BOOST_AUTO_TEST_CASE(a_run_inside_of_a_dataset_is_refused) {
  const fs::path dataset = fs::canonical(tests::pets());
  fs::create_directory_symlink(dataset, folder.path() / "link");
  for (const fs::path& place :
       {dataset / "run", dataset / "a" / "b" / "run", folder.path() / "link" / "run"}) {
    BOOST_TEST_CONTEXT(place) {
      RunConfig config = this->config();
      config.out = place;
      const Error error = failure_of(config);
      BOOST_TEST(std::string(error.what()) == "run: " + place.native() +
                                                  ": expected a place outside of the dataset " +
                                                  dataset.native() + ", found one inside");
      BOOST_TEST(error.hint() == "choose another folder with -o");
      BOOST_TEST(!fs::exists(place));
    }
  }
  // Of another program.
  publish_file(folder.path() / "dataset.json", "{\"name\": \"mine\"}");
  check_run_place(out);
}

// An exabyte is more than any disk, and nothing less.
BOOST_AUTO_TEST_CASE(a_disk_without_room_for_the_checkpoints_is_refused) {
  check_run_room(out, 1);
  BOOST_CHECK_EXCEPTION(
      check_run_room(out, std::uint64_t{1} << 60), Error, [&](const Error& error) {
        return error.code() == ErrorCode::kIo &&
               contains(error.what(), "run: " + out.native() +
                                          ": expected room for weights and checkpoints of ") &&
               contains(error.hint(), "--checkpoint.keep");
      });
}

// The files themselves say what they take; state.json and headers come on top, some 20 KB each.
BOOST_AUTO_TEST_CASE(the_room_that_is_asked_for_is_what_the_files_come_to) {
  RunConfig config = this->config();
  config.model_layers =
      "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nunits = 300\n"
      "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
  config.optimizer = OptimizerConfig::of(OptimizerKind::kAdam);
  config.optimizer.ema_decay = 0.9;
  config.num_checkpoints_kept = 3;
  const std::uint64_t planned_bytes = planned_run_bytes(RunSetup(config));
  train_run(config, watcher, {});
  const auto checkpoints = list_checkpoints(out / kCheckpointsName);
  BOOST_REQUIRE(checkpoints.size() >= 3u);
  const std::uint64_t one_bytes = bytes_of(checkpoints.front().path);
  const std::uint64_t weights_bytes = fs::file_size(out / kWeightsName);
  // Three epochs and the end store four at most, of which one is being written.
  const std::uint64_t files_bytes = 4 * one_bytes + 2 * weights_bytes;
  BOOST_TEST(planned_bytes <= files_bytes);
  BOOST_TEST(planned_bytes + 4 * 20'000 >= files_bytes);
  BOOST_TEST(planned_bytes >= bytes_of(out) - 4 * 20'000);
}

BOOST_AUTO_TEST_CASE(a_run_whose_checkpoints_no_disk_holds_is_refused_beforehand) {
  RunConfig config = this->config();
  config.model_layers =
      "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nunits = 8000\n"
      "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
  config.memory_bytes = 512u << 20;
  config.optimizer = OptimizerConfig::of(OptimizerKind::kAdam);
  config.num_checkpoints_kept = 1000;
  config.epochs = 2000;
  const std::uint64_t planned_bytes =
      planned_run_bytes(RunSetup(config, nullptr, SetupExtent::kPlanned));
  // 768 * 8000 weights, three numbers of 4 bytes for each, 1002 times.
  BOOST_TEST(planned_bytes > std::uint64_t{73'000'000'000});
  if (fs::space(folder.path()).available > planned_bytes) return;
  BOOST_TEST(contains(refusal_of_rehearsal(config).what(), "expected room for weights"));
  BOOST_TEST(contains(failure_of(config).what(), "expected room for weights"));
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
