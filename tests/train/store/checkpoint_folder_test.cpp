#include "train/store/checkpoint_folder.h"

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/train/store/small_checkpoint.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using tests::contains;
using tests::small_checkpoint;

struct Fixture {
  tests::TemporaryFolder run{tests::quick_disk()};
  fs::path folder = run.path() / "checkpoints";

  CheckpointEntry write(std::uint64_t step) {
    return write_checkpoint(folder, small_checkpoint(step));
  }
  std::vector<std::uint64_t> steps() const {
    std::vector<std::uint64_t> found;
    for (const CheckpointEntry& entry : list_checkpoints(folder)) {
      found.push_back(entry.numbers.step);
    }
    return found;
  }
  static void damage(const CheckpointEntry& entry, const char* name = "model.safetensors") {
    std::string bytes = read_text_file(entry.path / name);
    bytes.back() ^= 1;
    std::ofstream(entry.path / name, std::ios::binary) << bytes;
  }
};

using Steps = std::vector<std::uint64_t>;

BOOST_FIXTURE_TEST_SUITE(checkpoint_folder, Fixture)

BOOST_AUTO_TEST_CASE(a_run_without_checkpoints_has_none) {
  BOOST_TEST(list_checkpoints(folder).empty());
  BOOST_TEST(next_checkpoint_serial(folder) == 1u);
  BOOST_CHECK_EXCEPTION(find_resumable(folder), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kNotFound &&
           std::string(error.what()) ==
               "checkpoint: " + folder.native() + ": expected a checkpoint, found none" &&
           error.hint() == "start the run anew";
  });
}

// A run that went back to an earlier step stores smaller numbers later.
BOOST_AUTO_TEST_CASE(the_newest_is_the_one_written_last) {
  for (const std::uint64_t step : {300, 100, 200}) write(step);
  BOOST_TEST(steps() == (Steps{200, 100, 300}), boost::test_tools::per_element());
  BOOST_TEST(find_resumable(folder).checkpoint.state().step == 200u);
}

BOOST_AUTO_TEST_CASE(a_state_is_found_without_its_tensors_and_past_damaged_ones) {
  BOOST_TEST(!find_newest_state(folder).has_value());
  write(100);
  const CheckpointEntry second = write(200);
  fs::remove(second.path / "model.safetensors");
  BOOST_REQUIRE(find_newest_state(folder).has_value());
  BOOST_TEST(find_newest_state(folder)->state.step == 200u);
  BOOST_TEST(find_newest_state(folder)->entry.path == second.path);
  damage(second, "state.json");
  BOOST_TEST(find_newest_state(folder)->state.step == 100u);
}

BOOST_AUTO_TEST_CASE(only_folders_with_a_name_of_ours_are_checkpoints) {
  write(100);
  fs::create_directory(folder / "000002-step-000000200.tmp");
  fs::create_directory(folder / "000003-step-300");
  publish_file(folder / "000004-step-000000400", "x");
  fs::create_directory_symlink(folder / "000001-step-000000100", folder / "000005-step-000000500");
  BOOST_TEST(steps() == (Steps{100}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_damaged_checkpoint_is_passed_over_and_named) {
  write(100);
  damage(write(200), "optimizer.safetensors");
  const CheckpointEntry last = write(300);
  fs::remove(last.path / "state.json");
  const ResumableCheckpoint found = find_resumable(folder);
  BOOST_TEST(tests::difference_from_small(found.checkpoint) == "");
  BOOST_TEST(found.checkpoint.state().step == 100u);
  BOOST_REQUIRE(found.damaged.size() == 2u);
  BOOST_TEST(found.damaged[0].name == "000003-step-000000300");
  BOOST_TEST(found.damaged[0].what ==
             "open: " + (last.path / "state.json").native() + ": No such file or directory");
  BOOST_TEST(found.damaged[1].name == "000002-step-000000200");
  BOOST_TEST(contains(found.damaged[1].what,
                      "000002-step-000000200/optimizer.safetensors: checksum: expected "));
}

BOOST_AUTO_TEST_CASE(when_none_is_whole_all_are_named) {
  damage(write(100));
  damage(write(200));
  BOOST_CHECK_EXCEPTION(find_resumable(folder), Error, [](const Error& error) {
    const std::string what = error.what();
    return error.code() == ErrorCode::kCorruptData &&
           contains(what, ": expected a whole checkpoint, found 2 damaged: ") &&
           contains(what, "000001-step-000000100/model.safetensors") &&
           contains(what, "000002-step-000000200/model.safetensors");
  });
}

// To fall back would lose what a newer program stored.
BOOST_AUTO_TEST_CASE(a_newer_version_is_refused_and_not_passed_over) {
  write(100);
  const fs::path state = write(200).path / "state.json";
  std::string text = read_text_file(state);
  text.resize(text.rfind(",\n  \"xxh3\""));
  text.replace(text.find("\"version\": 1"), 12, "\"version\": 2");
  text += ",\n  \"xxh3\": \"" + hex(xxh3_128(std::as_bytes(std::span(text)))) + "\"\n}\n";
  std::ofstream(state, std::ios::binary) << text;
  BOOST_CHECK_EXCEPTION(find_resumable(folder), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kUnsupported && error.hint() == "use a newer penstock" &&
           std::string(error.what()) ==
               "checkpoint: " + state.native() + ": expected version 1 or below, found 2";
  });
}

BOOST_AUTO_TEST_CASE(a_checkpoint_under_the_name_of_another_step_is_damaged) {
  write(100);
  const CheckpointEntry last = write(200);
  fs::rename(last.path, folder / "000003-step-000000300");
  const ResumableCheckpoint found = find_resumable(folder);
  BOOST_TEST(found.checkpoint.state().step == 100u);
  BOOST_TEST(contains(found.damaged.at(0).what, ": expected step 300, found 200"));
}

BOOST_AUTO_TEST_CASE(the_newest_stay_and_the_others_go) {
  for (const std::uint64_t step : {100, 200, 300}) write(step);
  remove_superseded(folder, write(400), {.num_newest = 2});
  BOOST_TEST(steps() == (Steps{400, 300}), boost::test_tools::per_element());
  BOOST_TEST(tests::count_entries(folder) == 2u);
}

BOOST_AUTO_TEST_CASE(the_best_stays_however_old_it_is) {
  const CheckpointEntry best = write(100);
  for (const std::uint64_t step : {200, 300}) write(step);
  remove_superseded(folder, write(400), {.num_newest = 1, .best = best.name()});
  BOOST_TEST(steps() == (Steps{400, 100}), boost::test_tools::per_element());
  remove_superseded(folder, write(500), {.num_newest = 2, .best = "000005-step-000000500"});
  BOOST_TEST(steps() == (Steps{500, 400}), boost::test_tools::per_element());
}

// Else two damaged ones would count as the newest two, and the last whole one would go.
BOOST_AUTO_TEST_CASE(damaged_ones_do_not_count_and_go) {
  const CheckpointEntry whole = write(100);
  damage(write(200));
  damage(write(300));
  KeepPolicy policy{.num_newest = 2};
  for (const DamagedCheckpoint& one : find_resumable(folder).damaged) {
    policy.damaged.push_back(one.name);
  }
  remove_superseded(folder, write(150), policy);
  BOOST_TEST(steps() == (Steps{150, 100}), boost::test_tools::per_element());
  BOOST_TEST(find_resumable(folder).damaged.empty());
}

// What a run came from goes no sooner than a newer one is there.
BOOST_AUTO_TEST_CASE(nothing_goes_unless_the_newest_was_just_published) {
  const CheckpointEntry first = write(100);
  for (const std::uint64_t step : {200, 300}) write(step);
  BOOST_CHECK_EXCEPTION(remove_superseded(folder, first, {.num_newest = 1}), Error,
                        [](const Error& e) { return e.code() == ErrorCode::kInternal; });
  BOOST_TEST(steps() == (Steps{300, 200, 100}), boost::test_tools::per_element());
}

// Made by hand: killed after the rename and after the first file.
BOOST_AUTO_TEST_CASE(one_half_removed_is_no_checkpoint) {
  const CheckpointEntry old = write(100);
  fs::rename(old.path, unpublished_checkpoint(old.path));
  fs::remove(unpublished_checkpoint(old.path) / "state.json");
  BOOST_TEST(list_checkpoints(folder).empty());
  write(200);
  BOOST_TEST(tests::count_entries(folder) == 1u);
}

BOOST_AUTO_TEST_CASE(leftovers_go_and_nothing_else) {
  remove_checkpoint_leftovers(folder);  // none there
  write(100);
  fs::create_directories(folder / "000002-step-000000200.tmp/inside");
  publish_file(folder / "000003-step-000000300.tmp", "a file is not ours");
  remove_checkpoint_leftovers(folder);
  BOOST_TEST(steps() == (Steps{100}), boost::test_tools::per_element());
  BOOST_TEST(tests::count_entries(folder) == 2u);
}

BOOST_AUTO_TEST_CASE(a_policy_out_of_range_is_refused) {
  for (const std::uint32_t num : {0u, 1001u}) {
    BOOST_CHECK_EXCEPTION(KeepPolicy{.num_newest = num}.validate(), Error, [&](const Error& error) {
      return std::string(error.what()) ==
             "checkpoint: num_newest: expected 1 to 1000, found " + std::to_string(num);
    });
  }
}

BOOST_AUTO_TEST_CASE(serials_end_with_a_word) {
  fs::create_directories(folder / "999999999-step-000000001");
  BOOST_CHECK_EXCEPTION(next_checkpoint_serial(folder), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
