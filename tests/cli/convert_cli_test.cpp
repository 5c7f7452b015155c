// penstock convert as it is typed.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <string_view>

#include "streamer/core/file.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

// A folder with photos/ in it, and the paths as arguments.
struct Place {
  TemporaryFolder folder;
  std::string source = (folder.path() / "photos").string();
  std::string dataset = (folder.path() / "photos.ds").string();

  // Nothing but photos is there.
  bool is_clean() const { return count_entries(folder.path()) == (fs::exists(source) ? 1u : 0u); }
};

// Many pictures, on the disk one, that together take far longer to convert than a signal takes.
void write_many_large_pictures(const fs::path& source) {
  constexpr std::uint32_t kSidePx = 1000;
  write_picture(source / "cat/0.jpg", {.width_px = kSidePx, .height_px = kSidePx});
  for (int i = 1; i < 2000; ++i) {
    fs::create_hard_link(source / "cat/0.jpg", source / "cat" / (std::to_string(i) + ".jpg"));
  }
}

// Waits far longer than it takes, so that a conversion that never begins fails instead of hanging.
bool comes_to_be(const fs::path& path) {
  for (int i = 0; i < 60'000 && !fs::exists(path); ++i) ::usleep(500);
  return fs::exists(path);
}

constexpr const char* kShape =
    "expected a folder per class (SOURCE/cat/1.jpg), or train/, validation/ and test/ folders of "
    "them";

BOOST_AUTO_TEST_SUITE(convert_cli)

BOOST_AUTO_TEST_CASE(a_folder_of_pictures_becomes_a_dataset) {
  const Place place;
  write_cats_and_dogs(place.source, 20);
  write_file(fs::path(place.source) / "cat/broken.jpg", "not a picture");
  const CommandResult result = run_penstock({"convert", place.source, place.dataset});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err, place.source + ": class folders, 2 classes, 41 files\n"));
  BOOST_TEST(contains(result.out, place.dataset + ": 40 samples in 2 classes"));
  BOOST_TEST(contains(result.out, "1 (1 not_a_picture); see " + place.dataset + "/quarantine.csv"));
  BOOST_TEST(fs::exists(place.dataset + "/dataset.json"));
  BOOST_TEST(!fs::exists(place.dataset + ".partial"));
}

BOOST_AUTO_TEST_CASE(quiet_says_nothing_and_json_says_it_in_json) {
  const Place place;
  write_cats_and_dogs(place.source, 2);
  const CommandResult quiet = run_penstock({"convert", place.source, place.dataset, "--quiet"});
  BOOST_TEST(quiet.exit_code == 0);
  BOOST_TEST(quiet.out == "");
  BOOST_TEST(quiet.err == "");
  const CommandResult json = run_penstock(
      {"convert", place.source, place.dataset, "--force", "--quiet", "--json", "--jobs", "2"});
  BOOST_TEST(json.exit_code == 0);
  BOOST_TEST(contains(json.out, "\"num_samples\": 4"));
  BOOST_TEST(json.err == "");
}

BOOST_AUTO_TEST_CASE(a_missing_source_is_named) {
  const Place place;
  check_refused(run_penstock({"convert", place.source, place.dataset}), 1,
                "source: " + place.source + ": expected a folder of pictures, found nothing",
                "check the path: penstock convert SOURCE DATASET");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(a_source_that_is_a_file_is_refused) {
  const Place place;
  write_file(place.source, "x");
  check_refused(run_penstock({"convert", place.source, place.dataset}), 1,
                "source: " + place.source + ": expected a folder of pictures, found a file",
                "name the folder that holds the class folders");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(an_empty_source_is_refused) {
  const Place place;
  fs::create_directory(place.source);
  check_refused(run_penstock({"convert", place.source, place.dataset}), 1,
                "source: " + place.source + ": " + kShape + ", found an empty folder",
                "name the folder that holds the class folders");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(a_source_without_class_folders_is_refused) {
  const Place place;
  write_picture(fs::path(place.source) / "1.jpg");
  check_refused(run_penstock({"convert", place.source, place.dataset}), 1,
                "source: " + place.source + ": " + kShape + ", found 1 file and no folder",
                "put the pictures of each class into a folder named after the class");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(an_existing_dataset_is_replaced_only_by_force) {
  const Place place;
  write_cats_and_dogs(place.source, 2);
  BOOST_REQUIRE(run_penstock({"convert", place.source, place.dataset}).exit_code == 0);
  const std::string before = read_text_file(place.dataset + "/dataset.json");
  check_refused(run_penstock({"convert", place.source, place.dataset, "--seed", "5"}), 1,
                "dataset: " + place.dataset + ": expected nothing there yet, found a dataset",
                "--force replaces it once the new one is complete; or name another DATASET");
  BOOST_TEST(read_text_file(place.dataset + "/dataset.json") == before);
  BOOST_TEST(
      run_penstock({"convert", place.source, place.dataset, "--seed", "5", "--force"}).exit_code ==
      0);
  BOOST_TEST(read_text_file(place.dataset + "/dataset.json") != before);
}

BOOST_AUTO_TEST_CASE(force_does_not_replace_what_is_no_dataset) {
  const Place place;
  write_cats_and_dogs(place.source, 2);
  write_file(place.dataset + "/thesis.tex", "x");
  check_refused(run_penstock({"convert", place.source, place.dataset, "--force"}), 1,
                "dataset: " + place.dataset +
                    ": expected nothing there yet, found a folder that is no dataset",
                "name another DATASET; what is no dataset is never replaced");
  BOOST_TEST(fs::exists(place.dataset + "/thesis.tex"));
}

BOOST_AUTO_TEST_CASE(class_lists_that_differ_stop_it) {
  const Place place;
  for (const char* path : {"train/cat/1.jpg", "train/dog/1.jpg", "test/cat/1.jpg"}) {
    write_picture(fs::path(place.source) / path);
  }
  check_refused(
      run_penstock({"convert", place.source, place.dataset}), 1,
      "classes: " + place.source + "/test: expected the classes of 'train', found them without dog",
      "make the class folders equal in every split; an empty folder keeps a class");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(one_class_only_is_a_warning) {
  const Place place;
  for (const char* path : {"cat/1.jpg", "cat/2.jpg"}) write_picture(fs::path(place.source) / path);
  const CommandResult result =
      run_penstock({"convert", place.source, place.dataset, "--validation-split", "0"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(
      contains(result.err, "warning: there is only one class (cat): nothing to tell apart\n"));
}

BOOST_AUTO_TEST_CASE(a_folder_in_which_nothing_decodes_is_damaged_data) {
  const Place place;
  write_file(fs::path(place.source) / "cat/1.jpg", "x");
  write_file(fs::path(place.source) / "dog/1.jpg", "");
  const CommandResult result = run_penstock({"convert", place.source, place.dataset, "--quiet"});
  check_refused(result, 3,
                "source: " + place.source +
                    ": expected at least one picture that decodes, found 1 empty_file, 1 "
                    "not_a_picture",
                "look at one of the files: are they pictures?");
  BOOST_TEST(place.is_clean());
}

// libpng reports to stderr by itself when a file ends too early.
BOOST_AUTO_TEST_CASE(codec_libraries_are_not_heard) {
  const Place place;
  write_cats_and_dogs(place.source, 2);
  // Signature, and an IHDR chunk of 8 x 8 RGB without its end.
  const std::string_view png("\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0",
                             29);
  write_file(fs::path(place.source) / "cat/cut.png", png);
  const CommandResult result = run_penstock({"convert", place.source, place.dataset, "--quiet"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
  BOOST_TEST(contains(read_text_file(place.dataset + "/quarantine.csv"), "cat/cut.png,damaged,29"));
}

BOOST_AUTO_TEST_CASE(a_fifo_in_the_source_does_not_stop_it) {
  const Place place;
  write_cats_and_dogs(place.source, 2);
  BOOST_REQUIRE(::mkfifo((place.source + "/cat/pipe.jpg").c_str(), 0600) == 0);
  const CommandResult result = run_penstock({"convert", place.source, place.dataset});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.out, "left out      1 special files"));
}

BOOST_AUTO_TEST_CASE(a_signal_stops_it_and_nothing_is_left) {
  const Place place;
  write_many_large_pictures(place.source);
  ::signal(SIGHUP, SIG_DFL);  // the program inherits it, were it ignored here
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    RunningCommand command({"convert", place.source, place.dataset, "--jobs", "1", "--quiet"});
    BOOST_REQUIRE(comes_to_be(place.dataset + ".partial"));
    command.send(number);
    check_refused(command.wait(), 4,
                  "stopped: " + place.dataset + ": by a signal; nothing of it was left behind",
                  "the same command starts it again");
    BOOST_TEST(place.is_clean());
  }
}

BOOST_AUTO_TEST_CASE(numbers_that_make_no_sense_are_usage_errors) {
  const Place place;
  check_refused(run_penstock({"convert", "a", "b", "--shard-size", "12Q"}), 2,
                "--shard-size: expected a size such as 256M or 2G, found '12Q'",
                "--shard-size 256M");
  check_refused(run_penstock({"convert", "a", "b", "--validation-split", "10"}), 2,
                "--validation-split: expected a fraction from 0 to below 1, found '10'",
                "--validation-split 0.1");
  check_refused(run_penstock({"convert", "a", "b", "--jobs", "0"}), 2,
                "--jobs: expected a whole number from 1 to 1024, found '0'", "--jobs 1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
