// Pictures that look alike among what is added to a dataset.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "fixtures/copied_pictures.h"
#include "streamer/shard/dataset.h"
#include "tests/tools/care/cared_dataset.h"
#include "tools/care/add_job.h"
#include "tools/care/row_list.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

// Cats and dogs, of which none looks like another; and to be added, a folder where nine do.
struct Fixture {
  Fixture() {
    for (const char* name : {"cat/1.jpg", "dog/2.jpg"}) {
      tests::write_picture(photos / name,
                           {.width_px = 64, .height_px = 48, .seed = name[4] == '1' ? 11u : 12u});
    }
    fixtures::write_near_pictures(more);
    config.split.validation_fraction = 0;
  }
  void convert(const fs::path& source, const fs::path& target) {
    config.source = source;
    config.dataset = target;
    tests::SilentObserver observer;
    convert_folder(config, observer, {});
  }
  AddSummary add() const {
    tests::SilentObserver observer;
    return add_to_dataset({.dataset = dataset, .source = more}, observer, {});
  }
  static std::multiset<std::string> rows(const fs::path& of) {
    std::multiset<std::string> rows;
    for_each_row(of / "duplicates.csv", [&](std::string_view row) { rows.emplace(row); });
    return rows;
  }
  // As the dataset's manifest states them.
  DuplicateCounts counts() const {
    const auto found = read_manifest(dataset).near_duplicates;
    BOOST_REQUIRE(found.has_value());
    return *found;
  }

  tests::TemporaryFolder folder;
  fs::path photos = folder.path() / "photos";
  fs::path more = folder.path() / "more";
  fs::path dataset = folder.path() / "d.ds";
  convert::ConvertConfig config{.near_duplicate_bits = 5};
};

BOOST_FIXTURE_TEST_SUITE(add_near_copies, Fixture)

BOOST_AUTO_TEST_CASE(they_are_looked_for_at_the_datasets_distance_listed_and_counted) {
  for (const unsigned bits : {1u, 5u}) {
    config.near_duplicate_bits = bits;
    fs::remove_all(dataset);
    convert(photos, dataset);
    BOOST_CHECK(counts() == DuplicateCounts{});
    BOOST_TEST(add().num_added == 50u);
    const fs::path alone = folder.path() / std::to_string(bits);
    convert(more, alone);
    BOOST_TEST(rows(dataset) == rows(alone), boost::test_tools::per_element());
    BOOST_CHECK(counts() == read_manifest(alone).near_duplicates);
  }
  BOOST_CHECK((counts() == DuplicateCounts{3, 3, 3}));
}

BOOST_AUTO_TEST_CASE(what_looks_like_an_old_sample_is_not_looked_for) {
  const fixtures::CopiedPicture moved = fixtures::near_pictures().front();
  fs::rename(more / moved.other_path, photos / "cat/1.jpg");
  convert(photos, dataset);
  add();
  BOOST_CHECK((counts() == DuplicateCounts{2, 3, 3}));
  BOOST_TEST(std::ranges::none_of(
      rows(dataset), [&](const std::string& row) { return row.starts_with(moved.path); }));
}

BOOST_AUTO_TEST_CASE(a_dataset_that_was_converted_without_stays_without) {
  config.near_duplicate_bits.reset();
  convert(photos, dataset);
  add();
  BOOST_TEST(!read_manifest(dataset).near_duplicates.has_value());
  BOOST_TEST(!fs::exists(dataset / "duplicates.csv"));
}

// What is stored already goes, and what it looked like is one less.
BOOST_AUTO_TEST_CASE(one_that_goes_as_a_copy_of_an_old_sample_is_no_longer_counted) {
  config.policies.set("duplicate_within_class=quarantine");
  const fixtures::CopiedPicture twin = fixtures::near_pictures().front();
  BOOST_REQUIRE(twin.reason == "near_duplicate_within_class");
  fs::copy_file(more / twin.path, photos / "cat/1.jpg", fs::copy_options::overwrite_existing);
  convert(photos, dataset);
  const AddSummary summary = add();
  BOOST_TEST(summary.num_added == 49u);
  BOOST_TEST(summary.num_quarantined == 1u);
  BOOST_CHECK((counts() == DuplicateCounts{2, 3, 3}));
  const auto found = rows(dataset);
  BOOST_TEST(std::ranges::count_if(found, [&](const std::string& row) {
               return row.starts_with(twin.path + "," + twin.reason) &&
                      row.ends_with(",quarantined");
             }) == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
