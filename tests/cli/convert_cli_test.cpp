// penstock convert as it is typed.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <string_view>

#include "streamer/core/file.h"
#include "tests/cli/photos_place.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

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

BOOST_AUTO_TEST_SUITE(convert_cli)

BOOST_AUTO_TEST_CASE(a_folder_of_pictures_becomes_a_dataset) {
  const PhotosPlace place;
  write_cats_and_dogs(place.source, 20);
  write_file(fs::path(place.source) / "cat/broken.jpg", "not a picture");
  const CommandResult result = run_penstock({"convert", place.source, place.dataset});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err, place.source + ": class folders, 2 classes, 41 files\n"));
  BOOST_TEST(contains(result.err, "\nmemory: at most "));
  BOOST_TEST(contains(result.out, place.dataset + ": 40 samples in 2 classes"));
  BOOST_TEST(contains(result.out, "1 (1 not_a_picture); see " + place.dataset + "/quarantine.csv"));
  BOOST_TEST(fs::exists(place.dataset + "/dataset.json"));
  BOOST_TEST(!fs::exists(place.dataset + ".partial"));
}

BOOST_AUTO_TEST_CASE(quiet_says_nothing_and_json_says_it_in_json) {
  const PhotosPlace place;
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

BOOST_AUTO_TEST_CASE(an_empty_name_of_the_dataset_is_told_as_one) {
  const PhotosPlace place;
  write_picture(fs::path(place.source) / "cat/1.jpg");
  check_refused(run_penstock({"convert", place.source, ""}), 1,
                "dataset: expected the name of a folder to be made, found an empty name",
                "penstock convert SOURCE DATASET; is a variable of the shell not set?");
}

BOOST_AUTO_TEST_CASE(a_dry_run_writes_nothing) {
  const PhotosPlace place;
  write_cats_and_dogs(place.source, 5);
  const CommandResult text = run_penstock({"convert", place.source, place.dataset, "--dry-run"});
  BOOST_TEST(text.exit_code == 0);
  BOOST_TEST(contains(text.out, place.dataset + ": a dry run, nothing was written\n"));
  BOOST_TEST(contains(text.out, "headers       all 10: no reason found"));
  const CommandResult json =
      run_penstock({"convert", place.source, place.dataset, "--dry-run", "--json", "--quiet"});
  BOOST_TEST(contains(json.out, "\"num_files\": 10"));
  BOOST_TEST(json.err == "");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(one_path_alone_is_a_usage_error) {
  check_refused(run_penstock({"convert", "a"}), 2,
                "wrong arguments: penstock convert: SOURCE... DATASET: At least 2 required but "
                "received 1",
                "penstock convert --help");
}

BOOST_AUTO_TEST_CASE(an_existing_dataset_is_replaced_only_by_force) {
  const PhotosPlace place;
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
  const PhotosPlace place;
  write_cats_and_dogs(place.source, 2);
  write_file(place.dataset + "/thesis.tex", "x");
  check_refused(run_penstock({"convert", place.source, place.dataset, "--force"}), 1,
                "dataset: " + place.dataset +
                    ": expected nothing there yet, found a folder that is no dataset",
                "name another DATASET; what is no dataset is never replaced");
  BOOST_TEST(fs::exists(place.dataset + "/thesis.tex"));
}

BOOST_AUTO_TEST_CASE(a_folder_in_which_nothing_decodes_is_damaged_data) {
  const PhotosPlace place;
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
  const PhotosPlace place;
  write_cats_and_dogs(place.source, 2);
  // Signature, and an IHDR chunk of 8 x 8 RGB without its end.
  const std::string_view png("\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0",
                             29);
  write_file(fs::path(place.source) / "cat/cut.png", png);
  const CommandResult result = run_penstock({"convert", place.source, place.dataset, "--quiet"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
  BOOST_TEST(
      contains(read_text_file(place.dataset + "/quarantine.csv"), "cat/cut.png,truncated,29"));
}

BOOST_AUTO_TEST_CASE(reasons_are_listed_without_a_source) {
  const CommandResult text = run_penstock({"convert", "--list-reasons"});
  BOOST_TEST(text.exit_code == 0);
  BOOST_TEST(text.err == "");
  BOOST_TEST(contains(text.out, "\ntruncated               quarantine  fix quarantine stop"));
  const CommandResult json =
      run_penstock({"convert", "--list-reasons", "--json", "--on", "truncated=fix"});
  BOOST_TEST(json.exit_code == 0);
  BOOST_TEST(contains(json.out, "\"default\": \"quarantine\",\n    \"policy\": \"fix\","));
}

BOOST_AUTO_TEST_CASE(policies_are_changed_reason_by_reason) {
  const PhotosPlace place;
  write_cats_and_dogs(place.source, 2);
  const std::vector<std::byte> jpeg = picture_jpeg({.width_px = 160, .height_px = 128});
  write_file(fs::path(place.source) / "cat/cut.jpg",
             std::span<const std::byte>(jpeg).first(jpeg.size() / 2));
  write_picture(fs::path(place.source) / "dog/gray.jpg", {.channels = 1});
  const CommandResult result = run_penstock({"convert", place.source, place.dataset, "--on",
                                             "truncated=fix", "--on", "grayscale=quarantine"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.out, "fixed         1 truncated"));
  BOOST_TEST(contains(result.out, "1; see " + place.dataset + "/fixed.csv"));
  BOOST_TEST(contains(result.out, "quarantined   1 (1 grayscale); see"));
  BOOST_TEST(contains(read_text_file(place.dataset + "/dataset.json"),
                      "truncated=fix grayscale=quarantine"));
  const CommandResult stopped = run_penstock(
      {"convert", place.source, place.dataset + "2", "--on", "truncated=stop", "--quiet"});
  check_refused(stopped, 3,
                "source: cat/cut.jpg: expected nothing that is truncated (--on truncated=stop), "
                "found it: Premature end of JPEG file",
                "mend or move the file, or choose another policy: penstock convert --list-reasons");
}

BOOST_AUTO_TEST_CASE(unknown_reasons_and_policies_are_usage_errors) {
  check_refused(run_penstock({"convert", "a", "b", "--on", "trunkated=fix"}), 2,
                "--on: expected the name of a reason, found 'trunkated'",
                "did you mean 'truncated'?");
  check_refused(run_penstock({"convert", "a", "b", "--on", "empty_file=keep"}), 2,
                "--on empty_file: expected quarantine or stop, found 'keep'",
                "known names: quarantine stop");
  check_refused(run_penstock({"convert", "a", "b", "--background", "whiteish"}), 2,
                "--background: expected white, black, gray or a colour such as '#ff8000', found "
                "'whiteish'",
                "--background white");
}

BOOST_AUTO_TEST_CASE(a_fifo_in_the_source_does_not_stop_it) {
  const PhotosPlace place;
  write_cats_and_dogs(place.source, 2);
  BOOST_REQUIRE(::mkfifo((place.source + "/cat/pipe.jpg").c_str(), 0600) == 0);
  const CommandResult result = run_penstock({"convert", place.source, place.dataset});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.out, "left out      1 special file\n"));
}

BOOST_AUTO_TEST_CASE(a_signal_stops_it_and_nothing_is_left) {
  const PhotosPlace place;
  write_many_large_pictures(place.source);
  ::signal(SIGHUP, SIG_DFL);  // the program inherits it, were it ignored here
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    RunningCommand command({"convert", place.source, place.dataset, "--jobs", "1", "--quiet"});
    BOOST_REQUIRE(comes_to_be(place.dataset + ".partial"));
    command.send(number);
    check_refused(command.wait(), 4,
                  "stopped: " + place.dataset + ": on request; nothing of it was left behind",
                  "the same command starts it again");
    BOOST_TEST(place.is_clean());
  }
}

BOOST_AUTO_TEST_CASE(a_signal_keeps_finished_shards_and_the_same_command_goes_on) {
  const PhotosPlace place;
  write_many_large_pictures(place.source);
  const std::vector<std::string> line = {
      "convert", place.source, place.dataset, "--shard-size", "1M", "--jobs", "1"};
  RunningCommand command(line);
  BOOST_REQUIRE(comes_to_be(place.dataset + ".partial/train-00003.h5"));
  command.send(SIGTERM);
  const CommandResult stopped = command.wait();
  BOOST_TEST(stopped.exit_code == 4);
  BOOST_TEST(contains(stopped.err, " shards are finished and kept\n"), stopped.err);
  BOOST_TEST(contains(stopped.err, "hint: the same command goes on from there"), stopped.err);
  std::vector<std::string> other = line;
  other.insert(other.end(), {"--seed", "3", "--quiet"});
  check_refused(
      run_penstock(other), 1,
      "dataset: " + place.dataset +
          ".partial: expected the settings it was begun with, found seed: 0 before, now 3",
      "rm -r " + place.dataset + ".partial discards what was done; or type the command as before");
  const CommandResult rest = run_penstock(line);
  BOOST_TEST(rest.exit_code == 0);
  BOOST_TEST(contains(rest.err, " are there already\n"), rest.err);
  BOOST_TEST(contains(rest.out, "of an earlier conversion"), rest.out);
  BOOST_TEST(!fs::exists(place.dataset + ".partial"));
}

BOOST_AUTO_TEST_CASE(trust_stores_the_same_bytes_and_says_that_nothing_was_decoded) {
  const PhotosPlace place;
  write_cats_and_dogs(place.source, 10);
  // A whole header and half a picture: only decoding finds out.
  std::vector<std::byte> half = picture_jpeg({.width_px = 200, .height_px = 200});
  half.resize(half.size() / 2);
  write_file(fs::path(place.source) / "cat/half.jpg", std::span<const std::byte>(half));
  const CommandResult checked = run_penstock({"convert", place.source, place.dataset});
  BOOST_TEST(contains(checked.out, "20 samples"), checked.out);
  const CommandResult trusted =
      run_penstock({"convert", place.source, place.dataset, "--force", "--trust"});
  BOOST_TEST(trusted.exit_code == 0);
  BOOST_TEST(contains(trusted.out, "21 samples"), trusted.out);
  BOOST_TEST(contains(trusted.out, "statistics    none: --trust decodes no picture"), trusted.out);
  BOOST_TEST(contains(read_text_file(place.dataset + "/dataset.json"), "\"mean\": []"));
}

BOOST_AUTO_TEST_CASE(beyond_the_limit_of_bad_pictures_it_is_damaged_data) {
  const PhotosPlace place;
  write_cats_and_dogs(place.source, 2);
  write_file(fs::path(place.source) / "cat/broken.jpg", "not a picture");
  check_refused(
      run_penstock({"convert", place.source, place.dataset, "--quiet", "--max-bad", "10%"}), 3,
      "max_bad: " + place.source + ": expected at most 0 bad among 5 files, found one more",
      "look at " + place.dataset +
          ".partial/quarantine.csv, or type the command with a larger "
          "--max-bad");
  const CommandResult result =
      run_penstock({"convert", place.source, place.dataset, "--max-bad", "1"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err, "warning: 1 of 5 files is bad (20.0 %); see quarantine.csv\n"),
             result.err);
}

BOOST_AUTO_TEST_CASE(a_limit_of_memory_that_is_too_small_is_refused) {
  const PhotosPlace place;
  write_cats_and_dogs(place.source, 2);
  const CommandResult result =
      run_penstock({"convert", place.source, place.dataset, "--quiet", "--memory", "40M"});
  check_refused(result, 2, "convert: memory: expected at least 69M, found 40M", "--memory 1G");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_CASE(numbers_that_make_no_sense_are_usage_errors) {
  const PhotosPlace place;
  check_refused(run_penstock({"convert", "a", "b", "--shard-size", "12Q"}), 2,
                "--shard-size: expected a size such as 256M or 2G, found '12Q'",
                "--shard-size 256M");
  check_refused(run_penstock({"convert", "a", "b", "--validation-split", "10"}), 2,
                "--validation-split: expected a fraction from 0 to below 1, found '10'",
                "--validation-split 0.1");
  check_refused(run_penstock({"convert", "a", "b", "--jobs", "0"}), 2,
                "--jobs: expected a whole number from 1 to 1024, found '0'", "--jobs 1");
  for (const char* limit : {"12x", "%", "101%", "-1", ""}) {
    check_refused(run_penstock({"convert", "a", "b", "--max-bad", limit}), 2,
                  std::string("--max-bad: expected a number of pictures or a part of them such as "
                              "12 or 5%, found '") +
                      limit + "'",
                  "--max-bad 5%");
  }
}

BOOST_AUTO_TEST_CASE(smaller_pictures_are_asked_for_by_name_and_told_of) {
  const PhotosPlace place;
  write_picture(fs::path(place.source) / "cat/0.jpg", {.width_px = 120, .height_px = 90});
  write_picture(fs::path(place.source) / "cat/1.jpg", {.width_px = 60, .height_px = 40});
  const CommandResult result =
      run_penstock({"convert", place.source, place.dataset, "--resize-short", "45", "--quality",
                    "90", "--quiet", "--json"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.out, "\"num_resized\": 1"), result.out);
  BOOST_TEST(contains(result.out, "\"num_lossy\": 1"), result.out);
  const CommandResult inspected = run_penstock({"inspect", place.dataset});
  BOOST_TEST(contains(inspected.out, "resize_short_px 45"), inspected.out);
  BOOST_TEST(contains(inspected.out, "quality 90"), inspected.out);
  // What came later goes the same way.
  const std::string more = (place.folder.path() / "more").string();
  write_picture(fs::path(more) / "cat/2.jpg", {.width_px = 200, .height_px = 90, .seed = 1});
  BOOST_TEST(run_penstock({"add", place.dataset, more, "--quiet"}).exit_code == 0);
  const std::string back = (place.folder.path() / "back").string();
  BOOST_TEST(run_penstock({"extract", place.dataset, back}).exit_code == 0);
  BOOST_TEST(fs::file_size(fs::path(back) / "cat/2.jpg") <
             fs::file_size(fs::path(more) / "cat/2.jpg"));
}

BOOST_AUTO_TEST_CASE(what_is_out_of_range_or_contradicts_itself_is_a_usage_error) {
  const PhotosPlace place;
  write_picture(fs::path(place.source) / "cat/0.jpg");
  const auto refused = [&](std::vector<std::string> flags, const char* what, const char* hint) {
    std::vector<std::string> words{"convert", place.source, place.dataset};
    words.insert(words.end(), flags.begin(), flags.end());
    check_refused(run_penstock(words), 2, what, hint);
  };
  refused({"--resize-short", "7"},
          "--resize-short: expected a whole number from 8 to 65500, found '7'", "--resize-short 8");
  refused({"--quality", "101"}, "--quality: expected a whole number from 1 to 100, found '101'",
          "--quality 1");
  refused({"--codec", "gif"}, "--codec: expected jpeg, png, raw or auto, found 'gif'",
          "--codec auto");
  refused({"--trust", "--max-side", "64"},
          "convert: trust: expected nothing for which JPEG has to be decoded, found longer side at "
          "most 64 px, JPEG of quality 95",
          "leave out --trust, or what changes pictures");
  refused({"--codec", "raw", "--quality", "90"},
          "convert: quality: expected a codec with one, found raw",
          "leave out --quality, or --codec raw");
  refused({"--resize-short", "256", "--max-side", "255"},
          "convert: max_side: expected at least resize_short, 256, found 255",
          "the shorter side is never above the longer one: leave one of them out");
  BOOST_TEST(place.is_clean());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
