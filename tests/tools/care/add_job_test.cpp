#include "tools/care/add_job.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>

#include "fixtures/cifar_batch.h"
#include "fixtures/tar_maker.h"
#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "streamer/read/new_picture.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/dataset_writer.h"
#include "tests/tools/care/cared_dataset.h"
#include "tests/tools/convert/source/array_files.h"
#include "tools/care/change_report.h"
#include "tools/care/dataset_change.h"
#include "tools/care/row_list.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tests::CaredDataset;
using tests::files_below;

AddSummary add(const fs::path& dataset, const fs::path& source,
               NewClasses new_classes = NewClasses::kRefused) {
  tests::SilentObserver observer;
  return add_to_dataset({.dataset = dataset, .source = source, .new_classes = new_classes},
                        observer, {});
}

BOOST_AUTO_TEST_SUITE(add_job)

BOOST_AUTO_TEST_CASE(new_pictures_join_in_shards_of_their_own_with_exact_statistics) {
  const CaredDataset dataset;
  const auto before = files_below(dataset.path());
  const fs::path more = dataset.folder() / "more";
  for (std::uint32_t i = 0; i < 9; ++i) {
    tests::write_picture(more / "dog" / ("new" + std::to_string(i) + ".jpg"), {.seed = 300 + i});
  }
  const AddSummary summary = add(dataset.path(), more);
  BOOST_TEST(summary.num_added == 9u);
  BOOST_TEST(summary.num_samples == 25u);
  BOOST_TEST(dataset.check(CheckReach::kDecoded).is_whole());
  BOOST_TEST(!fs::exists(dataset.folder() / "photos.ds.adding"));
  const auto after = files_below(dataset.path());
  for (const auto& [file, bytes] : before) {
    if (file != kManifestName) BOOST_TEST((after.at(file) == bytes), file);
  }
  // Each file draws its split from its own name: the same ones as in one conversion of all.
  fs::copy(more, dataset.source(), fs::copy_options::recursive);
  tests::convert_quietly(dataset.source(), dataset.folder() / "fresh.ds");
  const Manifest expected = read_manifest(dataset.folder() / "fresh.ds");
  const Manifest found = read_manifest(dataset.path());
  BOOST_REQUIRE(found.splits.size() == expected.splits.size());
  for (std::size_t i = 0; i < found.splits.size(); ++i) {
    BOOST_TEST(found.splits[i].num_samples == expected.splits[i].num_samples);
    BOOST_TEST(found.splits[i].num_by_class == expected.splits[i].num_by_class,
               boost::test_tools::per_element());
  }
  BOOST_TEST((found.pixel_totals == expected.pixel_totals));
  BOOST_TEST(found.mean == expected.mean, boost::test_tools::per_element());
  BOOST_CHECK(found.aspect_histogram == expected.aspect_histogram);
  BOOST_CHECK(found.sample_bytes == expected.sample_bytes);
  BOOST_TEST(found.median_height_px == expected.median_height_px);
}

// A rename leads nowhere else.
BOOST_AUTO_TEST_CASE(what_is_added_is_converted_on_the_disk_of_the_dataset_however_that_is_typed) {
  const CaredDataset dataset;
  const fs::path link = dataset.folder() / "links/link";
  fs::create_directories(link.parent_path());
  fs::create_directory_symlink(dataset.path(), link);
  const fs::path beside = dataset.folder() / "photos.ds.adding";
  for (const fs::path& typed : {dataset.path(), dataset.path() / "", dataset.path() / ".", link}) {
    BOOST_TEST(fs::weakly_canonical(adding_folder(typed)) == fs::weakly_canonical(beside), typed);
  }
  BOOST_TEST(adding_folder("/proc") == "/proc/new.adding");  // mounted
  const fs::path more = dataset.folder() / "more";
  tests::write_picture(more / "dog/new.jpg", {.seed = 300});
  struct Watch final : convert::ConvertObserver {
    explicit Watch(fs::path folder) : expected(std::move(folder)) { expected += ".partial"; }
    void notice(const std::string&) override {}
    void progress(const convert::ConvertProgress&) override {}
    void reached(convert::ConvertPoint point) override {
      if (point == convert::ConvertPoint::kFolderMade) is_there = fs::exists(expected);
    }
    fs::path expected;
    bool is_there = false;
  } watch(beside);
  const AddSummary summary = add_to_dataset({.dataset = link, .source = more}, watch, {});
  BOOST_TEST(summary.num_added == 1u);
  BOOST_TEST(watch.is_there);
  BOOST_TEST(dataset.check().is_whole());
  BOOST_TEST(fs::is_symlink(link));
}

// What was done about a reason, and what lay beneath transparent pictures, is the dataset's.
BOOST_AUTO_TEST_CASE(what_is_added_is_treated_as_the_first_conversion_was_told_to) {
  const CaredDataset dataset;
  const fs::path path = dataset.folder() / "strict.ds";
  tests::SilentObserver observer;
  convert::ConvertConfig config{.source = dataset.source(), .dataset = path};
  config.policies.set("progressive=quarantine");
  config.background = {.red = 1, .green = 2, .blue = 3};
  convert_folder(config, observer, {});
  const fs::path more = dataset.folder() / "more";
  tests::write_picture(more / "dog/plain.jpg", {.seed = 300});
  tests::write_picture(more / "dog/slow.jpg", {.seed = 301, .jpeg = {.is_progressive = true}});
  const AddSummary summary = add(path, more);
  BOOST_TEST(summary.num_added == 1u);
  BOOST_TEST(read_text_file(path / "quarantine.csv").find("dog/slow.jpg,progressive,") !=
             std::string::npos);
  BOOST_TEST(read_manifest(path).conversion.at("reencode").ends_with(" on #010203"));
}

// The depth of its class folders is the dataset's; a table has none, and nobody asked for it.
BOOST_AUTO_TEST_CASE(a_table_joins_a_dataset_of_deep_class_folders) {
  const CaredDataset dataset;
  const fs::path source = dataset.folder() / "deep";
  tests::write_picture(source / "animals/cat/1.jpg", {.seed = 1});
  tests::write_picture(source / "animals/dog/1.jpg", {.seed = 2});
  tests::SilentObserver observer;
  const fs::path path = dataset.folder() / "deep.ds";
  convert_folder({.source = source,
                  .dataset = path,
                  .split = {.validation_fraction = 0.0},
                  .layout = {.class_depth = 2}},
                 observer, {});
  const fs::path table = dataset.folder() / "new/labels.csv";
  tests::write_picture(table.parent_path() / "2.jpg", {.seed = 3});
  tests::write_file(table, "path,label\n2.jpg,animals/dog\n");
  BOOST_TEST(add(path, table).num_added == 1u);
}

BOOST_AUTO_TEST_CASE(a_dataset_of_the_users_that_lies_where_the_source_is_converted_stays) {
  const CaredDataset dataset;
  const fs::path kept = dataset.folder() / "photos.ds.adding";
  const fs::path more = dataset.folder() / "more";
  tests::write_picture(more / "dog/new.jpg", {.seed = 300});
  const auto is_refused = [&](const Error& error) {
    return error.code() == ErrorCode::kAlreadyExists &&
           error.hint() == "mv " + kept.native() + " " + kept.native() + ".kept";
  };
  const auto before = files_below(dataset.path());
  fs::copy(dataset.path(), kept);
  BOOST_CHECK_EXCEPTION(add(dataset.path(), more), Error, is_refused);
  BOOST_TEST((files_below(kept) == before));
  fs::remove_all(kept);
  fs::create_directory(kept);
  BOOST_CHECK_EXCEPTION(add(dataset.path(), more), Error, is_refused);
  BOOST_TEST(fs::exists(kept));
  fs::rename(kept, kept.native() + ".kept");  // the hint
  BOOST_TEST(add(dataset.path(), more).num_added == 1u);
  // The mark of an addition goes with it.
  BOOST_TEST(!read_manifest(dataset.path()).conversion.contains("addition"));
}

// What is told while an addition is at work.
class Notices final : public convert::ConvertObserver {
 public:
  void notice(const std::string& text) override { all += text + "\n"; }
  void progress(const convert::ConvertProgress&) override {}
  std::string all;
};

BOOST_AUTO_TEST_CASE(without_names_nothing_is_left_out_and_that_is_said) {
  const CaredDataset dataset;
  const fs::path path = dataset.folder() / "n.ds";
  tests::SilentObserver silent;
  convert_folder({.source = dataset.source(), .dataset = path, .store_names = false}, silent, {});
  Notices notices;
  const AddSummary summary =
      add_to_dataset({.dataset = path, .source = dataset.source()}, notices, {});
  BOOST_TEST(notices.all.find("warning: 16 samples of " + path.string() + " keep no names: ") !=
             std::string::npos);
  BOOST_TEST(summary.num_added == 16u);
  BOOST_TEST(summary.num_already_there == 0u);
  BOOST_TEST(summary.num_unnamed_copies == 16u);  // by their bytes
  BOOST_TEST(summary.num_old_copies == 0u);
  BOOST_TEST(
      add_text(summary, "n.ds")
          .find("\n  16 samples were stored there already, under no name, and added once more") !=
      std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_told_of_the_source_is_of_the_source) {
  const CaredDataset dataset;
  const fs::path more = dataset.folder() / "more";
  tests::write_picture(more / "dog/new.jpg", {.seed = 300});
  tests::write_picture(more / "dog/7.jpg", {.seed = 107});  // there already
  Notices one_class;
  add_to_dataset({.dataset = dataset.path(), .source = more}, one_class, {});
  BOOST_TEST(one_class.all.find(more.string() + ": class folders, 1 class, 2 files\n") !=
             std::string::npos);
  BOOST_TEST(one_class.all.find("warning: ") == std::string::npos, one_class.all);
  tests::write_picture(more / "Dog/new.jpg", {.seed = 301});
  Notices new_class;
  add_to_dataset({.dataset = dataset.path(), .source = more, .new_classes = NewClasses::kAppended},
                 new_class, {});
  BOOST_TEST(new_class.all.find(more.string() + ": class folders, 2 classes, 3 files\n") !=
             std::string::npos);
  BOOST_TEST(new_class.all.find("alone: 'dog' and 'Dog'") != std::string::npos, new_class.all);
}

BOOST_AUTO_TEST_CASE(limits_that_no_conversion_takes_are_refused_before_the_dataset_is_opened) {
  const AddConfig config{.dataset = "none.ds", .source = "none", .limits = {.memory_bytes = 4096}};
  BOOST_CHECK_EXCEPTION(config.validate(), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) == "convert: memory: expected at least 69M, found 4K";
  });
}

BOOST_AUTO_TEST_CASE(the_same_source_brings_only_what_is_new) {
  const CaredDataset dataset;
  const auto before = files_below(dataset.path());
  const AddSummary nothing = add(dataset.path(), dataset.source());
  BOOST_TEST(nothing.num_added == 0u);
  BOOST_TEST(nothing.num_already_there == 16u);
  BOOST_TEST((files_below(dataset.path()) == before));
  tests::write_picture(dataset.source() / "cat" / "late.jpg", {.seed = 500});
  const AddSummary one = add(dataset.path(), dataset.source());
  BOOST_TEST(one.num_added == 1u);
  BOOST_TEST(one.num_already_there == 16u);
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

std::vector<std::string> names_in(const fs::path& csv) {
  std::vector<std::string> names;
  for_each_row(csv, [&](std::string_view row) { names.push_back(name_of_row(row)); });
  return names;
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

// Of 60 pictures the default would draw six for validation: none with a chance of 0.9^60 = 0.002.
void write_many_dogs(const fs::path& folder) {
  for (std::uint32_t i = 0; i < 60; ++i) {
    tests::write_picture(folder / "dog" / ("n" + std::to_string(i) + ".jpg"), {.seed = 900 + i});
  }
}

using SplitCounts = std::map<std::string, std::uint64_t>;

SplitCounts samples_by_split(const fs::path& dataset) {
  SplitCounts counts;
  for (const ManifestSplit& split : read_manifest(dataset).splits) {
    counts[split.name] = split.num_samples;
  }
  return counts;
}

BOOST_AUTO_TEST_CASE(where_nothing_was_drawn_nothing_is_drawn_now) {
  const CaredDataset dataset(2);
  const fs::path more = dataset.folder() / "more";
  write_many_dogs(more);
  const fs::path whole = dataset.folder() / "whole.ds";
  tests::convert_quietly(dataset.source(), whole, 0);
  BOOST_TEST(add(whole, more).num_added == 60u);
  BOOST_CHECK((samples_by_split(whole) == SplitCounts{{"train", 64}}));

  // A dataset made of another keeps its splits: 0 is recorded for both.
  const fs::path copy = dataset.folder() / "copy.ds";
  tests::SilentObserver observer;
  convert_folder({.source = dataset.path(), .dataset = copy}, observer, {});
  SplitCounts expected = samples_by_split(copy);
  expected["train"] += 60;
  add(copy, more);
  BOOST_CHECK(samples_by_split(copy) == expected);
}

BOOST_AUTO_TEST_CASE(batches_with_a_test_split_of_their_own_get_no_validation_split) {
  const tests::TemporaryFolder folder;
  tests::write_file(folder.path() / "cifar/data_batch_1.bin", fixtures::cifar_10_batch(12, 5));
  tests::write_file(folder.path() / "cifar/test_batch.bin", fixtures::cifar_10_batch(2, 6));
  const fs::path dataset = folder.path() / "c.ds";
  tests::SilentObserver observer;
  convert_folder({.source = folder.path() / "cifar", .dataset = dataset}, observer, {});
  write_many_dogs(folder.path() / "more");
  add(dataset, folder.path() / "more");
  BOOST_CHECK((samples_by_split(dataset) == SplitCounts{{"train", 72}, {"test", 2}}));
}

BOOST_AUTO_TEST_CASE(a_source_with_splits_keeps_them_whatever_was_drawn_before) {
  const CaredDataset dataset(4);  // three in ten were drawn for validation
  const SplitCounts before = samples_by_split(dataset.path());
  const fs::path more = dataset.folder() / "more";
  for (std::uint32_t i = 0; i < 3; ++i) {
    tests::write_picture(more / "val/dog" / ("v" + std::to_string(i) + ".jpg"), {.seed = 300 + i});
  }
  tests::write_picture(more / "train/dog/t.jpg", {.seed = 310});
  add(dataset.path(), more);
  SplitCounts expected = before;
  expected["train"] += 1;
  expected["validation"] += 3;
  BOOST_CHECK(samples_by_split(dataset.path()) == expected);
}

// A comment (T.81, B.2.4.5), and coefficients of 64 x 48 pixels above 5,000 bytes.
BOOST_AUTO_TEST_CASE(what_is_added_is_stripped_and_rewritten_as_the_dataset_was) {
  const tests::TemporaryFolder folder;
  const fs::path photos = folder.path() / "photos";
  const fs::path dataset = folder.path() / "d.ds";
  tests::write_cats_and_dogs(photos, 4);
  tests::SilentObserver observer;
  convert_folder({.source = photos,
                  .dataset = dataset,
                  .split = {.validation_fraction = 0.0, .test_fraction = {}},
                  .max_coefficient_bytes = 5000,
                  .strip_metadata = true},
                 observer, {});
  const fs::path more = folder.path() / "more";
  std::vector<std::byte> jpeg =
      tests::picture_jpeg({.width_px = 64, .height_px = 48, .jpeg = {.is_progressive = true}});
  const std::string comment("\xFF\xFE\0\x0Dtaken by me", 15);
  const auto bytes = std::as_bytes(std::span(comment));
  jpeg.insert(jpeg.begin() + 2, bytes.begin(), bytes.end());
  tests::write_file(more / "dog" / "new.jpg", std::span<const std::byte>(jpeg));
  BOOST_TEST(add(dataset, more).num_added == 1u);
  for (const auto& [file, text] : files_below(dataset)) {
    BOOST_TEST(text.find("taken by me") == std::string::npos, file);
  }
  const DatasetSplit train = Dataset::open(dataset).split("train");
  BOOST_TEST(train.num_samples() == 9u);
  BOOST_TEST(int{train.record(8).flags} == 0);
  BOOST_TEST(train.record(8).width_px == 64u);
}

BOOST_AUTO_TEST_CASE(new_classes_are_refused_or_appended_and_old_indices_stay) {
  const CaredDataset dataset;
  const fs::path more = dataset.folder() / "more";
  for (std::uint32_t i = 0; i < 4; ++i) {
    tests::write_picture(more / "ape" / (std::to_string(i) + ".jpg"), {.seed = 400 + i});
    tests::write_picture(more / "dog" / ("d" + std::to_string(i) + ".jpg"), {.seed = 600 + i});
  }
  const auto before = files_below(dataset.path());
  BOOST_CHECK_EXCEPTION(add(dataset.path(), more), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()).find("ape") != std::string::npos &&
           error.hint().find("--new-classes") != std::string::npos;
  });
  BOOST_TEST((files_below(dataset.path()) == before));
  add(dataset.path(), more, NewClasses::kAppended);
  const Dataset open = Dataset::open(dataset.path());
  const std::vector<std::string> expected = {"cat", "dog", "ape"};
  BOOST_TEST(open.manifest().class_names == expected, boost::test_tools::per_element());
  BOOST_TEST(dataset.check(CheckReach::kDecoded).is_whole());
  for (const char* name : {"train", "validation"}) {
    const DatasetSplit split = open.split(name);
    for (std::uint64_t i = 0; i < split.num_samples(); ++i) {
      const std::string folder = split.read_name(i).substr(0, 3);
      BOOST_TEST(folder == expected[split.record(i).class_idx]);
    }
  }
}

BOOST_AUTO_TEST_CASE(another_dataset_joins_with_its_own_splits_and_its_bytes) {
  const CaredDataset dataset;
  const fs::path birds = dataset.folder() / "birds";
  for (std::uint32_t i = 0; i < 10; ++i) {
    tests::write_picture(birds / "dog" / ("b" + std::to_string(i) + ".jpg"), {.seed = 700 + i});
  }
  tests::convert_quietly(birds, dataset.folder() / "birds.ds", 0.5);
  const Manifest other = read_manifest(dataset.folder() / "birds.ds");
  const Manifest before = read_manifest(dataset.path());
  const AddSummary summary = add(dataset.path(), dataset.folder() / "birds.ds");
  BOOST_TEST(summary.num_added == 10u);
  BOOST_TEST(dataset.check(CheckReach::kDecoded).is_whole());
  const Manifest found = read_manifest(dataset.path());
  for (const ManifestSplit& split : found.splits) {
    BOOST_TEST(split.num_samples == before.find_split(split.name)->num_samples +
                                        other.find_split(split.name)->num_samples);
  }
  // Once more: the names are there.
  BOOST_TEST(add(dataset.path(), dataset.folder() / "birds.ds").num_already_there == 10u);
}

BOOST_AUTO_TEST_CASE(a_sample_without_a_label_joins_without_one) {
  const CaredDataset dataset;
  DatasetWriter writer(dataset.folder() / "other.ds", {.class_names = {"dog"}});
  const auto jpeg = tests::picture_jpeg({.seed = 9});
  writer.add("train", new_jpeg(jpeg, {.class_idx = kUnlabelled, .name = "nobody.jpg"}));
  writer.add("train", new_jpeg(jpeg, {.class_idx = 0, .name = "rex.jpg"}));
  writer.finish();
  BOOST_TEST(add(dataset.path(), dataset.folder() / "other.ds").num_added == 2u);
  BOOST_TEST(dataset.check(CheckReach::kDecoded).is_whole());
  std::map<std::string, std::uint32_t> classes;
  const DatasetSplit train = Dataset::open(dataset.path()).split("train");
  for (std::uint64_t i = 0; i < train.num_samples(); ++i) {
    classes[train.read_name(i)] = train.record(i).class_idx;
  }
  BOOST_TEST(classes.at("nobody.jpg") == kUnlabelled);
  BOOST_TEST(classes.at("rex.jpg") == 1u);  // cat, dog
}

BOOST_AUTO_TEST_CASE(arrays_join_unless_their_rows_have_the_names_of_rows_that_are_there) {
  const tests::TemporaryFolder folder;
  const auto write = [&](const std::string& name, const std::string& part) {
    const std::string images = tests::npy_file("|u1", "(9, 4, 4)", tests::counted_bytes(144));
    const std::string labels = tests::npy_file("|u1", "(9,)", std::string("\0\1\0\1\0\1\0\1\0", 9));
    tests::write_file(folder.path() / name,
                      tests::zip_file({{.name = part + "images.npy", .bytes = images},
                                       {.name = part + "labels.npy", .bytes = labels}}));
  };
  write("first.npz", "");
  write("again.npz", "");
  write("other.npz", "train_");
  const fs::path dataset = folder.path() / "x.ds";
  tests::convert_quietly(folder.path() / "first.npz", dataset);
  BOOST_TEST(add(dataset, folder.path() / "other.npz").num_added == 9u);
  const auto before = files_below(dataset);
  BOOST_CHECK_EXCEPTION(add(dataset, folder.path() / "again.npz"), Error, [](const Error& error) {
    BOOST_TEST(std::string(error.what()).find("found 'images/0000") != std::string::npos,
               error.what());
    return error.code() == ErrorCode::kInvalidArgument && !error.hint().empty();
  });
  BOOST_TEST((files_below(dataset) == before));
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

// Calls `act` when the first picture is looked at.
struct ActingObserver final : convert::ConvertObserver {
  void notice(const std::string&) override {}
  void progress(const convert::ConvertProgress&) override {
    if (act) act();
    act = nullptr;
  }
  std::function<void()> act;
};

BOOST_AUTO_TEST_CASE(nobody_replaces_a_dataset_while_something_is_added_to_it) {
  const CaredDataset dataset;
  tests::write_picture(dataset.folder() / "more/dog/new.jpg", {.seed = 300});
  ActingObserver observer;
  observer.act = [&] {
    tests::SilentObserver silent;
    BOOST_CHECK_EXCEPTION(
        convert_folder({.source = dataset.source(),
                        .dataset = dataset.path(),
                        .split = {.seed = 7},
                        .existing = convert::ExistingTarget::kReplace},
                       silent, {}),
        Error, [](const Error& error) {
          return std::string(error.what()).find("expected nobody else who changes it, found one") !=
                 std::string::npos;
        });
  };
  const AddSummary summary = add_to_dataset(
      {.dataset = dataset.path(), .source = dataset.folder() / "more"}, observer, {});
  BOOST_TEST(!observer.act);
  BOOST_TEST(summary.num_samples == 17u);
  BOOST_TEST(dataset.check().is_whole());
  BOOST_TEST(!fs::exists(dataset.folder() / "photos.ds.partial"));
}

BOOST_AUTO_TEST_CASE(nothing_is_added_to_a_dataset_while_it_is_replaced) {
  const CaredDataset dataset;
  tests::write_picture(dataset.folder() / "more/dog/new.jpg", {.seed = 300});
  ActingObserver observer;
  observer.act = [&] {
    BOOST_CHECK_EXCEPTION(
        add(dataset.path(), dataset.folder() / "more"), Error,
        [](const Error& error) { return error.code() == ErrorCode::kAlreadyExists; });
  };
  convert_folder({.source = dataset.source(),
                  .dataset = dataset.path(),
                  .split = {.seed = 7},
                  .existing = convert::ExistingTarget::kReplace},
                 observer, {});
  BOOST_TEST(!observer.act);
  BOOST_TEST(dataset.check().is_whole());
}

BOOST_AUTO_TEST_CASE(nothing_is_added_to_another_dataset_that_took_the_place_of_the_first) {
  const CaredDataset dataset;
  tests::write_picture(dataset.folder() / "more/dog/new.jpg", {.seed = 300});
  tests::convert_quietly(dataset.source(), dataset.folder() / "other.ds", 0.0);
  const auto before = files_below(dataset.folder() / "other.ds");
  ActingObserver observer;
  observer.act = [&] {
    fs::rename(dataset.path(), dataset.folder() / "aside.ds");
    fs::rename(dataset.folder() / "other.ds", dataset.path());
  };
  BOOST_CHECK_EXCEPTION(
      add_to_dataset({.dataset = dataset.path(), .source = dataset.folder() / "more"}, observer,
                     {}),
      Error, [](const Error& error) { return error.code() == ErrorCode::kAlreadyExists; });
  BOOST_TEST((files_below(dataset.path()) == before));
}

BOOST_AUTO_TEST_CASE(copies_of_what_was_there_end_an_addition_that_is_to_stop) {
  const CopiesBeside place("duplicate_within_class=stop");
  const auto before = files_below(place.dataset);
  BOOST_CHECK_EXCEPTION(add(place.dataset, place.more), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kTooManyBad; });
  BOOST_TEST((files_below(place.dataset) == before));
  BOOST_TEST(!fs::exists(place.folder.path() / "d.ds.adding"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
