// What an addition does to the lists beside the shards: bad files, copies, what was mended.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <span>
#include <string>
#include <vector>

#include "fixtures/tar_maker.h"
#include "streamer/core/error.h"
#include "streamer/shard/dataset.h"
#include "tests/tools/care/cared_dataset.h"
#include "tools/care/add_job.h"
#include "tools/care/row_list.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tests::add;
using tests::CaredDataset;
using tests::files_below;

BOOST_AUTO_TEST_SUITE(add_lists)

std::vector<std::string> names_in(const fs::path& csv) {
  std::vector<std::string> names;
  for_each_row(csv, [&](std::string_view row) { names.push_back(name_of_row(row)); });
  return names;
}

BOOST_AUTO_TEST_CASE(a_file_that_was_mended_leaves_the_quarantine) {
  const tests::TemporaryFolder folder;
  const fs::path photos = folder.path() / "photos";
  const fs::path dataset = folder.path() / "d.ds";
  tests::write_cats_and_dogs(photos, 4);
  tests::write_file(photos / "cat" / "bad, one.jpg", "\xFF\xD8\xFF broken");
  tests::write_file(photos / "dog" / "worse.jpg", "\xFF\xD8\xFF broken");
  tests::convert_quietly(photos, dataset, 0);
  BOOST_TEST(read_manifest(dataset).num_quarantined.value() == 2u);
  tests::write_picture(photos / "cat" / "bad, one.jpg", {.seed = 77});
  const AddSummary summary = add(dataset, photos);
  BOOST_TEST(summary.num_added == 1u);
  BOOST_TEST(summary.num_returned == 1u);
  const std::string csv = read_text_file(dataset / "quarantine.csv");
  BOOST_TEST(csv.find("bad, one") == std::string::npos);
  BOOST_TEST(csv.find("worse.jpg") != std::string::npos);
  BOOST_TEST(csv.find("worse.jpg") == csv.rfind("worse.jpg"));  // once
  BOOST_TEST(read_manifest(dataset).num_quarantined.value() == 1u);
}

BOOST_AUTO_TEST_CASE(the_quarantine_stays_sorted_by_names) {
  const tests::TemporaryFolder folder;
  const fs::path dataset = folder.path() / "d.ds";
  const auto write_some = [&](const char* source, const std::vector<std::string>& bad) {
    for (const std::string& name : bad) {
      tests::write_file(folder.path() / source / "cat" / name, "\xFF\xD8\xFF broken");
    }
    tests::write_picture(folder.path() / source / "cat" / (std::string(source) + ".jpg"), {});
    tests::write_picture(folder.path() / source / "dog" / (std::string(source) + ".jpg"), {});
  };
  // Quotes, escapes and commas are written otherwise than they are sorted.
  const std::vector<std::string> first = {"b.jpg", "d,\"1\".jpg", "f.jpg", "\xFFz.jpg"};
  const std::vector<std::string> second = {"a.jpg", "c.jpg", "d,2.jpg", "e.jpg", "z\n.jpg"};
  write_some("one", first);
  write_some("two", second);
  tests::convert_quietly(folder.path() / "one", dataset, 0);
  add(dataset, folder.path() / "two");
  std::vector<std::string> expected;
  for (const auto* names : {&first, &second}) {
    for (const std::string& name : *names) expected.push_back("cat/" + name);
  }
  std::ranges::sort(expected);
  BOOST_TEST(names_in(dataset / "quarantine.csv") == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_an_archive_of_a_folder_lacked_leaves_the_quarantine_with_the_folder) {
  const tests::TemporaryFolder folder;
  const fs::path photos = folder.path() / "hl";
  const fs::path dataset = folder.path() / "d.ds";
  tests::write_cats_and_dogs(photos, 3);
  std::vector<fixtures::TarEntry> members;
  for (const auto& [name, bytes] : files_below(photos)) members.push_back({"hl/" + name, bytes});
  members.front() = {.name = members.front().name, .type = '2', .link_target = "/1.jpg"};
  tests::write_file(folder.path() / "hl.tar", fixtures::make_tar(members));
  tests::convert_quietly(folder.path() / "hl.tar", dataset, 0);
  BOOST_TEST(read_manifest(dataset).num_quarantined.value() == 1u);
  const AddSummary summary = add(dataset, photos);
  BOOST_TEST(summary.num_added == 1u);
  BOOST_TEST(summary.num_returned == 1u);
  BOOST_TEST(!fs::exists(dataset / "quarantine.csv"));
  BOOST_TEST(read_manifest(dataset).num_quarantined.value() == 0u);
}

BOOST_AUTO_TEST_CASE(an_archive_that_was_cut_leaves_the_quarantine_when_it_comes_whole) {
  const tests::TemporaryFolder folder;
  const fs::path photos = folder.path() / "photos";
  const fs::path dataset = folder.path() / "d.ds";
  tests::write_cats_and_dogs(photos, 3);
  std::vector<fixtures::TarEntry> members;
  for (const auto& [name, bytes] : files_below(photos)) members.push_back({name, bytes});
  const std::string tar = fixtures::make_tar(members);
  const std::size_t last = fixtures::tar_entry_bytes(members.back()) + 1024;
  tests::write_file(folder.path() / "a.tar", tar.substr(0, tar.size() - last + 600));
  tests::convert_quietly(folder.path() / "a.tar", dataset, 0);
  BOOST_CHECK((names_in(dataset / "quarantine.csv") == std::vector<std::string>{"a.tar"}));
  // Another source tells nothing of it.
  tests::write_picture(folder.path() / "more/cat/new.jpg", {.seed = 9});
  add(dataset, folder.path() / "more");
  BOOST_CHECK((names_in(dataset / "quarantine.csv") == std::vector<std::string>{"a.tar"}));
  tests::write_file(folder.path() / "a.tar", tar);
  BOOST_TEST(add(dataset, folder.path() / "a.tar").num_added == 1u);
  BOOST_TEST(!fs::exists(dataset / "quarantine.csv"));
  BOOST_TEST(read_manifest(dataset).num_quarantined.value() == 0u);
}

// With the others there already a bad file is one line of the list, as often as it is brought.
BOOST_AUTO_TEST_CASE(a_bad_file_beside_what_is_there_already_is_quarantined_and_no_error) {
  const CaredDataset dataset;
  const fs::path more = dataset.folder() / "more";
  for (std::uint32_t i = 0; i < 3; ++i) {
    tests::write_picture(more / "dog" / ("m" + std::to_string(i) + ".jpg"), {.seed = 300 + i});
  }
  tests::write_file(more / "dog" / "bad.jpg", "\xFF\xD8\xFF broken");
  BOOST_TEST(add(dataset.path(), more).num_added == 3u);
  const auto before = files_below(dataset.path());
  for (int round = 0; round < 2; ++round) {
    const AddSummary again = add(dataset.path(), more);
    BOOST_TEST(again.num_added == 0u);
    BOOST_TEST(again.num_already_there == 3u);
    BOOST_TEST(again.num_quarantined == 1u);
    BOOST_TEST(again.num_samples == 19u);
    BOOST_TEST((files_below(dataset.path()) == before));
  }
  // Of nothing that decodes nothing is there.
  tests::write_file(dataset.folder() / "worse/dog/other.jpg", "\xFF\xD8\xFF broken");
  BOOST_CHECK_EXCEPTION(add(dataset.path(), dataset.folder() / "worse"), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kCorruptData; });
  BOOST_TEST((files_below(dataset.path()) == before));
}

// Four cats and dogs, and then the first cat's bytes as a cat and as a dog, beside a new picture.
struct CopiesBeside {
  explicit CopiesBeside(const std::string& policy) {
    tests::write_cats_and_dogs(photos, 4);
    convert::ConvertConfig config{.source = photos, .dataset = dataset};
    config.split = {.validation_fraction = 0.0, .test_fraction = {}};
    if (!policy.empty()) config.policies.set(policy);
    tests::SilentObserver observer;
    convert_folder(config, observer, {});
    old_name = Dataset::open(dataset).split("train").read_name(0);
    const std::string kind = old_name.substr(0, 3);
    same = kind + "/twin.jpg";
    other = (kind == "cat" ? "dog" : "cat") + std::string("/twin.jpg");
    for (const std::string& name : {same, other}) {
      fs::create_directories((more / name).parent_path());
      fs::copy_file(photos / old_name, more / name);
    }
    tests::write_picture(more / "dog/fresh.jpg", {.seed = 333});
  }
  std::string list(const char* file) const { return read_text_file(dataset / file); }

  tests::TemporaryFolder folder;
  fs::path photos = folder.path() / "photos";
  fs::path more = folder.path() / "more";
  fs::path dataset = folder.path() / "d.ds";
  std::string old_name, same, other;
};

BOOST_AUTO_TEST_CASE(copies_of_what_was_there_are_listed_and_counted) {
  const CopiesBeside place("");
  const AddSummary summary = add(place.dataset, place.more);
  BOOST_TEST(summary.num_added == 3u);
  BOOST_TEST(summary.num_old_copies == 2u);
  const std::string csv = place.list("duplicates.csv");
  BOOST_TEST(csv.find(place.same + ",duplicate_within_class,train,") != std::string::npos, csv);
  BOOST_TEST(csv.find("," + place.old_name + ",train,") != std::string::npos, csv);
  BOOST_TEST(csv.find(place.other + ",duplicate_across_classes,train,") != std::string::npos, csv);
  BOOST_TEST(csv.find("fresh") == std::string::npos);
  // One of each, however often it was found: among the new and beside the old.
  const DuplicateCounts counts = *read_manifest(place.dataset).duplicates;
  BOOST_TEST(counts.num_within_class == 1u);
  BOOST_TEST(counts.num_across_splits == 0u);
}

BOOST_AUTO_TEST_CASE(copies_of_what_was_there_go_where_the_policy_says_so) {
  const CopiesBeside place("duplicate_within_class=quarantine");
  const AddSummary summary = add(place.dataset, place.more);
  BOOST_TEST(summary.num_added == 2u);
  BOOST_TEST(summary.num_quarantined == 1u);
  const std::string csv = place.list("quarantine.csv");
  BOOST_TEST(csv.find(place.same + ",duplicate_within_class,") != std::string::npos, csv);
  BOOST_TEST(csv.find("the same bytes as " + place.old_name) != std::string::npos, csv);
  BOOST_TEST(read_manifest(place.dataset).num_quarantined.value() == 1u);
  BOOST_TEST(care::check_dataset({.dataset = place.dataset, .reach = CheckReach::kDecoded},
                                 tests::no_progress, {})
                 .is_whole());
  BOOST_TEST(!fs::exists(place.folder.path() / "d.ds.adding"));
}

BOOST_AUTO_TEST_CASE(copies_of_what_was_there_end_an_addition_that_is_to_stop) {
  const CopiesBeside place("duplicate_within_class=stop");
  const auto before = files_below(place.dataset);
  BOOST_CHECK_EXCEPTION(add(place.dataset, place.more), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kTooManyBad; });
  BOOST_TEST((files_below(place.dataset) == before));
  BOOST_TEST(!fs::exists(place.folder.path() / "d.ds.adding"));
}

// JPEGs without their ends, with gray in place of the rest.
BOOST_AUTO_TEST_CASE(what_was_fixed_in_an_addition_is_listed_among_what_is_there) {
  const tests::TemporaryFolder folder;
  const fs::path dataset = folder.path() / "d.ds";
  const auto write_cut = [](const fs::path& path, std::uint32_t seed) {
    std::vector<std::byte> jpeg =
        tests::picture_jpeg({.width_px = 160, .height_px = 128, .seed = seed});
    jpeg.resize(jpeg.size() * 2 / 3);
    tests::write_file(path, std::span<const std::byte>(jpeg));
  };
  tests::write_cats_and_dogs(folder.path() / "photos", 3);
  write_cut(folder.path() / "photos/dog/z, first.jpg", 1);
  convert::ConvertConfig config{.source = folder.path() / "photos", .dataset = dataset};
  config.policies.set("truncated=fix");
  config.policies.set("duplicate_within_class=quarantine");
  config.split.validation_fraction = 0.0;
  tests::SilentObserver observer;
  convert_folder(config, observer, {});
  const std::string before = read_text_file(dataset / "fixed.csv");
  BOOST_TEST(before.find("\n\"dog/z, first.jpg\",truncated,") != std::string::npos, before);

  tests::write_picture(folder.path() / "plain/cat/plain.jpg", {.seed = 70});
  add(dataset, folder.path() / "plain");
  BOOST_TEST(read_text_file(dataset / "fixed.csv") == before);

  write_cut(folder.path() / "more/cat/a second.jpg", 2);
  write_cut(folder.path() / "more/dog/again.jpg", 1);  // stored as what is there
  const AddSummary summary = add(dataset, folder.path() / "more");
  BOOST_TEST(summary.num_added == 1u);
  BOOST_TEST(summary.num_quarantined == 1u);
  const std::string after = read_text_file(dataset / "fixed.csv");
  BOOST_TEST(after.starts_with("path,reason,bytes,detail\ncat/a second.jpg,truncated,"), after);
  BOOST_TEST(after.ends_with(before.substr(before.find('\n'))), after);
  BOOST_TEST(std::count(after.begin(), after.end(), '\n') == 3);  // the header and two
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
