// penstock preview as it is typed: what it says, what it refuses, what it leaves.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fixtures/damage.h"
#include "streamer/read/new_picture.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/dataset_writer.h"
#include "tests/cli/preview_place.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "train/run/settings/run_file.h"
#include "train/run/settings/run_keys.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

BOOST_AUTO_TEST_SUITE(preview_cli)

// A sheet shows samples, and mixing takes batches.
BOOST_AUTO_TEST_CASE(a_sheet_of_a_run_that_mixes_says_that_it_shows_what_is_before) {
  const PreviewPlace place;
  place.write_jpegs();
  const auto title = [&](std::vector<std::string> more) {
    more.push_back("--force");
    return place.preview_json(std::move(more))["title"].get<std::string>();
  };
  BOOST_TEST(title({}).ends_with("split train: what the trainer gets"));
  BOOST_TEST(title({"--augment.cutmix", "1"}).ends_with(", before cutmix"));
  BOOST_TEST(title({"--augment.mixup", "0.2", "--augment.cutmix", "1"})
                 .ends_with(", before mixup or cutmix"));
  BOOST_TEST(
      title({"--split", "validation", "--augment.mixup", "0.2"}).ends_with("what evaluation gets"));
}

BOOST_AUTO_TEST_CASE(names_that_the_sheet_cannot_write_stand_on_the_screen) {
  const PreviewPlace place;
  place.write_jpegs();
  const CommandResult result = place.preview({"--samples", "13", "--versions", "1"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
  BOOST_TEST(contains(result.out, place.sheet() + ": 13 samples of split train, "));
  BOOST_TEST(contains(result.out, "\n  2: \u732B, sample 2, picture 2"));
  BOOST_TEST(contains(result.out, "\n  1: caf\u00E9, sample 1, picture 1"));
}

BOOST_AUTO_TEST_CASE(a_sample_that_does_not_decode_has_its_reason_and_the_others_are_shown) {
  const PreviewPlace place;
  {
    DatasetWriter writer(place.dataset(), {.class_names = {"one"}});
    const auto pixels = raw_pixels(1);
    const auto jpeg = picture_jpeg({.width_px = 64, .height_px = 64});
    std::vector<std::byte> no_picture(jpeg.size(), std::byte{7});
    NewSample lost = new_jpeg(jpeg, {.class_idx = 0});
    lost.encoded = no_picture;
    writer.add("train", lost);
    writer.add("train", raw_sample(pixels, {.class_idx = 0}));
    writer.add("train", raw_sample(pixels, {.class_idx = 0}));
    writer.finish();
  }
  const Dataset dataset = Dataset::open(place.dataset());
  const std::string shard = dataset.manifest().find_split("train")->shards[0].file;
  fixtures::flip_byte(fs::path(place.dataset()) / shard,
                      dataset.split("train").record(2).offset_bytes + 5);
  const CommandResult result =
      place.preview({"--image-size", "32", "--samples", "3", "--json", "--versions", "2"});
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(contains(result.err, "split train: sample 0: expected a picture, found none: "));
  BOOST_TEST(contains(result.err, "checksum"));
  const Json json = Json::parse(result.out);
  BOOST_TEST(json["num_failed"] == 2);
  BOOST_TEST(!place.pixels().empty());
  for (const Json& sample : json["samples"]) {
    const bool is_whole = sample["sample_id"] == 1;
    BOOST_TEST(sample["fault"].is_null() == is_whole);
    BOOST_TEST(sample["original"].is_null() != is_whole);
    for (const Json& version : sample["versions"])
      BOOST_TEST(version["place"].is_null() != is_whole);
  }
}

BOOST_AUTO_TEST_CASE(show_prints_settings_that_read_back_as_the_same) {
  const PreviewPlace place;
  place.write_jpegs();
  for (const std::string_view preset : augment::AugmentConfig::preset_names()) {
    const CommandResult shown =
        run_penstock({"preview", "--show", "--augment", std::string(preset)});
    BOOST_REQUIRE_MESSAGE(shown.exit_code == 0, shown.err);
    const train::RunConfig read = train::parse_run_file(shown.out, "shown");
    BOOST_TEST((read.augment == augment::AugmentConfig::preset(preset)), preset);
    for (const train::RunKey& key : train::run_keys()) {
      if (key.table() != "augment" || key.name == "augment.preset") continue;
      const std::string line = "\n" + std::string(key.name_in_table()) + " = ";
      BOOST_TEST(contains(shown.out, line), preset << " without " << key.name);
    }
  }
  const CommandResult shown = place.preview({"--show", "--augment", "cifar", "--seed", "4"});
  BOOST_TEST(shown.exit_code == 0);
  BOOST_TEST(!fs::exists(place.sheet()));
  BOOST_TEST(contains(shown.out, "image_size = \"128x128\"\n"));  // of the medians
  BOOST_TEST(contains(shown.out, "\nseed = 4\n"));
  BOOST_TEST(contains(shown.out, "\nrandom_crop_padding = 4\n"));
  const std::string file = (place.folder.path() / "run.toml").string();
  std::ofstream(file) << shown.out;
  BOOST_TEST(place.preview({"--show", "--config", file}).out == shown.out);
  check_refused_with(place.preview({"--show", "--json"}), 2, "expected without --show");
}

BOOST_AUTO_TEST_CASE(statistics_can_be_given_by_flag_one_number_for_each_channel) {
  const CommandResult rgb = run_penstock({"preview", "--show", "--mean", "[0.5, 0.25, 0.125]"});
  BOOST_TEST(rgb.exit_code == 0);
  BOOST_TEST(contains(rgb.out, "\nmean = [0.5, 0.25, 0.125]\n"));
  const CommandResult gray = run_penstock(
      {"preview", "--show", "--mean", "0.5", "--color-mode", "grayscale", "--std", "dataset"});
  BOOST_TEST(gray.exit_code == 0);
  BOOST_TEST(contains(gray.out, "\nmean = [0.5]\n"));
  BOOST_TEST(contains(gray.out, "\nstd = \"dataset\"\n"));
  check_refused(run_penstock({"preview", "--show", "--mean", "[0.5]"}), 2,
                "run: mean: expected three numbers with color_mode = \"rgb\", found 1",
                "mean = \"dataset\"");
  check_refused(run_penstock({"preview", "--show", "--std", "[0.5, 0.5]"}), 2,
                "run: std: expected three numbers with color_mode = \"rgb\", found 2",
                "--std \"[0.229, 0.224, 0.225]\"");
}

BOOST_AUTO_TEST_CASE(an_existing_file_is_replaced_by_force_only) {
  const PreviewPlace place;
  place.write_raws(2);
  std::ofstream(place.sheet()) << "mine";
  check_refused(place.preview({}), 1,
                "output: " + place.sheet() + ": expected nothing there, found a file",
                "--force replaces it; or name another file");
  BOOST_TEST(fs::file_size(place.sheet()) == 4u);
  BOOST_TEST(place.preview({"--force", "--quiet"}).out == "");
  BOOST_TEST(!place.pixels().empty());
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_written_is_refused_before_any_work) {
  const PreviewPlace place;  // without a dataset: nothing looks for it
  const std::string folder = place.folder.path();
  const auto to = [&](const std::string& out) {
    return run_penstock({"preview", folder + "/none.ds", "-o", out});
  };
  check_refused(to(folder + "/not/there.png"), 1,
                "output: " + folder + "/not: expected a folder, found none",
                "mkdir -p " + folder + "/not");
  check_refused_with(to(folder + "/a.jpg"), 2, "expected a name that ends in .png, found ");
  place.write_raws(1);  // procfs makes no files, not even for root
  check_refused_with(run_penstock({"preview", place.dataset(), "-o", "/proc/sheet.png"}), 1,
                     "/proc");
}

BOOST_AUTO_TEST_CASE(what_is_typed_wrong_is_refused_and_leaves_no_file) {
  const PreviewPlace place;
  place.write_jpegs();
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--samples", "0"},
                                                {"--samples", "1001"},
                                                {"--versions", "0"},
                                                {"--versions", "x"},
                                                {"--epoch", "2147483648"},
                                                {"--image-size", "0"},
                                                {"--image-size", "99999"},
                                                {"--augment", "cifer"},
                                                {"--augment.zoom-range", "nan"},
                                                {"--memory", "0"}}) {
    check_refused_with(place.preview(wrong), 2, "");
  }
  check_refused_with(run_penstock({"preview"}), 2, "preview: DATASET: expected a dataset");
  check_refused_with(run_penstock({"preview", place.dataset()}), 2, "preview: --out: expected");
  check_refused_with(place.preview({"--split", "tset"}), 1, "tset");
  check_refused_with(place.preview({"--image-size", "16000", "--versions", "100"}), 1,
                     "sheet: expected at most 100,000,000 pixels, found 1616000 x 64000");
  check_refused_with(place.preview({"--image-size", "1x2", "--samples", "13", "--versions", "1000",
                                    "--memory", "64M"}),
                     1, "sheet");
  const CommandResult too_little = place.preview({"--memory", "13M"});
  check_refused_with(too_little, 1, "the sheet and its PNG: expected at most ");
  BOOST_TEST(contains(too_little.err, "\nhint: raise --memory; or fewer --samples"));
  check_refused_with(place.preview({"--config", place.sheet() + ".toml"}), 1, "run file");
  BOOST_TEST(count_entries(place.folder.path()) == 1u);  // the dataset
}

BOOST_AUTO_TEST_CASE(a_split_without_samples_is_refused) {
  const PreviewPlace place;
  write_cats_and_dogs(place.folder.path() / "photos", 2);
  BOOST_REQUIRE(run_penstock({"convert", (place.folder.path() / "photos").string(), place.dataset(),
                              "--validation-split", "0", "--quiet"})
                    .exit_code == 0);
  check_refused_with(place.preview({"--split", "validation"}), 1, "validation");
  BOOST_TEST(!fs::exists(place.sheet()));
}

BOOST_AUTO_TEST_CASE(the_help_says_which_sample_a_version_is) {
  const std::string help = run_penstock({"preview", "--help"}).out;
  BOOST_TEST(contains(help, "penstock preview photos.ds --split train -o sheet.png"));
  BOOST_TEST(contains(help, "at the position that it has in that epoch's"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
