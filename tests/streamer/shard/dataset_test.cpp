#include "streamer/shard/dataset.h"

#include <boost/test/unit_test.hpp>
#include <span>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/little_endian.h"
#include "streamer/shard/shard_file.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::ShardMaker;

// A dataset of two training shards (70 and 2 samples) and a test shard (3 samples, no names).
struct Fixture {
  Fixture() {
    std::filesystem::create_directory(path);
    Manifest manifest;
    manifest.class_names = {"circle", "ring"};
    manifest.splits = {
        {.name = "train",
         .num_samples = 72,
         .num_by_class = {36, 36},
         .shards = {ShardMaker{.num_samples = 70}.write(path / "train-00000.h5"),
                    ShardMaker{.num_samples = 2}.write(path / "train-00001.h5")}},
        {.name = "test",
         .num_samples = 3,
         .num_by_class = {2, 1},
         .shards = {ShardMaker{.num_samples = 3, .store_names = false, .split = "test"}.write(
             path / "test-00000.h5")}}};
    manifest.largest.decode_scratch_bytes = 4242;
    write_manifest(path, manifest);
  }

  void expect_corrupt(const std::string& message) const {
    BOOST_CHECK_EXCEPTION(Dataset::open(path).split("train"), Error, [&](const Error& error) {
      BOOST_TEST(error.what() == message);
      BOOST_TEST(error.hint() ==
                 "restore the file from a copy, or save what is left: penstock repair " +
                     path.native());
      return error.code() == ErrorCode::kCorruptData;
    });
  }

  tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "d.penstock";
};

void expect_no_dataset(const std::filesystem::path& path, const std::string& message,
                       const std::string& hint, ErrorCode code = ErrorCode::kInvalidArgument) {
  BOOST_CHECK_EXCEPTION(Dataset::open(path), Error, [&](const Error& error) {
    BOOST_TEST(error.what() == message);
    BOOST_TEST(error.hint() == hint);
    return error.code() == code;
  });
}

BOOST_FIXTURE_TEST_SUITE(dataset, Fixture)

BOOST_AUTO_TEST_CASE(samples_are_numbered_through_the_shards) {
  const Dataset dataset = Dataset::open(path);
  BOOST_TEST(dataset.folder() == path);
  BOOST_TEST(dataset.manifest().class_names.size() == 2u);
  const DatasetSplit train = dataset.split("train");
  BOOST_TEST(train.name() == "train");
  BOOST_TEST(train.dataset_id() == dataset.manifest().id);
  BOOST_TEST(train.num_samples() == 72u);
  for (std::size_t id = 0; id < 72; ++id) {
    const std::size_t in_shard = id < 70 ? id : id - 70;
    const IndexRecord record = train.record(id);
    const tests::Bytes expected = tests::sample_bytes(in_shard, 3 * ShardMaker::num_px(in_shard));
    BOOST_REQUIRE(record.length_bytes == expected.size());
    tests::Bytes found(record.length_bytes);
    train.shard_of(id).read_sample(record, found);
    BOOST_TEST((found == expected));
  }
  BOOST_TEST(train.shard_of(69).path() == path / "train-00000.h5");
  BOOST_TEST(train.shard_of(70).path() == path / "train-00001.h5");
  BOOST_CHECK_THROW(train.record(72), Error);
}

BOOST_AUTO_TEST_CASE(names_follow_the_samples_and_are_empty_when_left_out) {
  const Dataset dataset = Dataset::open(path);
  const std::vector<std::string> names = dataset.split("train").read_names();
  BOOST_REQUIRE(names.size() == 72u);
  BOOST_TEST(names[69] == "ring/69.png");
  BOOST_TEST(names[70] == "ring/0.png");
  const std::vector<std::string> none = dataset.split("test").read_names();
  BOOST_TEST(none == std::vector<std::string>(3), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_unknown_split_is_answered_with_those_there_are) {
  BOOST_CHECK_EXCEPTION(Dataset::open(path).split("validation"), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kNotFound &&
           error.what() == "dataset: " + path.native() +
                               ": expected a split \"validation\", found train, test" &&
           error.hint() ==
               "take one of these, or convert the source again with --validation-split or "
               "--test-split";
  });
}

BOOST_AUTO_TEST_CASE(a_split_outlives_its_dataset) {
  const DatasetSplit split = [&] { return Dataset::open(path).split("test"); }();
  BOOST_TEST(split.record(2).width_px == 3u);
}

BOOST_AUTO_TEST_CASE(a_shard_swapped_for_another_is_noticed) {
  const std::filesystem::path shard = path / "train-00000.h5";
  const std::string uuid = ShardFile::open(shard).uuid();
  std::filesystem::remove(shard);
  // The same size, count and split; the names differ in their last letters only.
  ShardWriter writer(shard, ShardMaker{.num_samples = 70}.config());
  for (std::size_t i = 0; i < 70; ++i) {
    const tests::Bytes encoded = tests::sample_bytes(i, 3 * ShardMaker::num_px(i));
    std::string name = ShardMaker::name(i);
    name.replace(name.size() - 3, 3, "bmp");
    writer.add({.encoded = encoded,
                .record = {.class_idx = static_cast<std::uint32_t>(i % 2),
                           .width_px = static_cast<std::uint32_t>(ShardMaker::num_px(i)),
                           .height_px = 1,
                           .codec = 1},
                .name = name});
  }
  const std::string other = writer.finish().uuid;
  expect_corrupt("shard: " + shard.native() + ": uuid: expected " + uuid +
                 " (dataset.json), found " + other);
}

BOOST_AUTO_TEST_CASE(a_shard_of_another_size_is_noticed) {
  const std::uint64_t expected = std::filesystem::file_size(path / "train-00000.h5");
  const std::uint64_t found = std::filesystem::file_size(path / "train-00001.h5");
  std::filesystem::copy_file(path / "train-00001.h5", path / "train-00000.h5",
                             std::filesystem::copy_options::overwrite_existing);
  expect_corrupt("shard: " + (path / "train-00000.h5").native() + ": size_bytes: expected " +
                 std::to_string(expected) + " (dataset.json), found " + std::to_string(found));
}

// Another header over the same samples: reserved bytes are free, and its own checksum is right.
BOOST_AUTO_TEST_CASE(a_header_made_anew_is_noticed) {
  const std::filesystem::path shard = path / "train-00001.h5";
  tests::Bytes bytes = tests::read_bytes(shard);
  const auto header = std::span<const std::byte>(bytes);
  const std::string expected = hex(xxh3_64(header.first(4096)));
  bytes[52] = std::byte{1};  // FORMAT.md, section 2: reserved
  store_le(xxh3_64(header.first(4088)), &bytes[4088]);
  tests::write_bytes(shard, bytes);
  expect_corrupt("shard: " + shard.native() + ": header_xxh3: expected " + expected +
                 " (dataset.json), found " + hex(xxh3_64(header.first(4096))));
}

BOOST_AUTO_TEST_CASE(classes_other_than_the_datasets_are_noticed) {
  Manifest manifest = Dataset::open(path).manifest();
  manifest.class_names[1] = "rung";
  write_manifest(path, manifest);
  const std::string shard = (path / "train-00000.h5").native();
  expect_corrupt("shard: " + shard +
                 ": class_names: expected \"rung\" (dataset.json), found \"ring\"");
  manifest.class_names = {"circle"};
  manifest.splits.erase(manifest.splits.begin() + 1, manifest.splits.end());
  for (ManifestSplit& split : manifest.splits) split.num_by_class = {1};
  write_manifest(path, manifest);
  expect_corrupt("shard: " + shard + ": num_classes: expected 1 (dataset.json), found 2");
}

// FORMAT.md, section 9: as penstock add --new-classes leaves it.
BOOST_AUTO_TEST_CASE(a_shard_from_before_classes_were_added_is_read) {
  Manifest manifest = Dataset::open(path).manifest();
  manifest.class_names.push_back("disc");
  for (ManifestSplit& split : manifest.splits) split.num_by_class.push_back(0);
  write_manifest(path, manifest);
  const DatasetSplit split = Dataset::open(path).split("train");
  BOOST_TEST(split.class_names().size() == 3u);
  BOOST_TEST(split.record(1).class_idx == 1u);
}

BOOST_AUTO_TEST_CASE(a_split_without_samples_opens_and_has_none_to_show) {
  Manifest manifest = Dataset::open(path).manifest();
  manifest.splits.push_back(
      {.name = "validation", .num_samples = 0, .num_by_class = {0, 0}, .shards = {}});
  write_manifest(path, manifest);
  const DatasetSplit split = Dataset::open(path).split("validation");
  BOOST_TEST(split.num_samples() == 0u);
  BOOST_TEST(split.num_shards() == 0u);
  split.scan_index([](auto, auto) { BOOST_FAIL("a record of an empty split"); });
  BOOST_CHECK_EXCEPTION(split.sample(0), Error, [](const Error& error) {
    BOOST_TEST(error.what() ==
               std::string("dataset: split validation: sample: expected none, the split is empty, "
                           "found 0"));
    return error.code() == ErrorCode::kInvalidArgument;
  });
}

BOOST_AUTO_TEST_CASE(a_missing_shard_is_named) {
  std::filesystem::remove(path / "train-00001.h5");
  expect_corrupt("dataset: " + path.native() + ": expected the shard train-00001.h5, found none");
}

BOOST_AUTO_TEST_CASE(a_folder_of_pictures_is_answered_with_the_convert_line) {
  const std::filesystem::path pictures = folder.path() / "photos";
  for (const char* picture : {"cat/1.JPG", "train/cat/1.png"}) {
    std::filesystem::remove_all(pictures);
    std::filesystem::create_directories((pictures / picture).parent_path());
    tests::write_bytes(pictures / picture, {});
    expect_no_dataset(
        pictures.native() + "/",
        "dataset: " + pictures.native() + ": expected dataset.json, found none",
        "penstock convert " + pictures.native() + " " + pictures.native() + ".penstock");
  }
}

BOOST_AUTO_TEST_CASE(other_paths_are_answered_with_what_is_there) {
  const std::filesystem::path other = folder.path() / "x";
  expect_no_dataset(other, "dataset: " + other.native() + ": expected a folder, found none",
                    "check the path", ErrorCode::kNotFound);
  std::filesystem::create_directory(other.native() + ".partial");
  expect_no_dataset(other, "dataset: " + other.native() + ": expected a folder, found none",
                    "its conversion was not finished (" + other.native() +
                        ".partial is there): run the same penstock convert again",
                    ErrorCode::kNotFound);
  std::filesystem::create_directory(other);
  expect_no_dataset(other, "dataset: " + other.native() + ": expected dataset.json, found none",
                    "check the path");
  tests::write_bytes(folder.path() / "f", {});
  BOOST_CHECK_THROW(Dataset::open(folder.path() / "f"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
