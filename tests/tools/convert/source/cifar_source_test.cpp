#include "tools/convert/source/cifar_source.h"

#include <boost/test/unit_test.hpp>

#include "fixtures/cifar_batch.h"
#include "fixtures/tar_maker.h"
#include "streamer/core/error.h"
#include "tests/tools/compressed.h"
#include "tests/tools/convert/source/scanned_source.h"
#include "tools/convert/source/cifar_names.h"

namespace penstock::convert {
namespace {

using fixtures::cifar_100_batch;
using fixtures::cifar_10_batch;
using tests::findings;
using tests::listed;
using tests::ScannedSource;
using Listed = std::map<std::string, std::string>;
using Texts = std::vector<std::string>;

void check_pixels(const SourcePicture& picture, const fixtures::CifarRecord& record) {
  BOOST_REQUIRE(picture.raw.has_value());
  BOOST_TEST(picture.raw->height_px == 32u);
  BOOST_TEST(picture.raw->width_px == 32u);
  BOOST_TEST(picture.raw->channels == 3u);
  BOOST_REQUIRE(picture.bytes.size() == 3072u);
  std::size_t num_wrong = 0;
  for (std::uint32_t y = 0; y < 32; ++y) {
    for (std::uint32_t x = 0; x < 32; ++x) {
      for (std::uint32_t c = 0; c < 3; ++c) {
        const auto found = static_cast<std::uint8_t>(picture.bytes[(y * 32 + x) * 3 + c]);
        num_wrong += found == fixtures::cifar_pixel(record, c, y, x) ? 0 : 1;
      }
    }
  }
  BOOST_TEST(num_wrong == 0u);
}

std::optional<CifarKind> find_among(std::vector<ScannedFile> files) {
  FolderScan scan;
  scan.files = std::move(files);
  return find_cifar(scan);
}

BOOST_AUTO_TEST_SUITE(cifar_source)

BOOST_AUTO_TEST_CASE(batches_in_a_folder_are_pictures_with_published_names) {
  ScannedSource source;
  source.add("data_batch_1.bin", cifar_10_batch(12, 5));
  source.add("test_batch.bin", cifar_10_batch(2, 6));
  source.add("readme.html", "<html>");
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.description == "CIFAR-10 batches");
  BOOST_TEST(scan.class_names.size() == 10u);
  BOOST_REQUIRE(scan.files.size() == 3u);
  BOOST_TEST(scan.files[0].path == (source.root() / "data_batch_1.bin").string());
  BOOST_TEST(scan.files[0].size_bytes == 12u * 3073u);
  const Listed found = listed(scan);
  BOOST_TEST(found.size() == 14u);
  BOOST_TEST(found.at("data_batch_1/00011") == "train:automobile");
  BOOST_TEST(found.at("test_batch/00000") == "test:airplane");
  check_pixels(tests::read(scan, "data_batch_1/00011"), {.seed = 5, .record_idx = 11});
  check_pixels(tests::read(scan, "test_batch/00001"), {.seed = 6, .record_idx = 1});
}

BOOST_AUTO_TEST_CASE(the_published_archive_is_read_as_it_is) {
  ScannedSource source;
  const std::string folder = "cifar-10-batches-bin/";
  source.add("cifar-10-binary.tar.gz",
             tests::gzipped(fixtures::make_tar(
                 {{folder, "", '5'},
                  {folder + "data_batch_1.bin", cifar_10_batch(3, 1)},
                  {folder + "batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n"},
                  {folder + "readme.html", "<html>"},
                  {folder + "test_batch.bin", cifar_10_batch(1, 2)}})));
  const SourceScan scan = source.scan("cifar-10-binary.tar.gz");
  BOOST_CHECK((listed(scan) == Listed{{"data_batch_1/00000", "train:a"},
                                      {"data_batch_1/00001", "train:b"},
                                      {"data_batch_1/00002", "train:c"},
                                      {"test_batch/00000", "test:a"}}));
  check_pixels(tests::read(scan, "data_batch_1/00002"), {.seed = 1, .record_idx = 2});
}

BOOST_AUTO_TEST_CASE(cifar_100_has_a_fine_and_a_coarse_label) {
  ScannedSource source;
  source.add("train.bin", cifar_100_batch(25, 3));
  const SourceScan fine = source.scan();
  BOOST_TEST(fine.class_names.size() == 100u);
  BOOST_TEST(listed(fine).at("train/00024") == "train:" + std::string(kCifar100FineNames[24]));
  check_pixels(tests::read(fine, "train/00024"), {.seed = 3, .record_idx = 24});
  const SourceScan coarse = source.scan("", {.label = CifarLabel::kCoarse});
  BOOST_TEST(coarse.class_names.size() == 20u);
  BOOST_TEST(listed(coarse).at("train/00024") == "train:" + std::string(kCifar100CoarseNames[4]));
}

// Both published lists are in alphabetical order.
BOOST_AUTO_TEST_CASE(the_published_names_are_whole_lists) {
  BOOST_TEST(std::ranges::is_sorted(kCifar10Names));
  BOOST_TEST(std::ranges::is_sorted(kCifar100FineNames));
  BOOST_TEST(std::ranges::is_sorted(kCifar100CoarseNames));
  BOOST_TEST(kCifar100FineNames.front() == "apple");
  BOOST_TEST(kCifar100FineNames.back() == "worm");
  BOOST_TEST(kCifar100CoarseNames.back() == "vehicles_2");
}

BOOST_AUTO_TEST_CASE(a_cut_batch_and_unknown_labels_are_named_and_the_rest_is_offered) {
  ScannedSource source;
  std::string batch = cifar_10_batch(4, 0);
  batch[3073] = 10;
  source.add("data_batch_1.bin", batch.substr(0, 3 * 3073 + 100));
  const SourceScan scan = source.scan();
  BOOST_CHECK((listed(scan) == Listed{{"data_batch_1/00000", "train:airplane"},
                                      {"data_batch_1/00002", "train:bird"}}));
  BOOST_CHECK((findings(scan) ==
               Texts{"archive_truncated data_batch_1.bin: its last record has 100 of 3073 bytes",
                     "unknown_label data_batch_1/00001: 10"}));
}

BOOST_AUTO_TEST_CASE(a_single_batch_is_a_source_with_the_names_beside_it) {
  ScannedSource source;
  source.add("data_batch_1.bin", cifar_10_batch(2, 0));
  source.add("data_batch_2.bin", cifar_10_batch(2, 0));
  source.add("batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
  const SourceScan scan = source.scan("data_batch_2.bin");
  BOOST_CHECK((listed(scan) ==
               Listed{{"data_batch_2/00000", "train:a"}, {"data_batch_2/00001", "train:b"}}));
}

BOOST_AUTO_TEST_CASE(other_files_beside_batches_are_left_out_and_counted) {
  ScannedSource source;
  source.add("b/data_batch_1.bin", cifar_10_batch(2, 0));
  source.add("b/batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
  source.add("b/LICENSE", "MIT");
  source.add("b/one.jpg", "\xFF\xD8\xFF\xE0");
  source.add("README.md", "# CIFAR");
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.description == "CIFAR-10 batches");
  BOOST_TEST(scan.pictures.size() == 2u);
  BOOST_TEST(scan.num_outside == 3u);
  Texts left;
  for (const QuarantineEntry& entry : scan.passed_over) left.push_back(entry.path);
  BOOST_CHECK((left == Texts{"README.md", "b/LICENSE", "b/one.jpg"}));
}

BOOST_AUTO_TEST_CASE(a_batch_without_a_record_costs_itself_alone) {
  ScannedSource source;
  source.add("data_batch_1.bin", cifar_10_batch(2, 0));
  source.add("data_batch_2.bin", "");
  source.add("data_batch_3.bin", std::string(3000, 'x'));
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.pictures.size() == 2u);
  BOOST_CHECK(
      (findings(scan) ==
       Texts{"archive_truncated data_batch_2.bin: it is empty",
             "archive_truncated data_batch_3.bin: its last record has 3000 of 3073 bytes"}));
}

BOOST_AUTO_TEST_CASE(class_folders_with_a_stray_batch_stay_class_folders) {
  BOOST_CHECK(!find_among({{"cat/1.jpg", 5}, {"cat/test.bin", 3074}, {"dog/1.jpg", 5}}));
  BOOST_CHECK(!find_among({{"cat/1.jpg", 5}, {"test.bin", 3074}}));
  BOOST_CHECK(!find_among({{"1.jpg", 5}, {"test.bin", 3075}}));
  std::vector<ScannedFile> many = {{"test.bin", 3074}};
  for (int i = 0; i < 65; ++i) many.push_back({std::to_string(i) + ".jpg", 5});
  BOOST_CHECK(!find_among(many));
}

BOOST_AUTO_TEST_CASE(files_that_only_sound_like_batches_are_none) {
  BOOST_CHECK(!find_among({{"data_batch_1.bin", 3072}}));
  BOOST_CHECK(!find_among({{"data_batch_1.bin", 3073}, {"cat/1.jpg", 5}}));
  BOOST_CHECK(!find_among({{"data_batch_1.bin", 3073}, {"train.bin", 3074}}));
  BOOST_CHECK(!find_among({{"readme.txt", 3073}}));
  BOOST_CHECK(find_among({{"a/test.bin", 3074}}) == CifarKind::kCifar100);
}

BOOST_AUTO_TEST_CASE(a_label_kind_is_refused_where_there_is_one_label) {
  ScannedSource source;
  source.add("data_batch_1.bin", cifar_10_batch(1, 0));
  BOOST_CHECK_THROW(source.scan("", {.label = CifarLabel::kCoarse}), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
