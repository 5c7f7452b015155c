#include "tools/convert/dry_run.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/dry_run_text.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::contains;
using tests::write_file;
using tests::write_picture;

class Listener final : public ConvertObserver {
 public:
  void notice(const std::string& text) override { notices += text + "\n"; }
  void progress(const ConvertProgress&) override {}
  std::string notices;
};

struct Place {
  tests::TemporaryFolder folder;
  ConvertConfig config{.source = folder.path() / "photos",
                       .dataset = folder.path() / "ds",
                       .split = {.validation_fraction = 0.25, .draw = SplitDraw::kStratified}};
  Listener listener;

  DryRunReport run() { return dry_run(config, listener, {}); }
};

BOOST_AUTO_TEST_SUITE(dry_run_of_a_conversion)

BOOST_AUTO_TEST_CASE(it_says_what_is_there_and_writes_nothing) {
  Place place;
  tests::write_cats_and_dogs(place.config.source, 8);
  write_file(place.config.source / "cat/empty.jpg", "");
  write_file(place.config.source / "dog/text.jpg", "not found");
  write_file(place.config.source / "dog/notes", "text");
  const DryRunReport report = place.run();
  BOOST_TEST(tests::count_entries(place.folder.path()) == 1u);
  BOOST_TEST(report.num_files == 19u);
  BOOST_TEST(report.num_looked_at == 19u);
  BOOST_CHECK((report.headers_by_reason ==
               std::map<std::string, std::uint64_t>{{"empty_file", 1}, {"not_a_picture", 1}}));
  BOOST_TEST(report.num_text == 1u);
  BOOST_TEST(report.num_timed == 16u);
  BOOST_TEST(report.estimated_time.count() > 0.0);
  BOOST_REQUIRE(report.classes.size() == 2u);
  // A quarter of 9 is 2.25, of 10 is 2.5: 2 and, of equal remainders, training first, 2.
  BOOST_CHECK((report.classes[0].num_by_split == std::array<std::uint64_t, 3>{7, 2, 0}));
  BOOST_CHECK((report.classes[1].num_by_split == std::array<std::uint64_t, 3>{8, 2, 0}));
  // 24 x 16 and 24 x 20, eight of each; the lower middle one.
  BOOST_TEST(report.median_short_px == 16u);
  BOOST_TEST(report.median_long_px == 24u);
  BOOST_TEST(!report.is_resize_worthwhile());
  BOOST_TEST(contains(place.listener.notices, "class folders, 2 classes, 19 files"));
}

BOOST_AUTO_TEST_CASE(the_disk_it_asks_for_is_what_the_conversion_takes_or_little_more) {
  Place place;
  tests::write_cats_and_dogs(place.config.source, 40);
  const DryRunReport report = place.run();
  const ConvertSummary summary = convert_folder(place.config, place.listener, {});
  BOOST_TEST(report.dataset_bytes >= summary.dataset_bytes);
  BOOST_TEST(report.dataset_bytes <= summary.dataset_bytes + (200u << 10));
  BOOST_TEST(report.num_by_split[0] == summary.manifest.splits[0].num_samples);
}

// 1024 x 768: a third of each side is left, a ninth of the bytes.
BOOST_AUTO_TEST_CASE(large_photographs_are_said_to_gain_by_a_resize) {
  Place place;
  write_picture(place.config.source / "cat/1.jpg", {.width_px = 1024, .height_px = 768});
  write_picture(place.config.source / "dog/1.jpg", {.width_px = 768, .height_px = 1024});
  const DryRunReport report = place.run();
  BOOST_TEST(report.resized_bytes >= report.source_bytes / 9 - 1);
  BOOST_TEST(report.resized_bytes <= report.source_bytes / 9 + 1);
  BOOST_TEST(report.is_resize_worthwhile());
  BOOST_TEST(contains(dry_run_text(report, "ds"), "at 256 px on the short side, by their sides"));
}

BOOST_AUTO_TEST_CASE(of_many_files_a_sample_is_looked_at_the_same_each_time) {
  Place place;
  write_picture(place.config.source / "cat/0.jpg");
  write_file(place.config.source / "dog/0.jpg", "");
  for (int i = 1; i < 3000; ++i) {
    const std::string name = std::to_string(i) + ".jpg";
    fs::create_hard_link(place.config.source / "cat/0.jpg", place.config.source / "cat" / name);
    fs::create_hard_link(place.config.source / "dog/0.jpg", place.config.source / "dog" / name);
  }
  const DryRunReport report = place.run();
  BOOST_TEST(report.num_looked_at == kMaxHeadersLookedAt);
  const std::uint64_t num_empty = report.headers_by_reason.at("empty_file");
  // Half of 5000, drawn without replacement of 6000: deviation 14.
  BOOST_TEST(num_empty > 2400u);
  BOOST_TEST(num_empty < 2600u);
  BOOST_TEST(contains(dry_run_text(report, "ds"), "a sample of 5,000 of 6,000: "));
  place.config.num_jobs = 3;
  BOOST_TEST(place.run().headers_by_reason.at("empty_file") == num_empty);
}

BOOST_AUTO_TEST_CASE(text_and_json_say_the_same) {
  Place place;
  tests::write_cats_and_dogs(place.config.source, 4);
  const DryRunReport report = place.run();
  const auto json = nlohmann::json::parse(dry_run_json(report));
  BOOST_TEST(json["num_files"] == 8);
  BOOST_TEST(json["splits"]["validation"] == 2);
  BOOST_TEST(json["classes"][1]["name"] == "dog");
  BOOST_TEST(json["classes"][1]["num_samples"]["train"] == 3);
  BOOST_TEST(json["dataset_bytes"] == report.dataset_bytes);
  const std::string text = dry_run_text(report, "ds");
  BOOST_TEST(contains(text, "ds: a dry run, nothing was written\n"));
  BOOST_TEST(contains(text, "6 train, 2 validation"));
  BOOST_TEST(contains(text, "    dog: 3 train, 1 validation"));
  DryRunReport full = report;
  full.free_bytes = 5;
  BOOST_TEST(contains(dry_run_text(full, "ds"), ": too little"));
}

BOOST_AUTO_TEST_CASE(it_refuses_what_the_conversion_refuses) {
  Place place;
  tests::write_cats_and_dogs(place.config.source, 1);
  fs::create_directory(place.config.dataset);
  write_file(place.config.dataset / "x", "x");
  BOOST_CHECK_THROW(place.run(), Error);
  place.config.dataset = place.config.source / "ds";
  BOOST_CHECK_THROW(place.run(), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
