// penstock convert and its like: no option does nothing without a word.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "fixtures/cifar_batch.h"
#include "streamer/core/file.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

struct Place {
  TemporaryFolder folder;
  std::string dataset = at("out.ds");

  std::string at(const std::string& name) const { return (folder.path() / name).string(); }
  CommandResult convert(std::vector<std::string> words) const {
    words.insert(words.begin(), "convert");
    words.push_back(dataset);
    return run_penstock(words);
  }
};

BOOST_AUTO_TEST_SUITE(convert_options_cli)

BOOST_AUTO_TEST_CASE(splits_that_a_source_has_leave_nothing_to_stratify) {
  const Place place;
  write_cats_and_dogs(place.at("photos/train"), 4);
  write_cats_and_dogs(place.at("photos/val"), 2);
  const std::string photos = place.at("photos");
  check_refused(place.convert({photos, "--stratify"}), 1,
                "--stratify: " + photos +
                    ": expected pictures whose split is drawn, found a source with splits of its "
                    "own",
                "leave --stratify out, or name a split that the source does not have: "
                "--validation-split, --test-split; of a dataset --split-anew draws all");
  BOOST_TEST(!fs::exists(place.dataset));
  const CommandResult tested = place.convert({photos, "--stratify", "--test-split", "0.25"});
  BOOST_TEST(tested.exit_code == 0);
  BOOST_TEST(contains(tested.err, "test: 25 %: 2 of 8 (exact in each class;"), tested.err);
  // Of a dataset that has splits too, unless they are drawn anew; beside a source without any.
  const std::string other = place.at("other.ds");
  BOOST_TEST(run_penstock({"convert", place.dataset, other, "--stratify"}).exit_code == 1);
  BOOST_TEST(
      run_penstock({"convert", place.dataset, other, "--stratify", "--split-anew"}).exit_code == 0);
  write_cats_and_dogs(place.at("more"), 10);
  BOOST_TEST(run_penstock({"convert", photos, place.at("more"), place.at("all.ds"), "--stratify",
                           "--test-split", "0.1"})
                 .exit_code == 0);
}

BOOST_AUTO_TEST_CASE(what_the_line_alone_contradicts_is_a_usage_error) {
  const Place place;
  const auto refused = [&](std::vector<std::string> words, const std::string& what) {
    check_refused_with(place.convert(std::move(words)), 2, what);
  };
  refused({"photos", "--channels-first", "--channels-last"},
          "expected --channels-first or --channels-last, found both");
  refused({"--images", "x.npy", "--layout", "flat"}, "found --layout");
  refused({"--images", "x.npy", "--label", "fine"}, "found --label");
  refused({"photos", "--labels", "l.csv", "--class-depth", "2"}, "found --layout or --class-depth");
  refused({"photos", "--fraction", "0"}, "fraction: expected above 0 to below 1, found 0");
  refused({"photos", "--classes", "cat,,dog"}, "classes: expected names, found an empty one");
  refused({"photos", "--validation-split", "0.5", "--test-split", "0.5"}, "expected a sum from 0");
  refused({"photos", "--validation-split", "0", "--stratify"}, "expected a split to draw");
  refused({"photos", "--background", "black", "--on", "transparency=stop"},
          "background: expected --on transparency=fix beside it, found stop");
}

BOOST_AUTO_TEST_CASE(what_only_the_source_tells_is_refused_by_name) {
  const Place place;
  write_cats_and_dogs(place.at("photos"), 2);
  const std::string photos = place.at("photos");
  const auto refused = [&](std::vector<std::string> words, const std::string& what) {
    words.insert(words.begin(), photos);
    check_refused_with(place.convert(std::move(words)), 1, what);
    BOOST_TEST(!fs::exists(place.dataset));
  };
  refused({"--classes", "cat"}, "expected a dataset, found another source");
  refused({"--fraction", "0.5"}, "expected a dataset, found another source");
  refused({"--split-anew"}, "expected a dataset, found another source");
  refused({"--channels-last"}, "expected arrays, found another source");
  refused({"--label", "coarse"}, "expected CIFAR-100");
  refused({"--split-column", "set"}, "expected a table to read columns of, found a folder");
}

BOOST_AUTO_TEST_CASE(a_wish_that_no_picture_needs_is_told_in_a_line) {
  const Place place;
  write_picture(place.at("photos/cat/1.jpg"), {.width_px = 60, .height_px = 40});
  const CommandResult result =
      place.convert({place.at("photos"), "--max-side", "100", "--background", "black"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err, "--resize-short, --max-side: no picture is larger\n"),
             result.err);
  BOOST_TEST(contains(result.err, "--background: no picture is transparent\n"), result.err);
}

BOOST_AUTO_TEST_CASE(bare_pixels_that_stay_so_have_no_quality) {
  const Place place;
  fixtures::make_cifar_10(place.at("batches"), 3, 7);
  const CommandResult kept = place.convert({place.at("batches"), "--quality", "80"});
  BOOST_TEST(kept.exit_code == 0);
  BOOST_TEST(contains(kept.err, "--quality: no picture was encoded as JPEG;"), kept.err);
  const CommandResult encoded =
      place.convert({place.at("batches"), "--quality", "80", "--codec", "jpeg", "--force"});
  BOOST_TEST(!contains(encoded.err, "--quality"), encoded.err);
  BOOST_TEST(contains(encoded.out, " pictures, as JPEG of quality 80\n  lossy  "), encoded.out);
}

BOOST_AUTO_TEST_CASE(files_outside_of_classes_are_named_and_listed_on_request) {
  const Place place;
  write_picture(place.at("photos/animals/cat/1.jpg"));
  write_picture(place.at("photos/plants/rose/1.jpg"), {.seed = 1});
  write_picture(place.at("photos/animals/lost.jpg"), {.seed = 2});
  const std::vector<std::string> words = {place.at("photos"), "--class-depth", "2"};
  const CommandResult told = place.convert(words);
  BOOST_TEST(told.exit_code == 0);
  BOOST_TEST(contains(told.err,
                      "warning: files that lie in no class folder were left out: 1\n"
                      "  animals/lost.jpg\n"),
             told.err);
  std::vector<std::string> listing = words;
  for (const char* word : {"--force", "--on", "outside_classes=quarantine"}) {
    listing.emplace_back(word);
  }
  BOOST_TEST(place.convert(listing).exit_code == 0);
  BOOST_TEST(contains(read_text_file(place.dataset + "/quarantine.csv"),
                      "animals/lost.jpg,outside_classes,"));
}

BOOST_AUTO_TEST_CASE(limits_of_memory_that_are_too_small_are_usage_errors_of_every_command) {
  const auto refused = [](std::vector<std::string> words, const std::string& what) {
    words.insert(words.end(), {"--memory", "4096"});
    check_refused(run_penstock(words), 2, what + ", found 4K", "--memory 1G");
  };
  const std::string conversion = "convert: memory: expected at least 69M";
  refused({"convert", "a", "b"}, conversion);
  refused({"add", "a.ds", "b"}, conversion);
  refused({"bench", "convert", "a"}, conversion);
  refused({"verify", "a.ds"}, "verify: memory: expected at least 1M");
  refused({"repair", "a.ds"}, "repair: memory: expected at least 1M");
  refused({"remove", "a.ds", "--list", "names.txt"}, "remove: memory: expected at least 1M");
}

BOOST_AUTO_TEST_CASE(additions_contradict_themselves_as_conversions_do) {
  check_refused_with(
      run_penstock({"add", "a.ds", "b", "--labels", "l.csv", "--layout", "split-folders"}), 2,
      "labels: expected nothing that is asked of other sources than a table, found --layout");
  check_refused_with(
      run_penstock({"add", "a.ds", "b", "--validation-split", "0.6", "--test-split", "0.6"}), 2,
      "expected a sum from 0 to below 1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
