#include "tools/care/dataset_check.h"

#include <hdf5.h>

#include <boost/test/unit_test.hpp>
#include <random>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "streamer/shard/shard_header.h"
#include "streamer/shard/shard_writer.h"
#include "tests/contains.h"
#include "tests/tools/care/cared_dataset.h"
#include "tools/care/add_job.h"
#include "tools/care/check_report.h"
#include "tools/care/dataset_change.h"
#include "tools/care/remove_job.h"
#include "tools/size_option.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tests::CaredDataset;

// What lies in no section, header or HDF5 object: bytes between parts, which nobody reads.
bool is_padding(const std::string& bytes, std::uint64_t at) {
  const auto* const begin = reinterpret_cast<const std::byte*>(bytes.data());
  const ShardHeader header =
      parse_shard_header(std::span<const std::byte, 4096>(begin, kShardHeaderBytes), "test");
  std::uint64_t first_section = UINT64_MAX;
  for (const ShardSection& section : header.sections) {
    if (at >= section.offset_bytes && at < section.offset_bytes + section.length_bytes)
      return false;
    first_section = std::min(first_section, section.offset_bytes);
  }
  if (at < kShardHeaderBytes) return false;
  return at >= first_section || bytes[at] == 0;
}

BOOST_AUTO_TEST_SUITE(dataset_check)

BOOST_AUTO_TEST_CASE(a_dataset_as_converted_is_whole) {
  const CaredDataset dataset;
  const DatasetCheck check = dataset.check(CheckReach::kDecoded);
  BOOST_TEST(check.is_whole());
  BOOST_TEST(check.num_samples == 16u);
  BOOST_TEST(check.num_decoded == 16u);
  BOOST_TEST(check.num_shards == 2u);
  BOOST_TEST(check.strangers.empty());
}

BOOST_AUTO_TEST_CASE(one_flipped_bit_anywhere_is_found) {
  const CaredDataset dataset(3);
  const std::string bytes = read_text_file(dataset.train());
  std::mt19937_64 random(20250101);
  int num_flipped = 0;
  while (num_flipped < 400) {
    const std::uint64_t at = random() % bytes.size();
    const auto bit = static_cast<unsigned>(random() % 8);
    if (is_padding(bytes, at)) continue;
    ++num_flipped;
    fixtures::flip_bit(dataset.train(), {at, bit});
    BOOST_TEST(!dataset.check().is_whole(), "byte " << at << ", bit " << bit);
    fixtures::flip_bit(dataset.train(), {at, bit});
  }
  BOOST_TEST(dataset.check().is_whole());
}

BOOST_AUTO_TEST_CASE(a_damaged_sample_is_named_with_its_split_and_number) {
  const CaredDataset dataset;
  const DatasetSplit split = Dataset::open(dataset.path()).split("train");
  fixtures::flip_byte(dataset.train(), split.record(5).offset_bytes + 7);
  const DatasetCheck check = dataset.check();
  BOOST_TEST(check.num_damaged_samples == 1u);
  BOOST_REQUIRE(check.damage.size() == 1u);
  BOOST_TEST(check.damage[0].split == "train");
  BOOST_TEST(check.damage[0].file == "train-00000.h5");
  BOOST_TEST(check.damage[0].sample_idx.value() == 5u);
  BOOST_TEST(check.damage[0].name == split.read_name(5));
  BOOST_TEST(tests::contains(check.damage[0].what, "checksum: expected"));
  // Decoding takes the time to compare the section's checksum as well.
  const DatasetCheck deep = dataset.check(CheckReach::kDecoded);
  BOOST_REQUIRE(deep.damage.size() == 2u);
  BOOST_TEST(tests::contains(deep.damage[0].what, "section images"));
}

BOOST_AUTO_TEST_CASE(a_sample_longer_than_a_block_is_hashed_across_blocks) {
  const tests::TemporaryFolder folder;
  tests::write_picture(folder.path() / "photos" / "a" / "large.jpg",
                       {.width_px = 2400, .height_px = 1600, .jpeg = {.quality = 98}});
  tests::write_picture(folder.path() / "photos" / "b" / "small.jpg");
  tests::convert_quietly(folder.path() / "photos", folder.path() / "d.ds", 0);
  BOOST_REQUIRE(fs::file_size(folder.path() / "photos" / "a" / "large.jpg") > 2 * kCheckBlockBytes);
  const DatasetCheckConfig config{.dataset = folder.path() / "d.ds"};
  BOOST_TEST(check_dataset(config, tests::no_progress, {}).is_whole());
  fixtures::flip_byte(folder.path() / "d.ds" / "train-00000.h5", 16384 + kCheckBlockBytes + 9);
  BOOST_TEST(check_dataset(config, tests::no_progress, {}).num_damaged_samples == 1u);
}

// One shard of 16 MiB, whose samples several threads share, against one thread in one pass.
BOOST_AUTO_TEST_CASE(any_number_of_threads_finds_the_same) {
  const tests::TemporaryFolder folder;
  for (std::uint32_t i = 0; i < 16; ++i) {
    std::vector<std::byte> bytes = tests::picture_jpeg({.seed = i});
    bytes.resize((1u << 20) + 1000 * i);  // what lies behind the end is kept
    tests::write_file(folder.path() / "photos/a" / (std::to_string(i) + ".jpg"),
                      std::span<const std::byte>(bytes));
  }
  const fs::path dataset = folder.path() / "ds";
  tests::convert_quietly(folder.path() / "photos", dataset, 0.0);
  const std::string shard = read_text_file(dataset / "train-00000.h5");
  const auto check = [&](unsigned num_jobs) {
    return check_dataset({.dataset = dataset, .num_jobs = num_jobs}, tests::no_progress, {});
  };
  BOOST_TEST(check(3).is_whole());
  std::string bent = shard;
  for (const std::size_t at : {bent.size() / 5, bent.size() / 2, bent.size() / 2 + 3'000'000}) {
    bent[at] = static_cast<char>(bent[at] ^ 1);
  }
  for (const std::string& bytes : {bent, bent.substr(0, bent.size() * 3 / 4)}) {
    tests::write_file(dataset / "train-00000.h5", bytes);
    const DatasetCheck one = check(1);
    BOOST_TEST(one.num_damaged_samples >= 3u);
    for (const unsigned num_jobs : {2u, 5u}) {
      const DatasetCheck more = check(num_jobs);
      BOOST_TEST(more.num_damaged_samples == one.num_damaged_samples);
      BOOST_REQUIRE(more.damage.size() == one.damage.size());
      for (std::size_t i = 0; i < one.damage.size(); ++i) {
        BOOST_TEST((more.damage[i].sample_idx == one.damage[i].sample_idx));
        BOOST_TEST(more.damage[i].file == one.damage[i].file);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_shard_that_is_gone_or_cut_short_is_damage_and_the_others_are_read) {
  const CaredDataset dataset;
  const auto num_train = Dataset::open(dataset.path()).split("train").num_samples();
  const std::string bytes = read_text_file(dataset.train());
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{4000}, std::uint64_t{20000}}) {
    fixtures::truncate_file(dataset.train(), size);
    const DatasetCheck check = dataset.check();
    BOOST_TEST(check.num_damaged_samples == num_train, "cut to " << size);
    tests::write_file(dataset.train(), bytes);
  }
  BOOST_TEST(dataset.check().is_whole());
  fs::remove(dataset.train());
  BOOST_TEST(dataset.check().num_damaged_samples == num_train);
}

BOOST_AUTO_TEST_CASE(counts_of_the_manifest_are_held_against_the_records) {
  const CaredDataset dataset;
  Manifest manifest = read_manifest(dataset.path());
  --manifest.splits[0].num_by_class[0];
  write_manifest(dataset.path(), manifest);
  const DatasetCheck check = dataset.check();
  BOOST_REQUIRE(check.damage.size() == 1u);
  BOOST_TEST(tests::contains(check.damage[0].what, "class cat: expected"));
}

// A checksum that fits bytes which are no picture, as a foreign writer might leave it.
BOOST_AUTO_TEST_CASE(what_does_not_decode_is_found_by_decoding_only) {
  const CaredDataset dataset;
  Manifest manifest = read_manifest(dataset.path());
  fs::remove(dataset.train());
  ShardWriter writer(dataset.train(), {.split = "train",
                                       .class_names = manifest.class_names,
                                       .num_samples = 1,
                                       .payload_bytes = 4});
  const std::vector<std::byte> no_picture(4);
  writer.add({.encoded = no_picture,
              .record = {.class_idx = 0, .width_px = 2, .height_px = 2},
              .name = "cat/x.jpg"});
  ManifestSplit& train = manifest.splits[0];
  train.shards = {writer.finish()};
  train.num_samples = 1;
  train.num_by_class = {1, 0};
  manifest.size_histogram.clear();
  manifest.aspect_histogram.clear();
  write_manifest(dataset.path(), manifest);
  BOOST_TEST(dataset.check().is_whole());
  const DatasetCheck deep = dataset.check(CheckReach::kDecoded);
  BOOST_TEST(deep.num_damaged_samples == 1u);
  BOOST_TEST(tests::contains(deep.damage.at(0).what, "decode: "));
}

BOOST_AUTO_TEST_CASE(a_shard_that_no_manifest_names_is_told_and_no_damage) {
  const CaredDataset dataset;
  fs::copy_file(dataset.train(), dataset.path() / "train-00009.h5");
  const DatasetCheck check = dataset.check();
  BOOST_TEST(check.is_whole());
  BOOST_TEST(check.strangers == std::vector<std::string>{"train-00009.h5"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_change_that_was_cut_short_is_told_and_no_damage) {
  const CaredDataset dataset;
  BOOST_TEST(!dataset.check().has_unfinished_change);
  tests::write_file(dataset.path() / kUnfinishedChangeName, "{}");
  const DatasetCheck check = dataset.check();
  BOOST_TEST(check.is_whole());
  BOOST_TEST(check.has_unfinished_change);
  BOOST_TEST(tests::contains(check_text(check, "d"), "cut short here"));
}

BOOST_AUTO_TEST_CASE(a_change_beside_the_check_is_no_damage_and_its_new_shards_no_strangers) {
  const CaredDataset dataset;
  const std::string name = Dataset::open(dataset.path()).split("train").read_name(0);
  bool is_changed = false;
  const auto change = [&](const CheckProgress&) {
    if (is_changed) return;
    is_changed = true;
    remove_samples({.dataset = dataset.path(), .names = {name}}, tests::no_progress, {});
  };
  BOOST_CHECK_EXCEPTION(check_dataset({.dataset = dataset.path(), .num_jobs = 2}, change, {}),
                        Error, [](const Error& error) {
                          return error.code() == ErrorCode::kIo &&
                                 tests::contains(error.what(),
                                                 "expected nobody who changes it meanwhile");
                        });
  BOOST_TEST(dataset.check().is_whole());
  // At work: its record is there, and the first of its shards.
  const DatasetChange at_work(dataset.path(), {.new_shards = {"train-00002.h5"}});
  fs::copy_file(dataset.path() / "train-00001.h5", dataset.path() / "train-00002.h5");
  fs::copy_file(dataset.path() / "train-00001.h5", dataset.path() / "train-00009.h5");
  const DatasetCheck check = dataset.check();
  BOOST_TEST(check.has_unfinished_change);
  BOOST_TEST(check.strangers == std::vector<std::string>{"train-00009.h5"},
             boost::test_tools::per_element());
}

// What is added has its shards at once, and nothing that was read is another.
BOOST_AUTO_TEST_CASE(shards_that_were_added_beside_the_check_are_no_strangers) {
  const CaredDataset dataset;
  const fs::path more = dataset.folder() / "more";
  tests::write_picture(more / "dog/new.jpg", {.seed = 300});
  bool is_changed = false;
  const auto change = [&](const CheckProgress&) {
    if (is_changed) return;
    is_changed = true;
    tests::SilentObserver observer;
    add_to_dataset({.dataset = dataset.path(), .source = more}, observer, {});
  };
  const DatasetCheck check = check_dataset({.dataset = dataset.path(), .num_jobs = 2}, change, {});
  BOOST_TEST(is_changed);
  BOOST_TEST(check.is_whole());
  BOOST_TEST(check.num_samples == 16u);
  BOOST_TEST(check.strangers.empty());
}

// As h5repack -f GZIP writes it: only where the pictures are matters here.
BOOST_AUTO_TEST_CASE(a_shard_that_was_compressed_is_no_damage_and_not_read) {
  const CaredDataset dataset;
  const std::uint64_t num_samples = read_manifest(dataset.path()).splits.at(0).num_samples;
  const hid_t creation = ::H5Pcreate(H5P_FILE_CREATE);
  ::H5Pset_userblock(creation, kShardHeaderBytes);
  const hid_t file = ::H5Fcreate(dataset.train().c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT);
  const hsize_t length = 8192;
  const hid_t space = ::H5Screate_simple(1, &length, nullptr);
  const hid_t list = ::H5Pcreate(H5P_DATASET_CREATE);
  ::H5Pset_chunk(list, 1, &length);
  ::H5Pset_deflate(list, 6);
  const hid_t images =
      ::H5Dcreate2(file, "images", H5T_STD_U8LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  BOOST_REQUIRE(images >= 0);
  ::H5Dclose(images);
  ::H5Pclose(list);
  ::H5Pclose(creation);
  ::H5Sclose(space);
  ::H5Fclose(file);

  const DatasetCheck check = dataset.check();
  BOOST_TEST(!check.is_whole());
  BOOST_TEST(check.damage.empty());
  BOOST_TEST(check.num_damaged_samples == 0u);
  BOOST_REQUIRE(check.other_forms.size() == 1u);
  BOOST_TEST(check.other_forms[0].num_samples == num_samples);
  const std::string train = dataset.train().native();
  BOOST_TEST(check.other_forms[0].hint == "h5repack -l CONTI -f NONE " + train + " " + train +
                                              ".new && mv " + train + ".new " + train +
                                              " && penstock repair " + dataset.path().native());
  const std::string text = check_text(check, "d");
  BOOST_TEST(tests::contains(text, ": NOT READ, " + std::to_string(num_samples) +
                                       " samples in 1 shard of another form; "));
  BOOST_TEST(!tests::contains(text, "DAMAGED"));
}

// 11.5 MB of pixels.
BOOST_AUTO_TEST_CASE(a_large_jpeg_is_decoded_in_strips) {
  const tests::TemporaryFolder folder;
  tests::write_picture(folder.path() / "photos" / "a" / "large.jpg",
                       {.width_px = 2400, .height_px = 1600});
  tests::convert_quietly(folder.path() / "photos", folder.path() / "d.ds", 0);
  const DatasetCheck check = check_dataset(
      {.dataset = folder.path() / "d.ds", .reach = CheckReach::kDecoded, .memory_bytes = 4u << 20},
      tests::no_progress, {});
  BOOST_TEST(check.is_whole());
  BOOST_TEST(check.num_decoded == 1u);
}

// Of several scans all coefficients are held.
BOOST_AUTO_TEST_CASE(decoding_keeps_to_its_memory_and_stops_on_request) {
  const CaredDataset dataset;
  const tests::TemporaryFolder folder;
  tests::write_picture(folder.path() / "photos" / "a" / "large.jpg",
                       {.width_px = 2400, .height_px = 1600, .jpeg = {.is_progressive = true}});
  tests::write_picture(folder.path() / "photos" / "b" / "small.jpg");
  tests::convert_quietly(folder.path() / "photos", folder.path() / "d.ds", 0);
  std::string enough;
  BOOST_CHECK_EXCEPTION(check_dataset({.dataset = folder.path() / "d.ds",
                                       .reach = CheckReach::kDecoded,
                                       .memory_bytes = 4u << 20},
                                      tests::no_progress, {}),
                        Error, [&](const Error& error) {
                          enough = error.hint();
                          return error.code() == ErrorCode::kOutOfMemory;
                        });
  // What it says can be typed, and is enough.
  const std::string flag = "--memory ";
  BOOST_REQUIRE(enough.starts_with(flag));
  const DatasetCheckConfig config{
      .dataset = folder.path() / "d.ds",
      .reach = CheckReach::kDecoded,
      .memory_bytes = tools::parse_byte_size(enough.substr(flag.size()), "--memory")};
  BOOST_TEST(check_dataset(config, tests::no_progress, {}).num_decoded == 2u);
  std::stop_source stop;
  stop.request_stop();
  BOOST_CHECK_EXCEPTION(
      check_dataset({.dataset = dataset.path()}, tests::no_progress, stop.get_token()), Error,
      [](const Error& error) { return error.code() == ErrorCode::kStopped; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
