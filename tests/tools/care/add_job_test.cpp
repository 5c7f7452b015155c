#include "tools/care/add_job.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <string>

#include "fixtures/cifar_batch.h"
#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "streamer/read/new_picture.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/dataset_writer.h"
#include "tests/tools/care/cared_dataset.h"
#include "tests/tools/convert/source/array_files.h"
#include "tools/care/change_report.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tests::add;
using tests::CaredDataset;
using tests::files_below;

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
