#include "tools/convert/source/idx_source.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "fixtures/idx_file.h"
#include "fixtures/tar_maker.h"
#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "tests/tools/compressed.h"
#include "tests/tools/convert/source/scanned_source.h"

namespace penstock::convert {
namespace {

using fixtures::idx_labels;
using fixtures::idx_pictures;
using tests::findings;
using tests::gzipped;
using tests::listed;
using tests::ScannedSource;
using Listed = std::map<std::string, std::string>;
using Texts = std::vector<std::string>;

constexpr const char* kTrainPictures = "train-images-idx3-ubyte";
constexpr const char* kTrainLabels = "train-labels-idx1-ubyte";

void check_pixels(const SourceScan& scan, const std::string& name, std::uint32_t picture_idx,
                  const fixtures::IdxShape& shape) {
  const SourcePicture picture = tests::read(scan, name);
  BOOST_REQUIRE(picture.raw.has_value());
  BOOST_TEST(picture.raw->height_px == shape.height_px);
  BOOST_TEST(picture.raw->width_px == shape.width_px);
  BOOST_TEST(picture.raw->channels == 1u);
  BOOST_REQUIRE(picture.bytes.size() == std::size_t{shape.height_px} * shape.width_px);
  std::size_t num_wrong = 0;
  for (std::uint32_t y = 0; y < shape.height_px; ++y) {
    for (std::uint32_t x = 0; x < shape.width_px; ++x) {
      const auto found = static_cast<std::uint8_t>(picture.bytes[y * shape.width_px + x]);
      num_wrong += found == fixtures::idx_pixel(picture_idx, y, x) ? 0 : 1;
    }
  }
  BOOST_TEST(num_wrong == 0u);
}

BOOST_AUTO_TEST_SUITE(idx_source)

BOOST_AUTO_TEST_CASE(the_published_files_are_read_as_they_are) {
  const fixtures::IdxShape shape{.num_pictures = 12, .height_px = 28, .width_px = 20};
  ScannedSource source;
  source.add(kTrainPictures + std::string(".gz"), gzipped(idx_pictures(shape)));
  source.add(kTrainLabels + std::string(".gz"), gzipped(idx_labels(12)));
  source.add("t10k-images-idx3-ubyte", idx_pictures({.num_pictures = 2}));
  source.add("t10k-labels-idx1-ubyte", idx_labels(2));
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.description == "IDX files");
  BOOST_TEST(scan.class_names.size() == 10u);
  const Listed found = listed(scan);
  BOOST_TEST(found.size() == 14u);
  BOOST_TEST(found.at("train-images-idx3-ubyte/00011") == "train:1");
  BOOST_TEST(found.at("t10k-images-idx3-ubyte/00001") == "test:1");
  check_pixels(scan, "train-images-idx3-ubyte/00011", 11, shape);
  check_pixels(scan, "t10k-images-idx3-ubyte/00001", 1, {});
  BOOST_TEST(scan.findings.empty());
}

BOOST_AUTO_TEST_CASE(one_file_of_pictures_finds_its_labels_and_an_archive_holds_both) {
  ScannedSource source;
  source.add(kTrainPictures, idx_pictures({.num_pictures = 3}));
  source.add(kTrainLabels, idx_labels(3));
  source.add("t10k-images-idx3-ubyte", idx_pictures({.num_pictures = 3}));
  source.add("mnist.tar", fixtures::make_tar({{kTrainPictures, idx_pictures({.num_pictures = 2})},
                                              {kTrainLabels, idx_labels(2)}}));
  BOOST_TEST(source.scan(kTrainPictures).pictures.size() == 3u);
  BOOST_TEST(source.scan("mnist.tar").pictures.size() == 2u);
}

BOOST_AUTO_TEST_CASE(the_published_files_are_read_in_an_archive_too) {
  const fixtures::IdxShape shape{.num_pictures = 12, .height_px = 28, .width_px = 20};
  const std::string pictures = gzipped(idx_pictures(shape));
  const std::string test_labels = gzipped(idx_labels(2));
  const std::vector<fixtures::TarEntry> entries = {
      {"train-images-idx3-ubyte.gz", pictures},
      {"train-labels-idx1-ubyte.gz", gzipped(idx_labels(12))},
      {"t10k-images-idx3-ubyte", idx_pictures({.num_pictures = 2})},
      {"t10k-labels-idx1-ubyte.gz", test_labels}};
  ScannedSource source;
  source.add("mnist.tar", fixtures::make_tar(entries));
  source.add("mnist.tar.gz", gzipped(fixtures::make_tar(entries)));
  for (const char* name : {"mnist.tar", "mnist.tar.gz"}) {
    const SourceScan scan = source.scan(name);
    BOOST_TEST(scan.description == "IDX files");
    BOOST_TEST(scan.findings.empty());
    const Listed found = listed(scan);
    BOOST_TEST(found.size() == 14u);
    BOOST_TEST(found.at("train-images-idx3-ubyte/00011") == "train:1");
    BOOST_TEST(found.at("t10k-images-idx3-ubyte/00001") == "test:1");
    check_pixels(scan, "train-images-idx3-ubyte/00011", 11, shape);
    check_pixels(scan, "t10k-images-idx3-ubyte/00001", 1, {});
  }
}

BOOST_AUTO_TEST_CASE(a_compressed_file_in_an_archive_that_is_cut_or_damaged_is_named) {
  const std::string pictures = gzipped(idx_pictures({.num_pictures = 4}));
  const std::string labels = gzipped(idx_labels(4));
  std::string damaged = pictures;
  damaged[damaged.size() - 8] = static_cast<char>(damaged[damaged.size() - 8] ^ 1);  // CRC-32
  ScannedSource source;
  source.add("cut.tar", fixtures::make_tar(
                            {{"train-images-idx3-ubyte.gz", pictures},
                             {"train-labels-idx1-ubyte.gz", labels.substr(0, labels.size() - 9)}}));
  source.add("bad.tar", fixtures::make_tar({{"train-images-idx3-ubyte.gz", damaged},
                                            {"train-labels-idx1-ubyte.gz", labels}}));
  const Texts cut = findings(source.scan("cut.tar"));
  BOOST_REQUIRE(!cut.empty());
  BOOST_TEST(cut[0].starts_with("archive_truncated train-labels-idx1-ubyte"));
  const SourceScan scan = source.scan("bad.tar");
  BOOST_CHECK((findings(scan) == Texts{"archive_damaged train-images-idx3-ubyte.gz: gzip: "
                                       "incorrect data check"}));
  BOOST_TEST(!tests::read(scan, "train-images-idx3-ubyte/00000").failed_checksum.empty());
}

BOOST_AUTO_TEST_CASE(a_file_beside_its_compressed_copy_keeps_a_name_of_its_own) {
  ScannedSource source;
  source.add("x.tar", fixtures::make_tar({{kTrainLabels, idx_labels(2)},
                                          {kTrainPictures, idx_pictures({.num_pictures = 2})},
                                          {kTrainPictures + std::string(".gz"),
                                           gzipped(idx_pictures({.num_pictures = 2}))}}));
  const SourceScan scan = source.scan("x.tar");
  BOOST_TEST(scan.pictures.size() == 2u);
  BOOST_TEST(listed(scan).size() == 2u);
  BOOST_TEST(scan.findings.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_archive_beside_the_files_is_left_out) {
  ScannedSource source;
  source.add(kTrainPictures, idx_pictures({.num_pictures = 3}));
  source.add(kTrainLabels, idx_labels(3));
  source.add("mnist.tar", fixtures::make_tar({{"cat/1.jpg", ""}}));
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.description == "IDX files");
  BOOST_TEST(scan.pictures.size() == 3u);
  BOOST_TEST(scan.num_outside == 1u);
}

BOOST_AUTO_TEST_CASE(names_without_a_split_leave_it_open) {
  ScannedSource source;
  source.add("digits-images-idx3-ubyte", idx_pictures({.num_pictures = 1}));
  source.add("digits-labels-idx1-ubyte", idx_labels(1));
  BOOST_CHECK((listed(source.scan()) == Listed{{"digits-images-idx3-ubyte/00000", "0"}}));
}

BOOST_AUTO_TEST_CASE(class_names_come_from_a_file) {
  ScannedSource source;
  source.add("idx/" + std::string(kTrainPictures), idx_pictures({.num_pictures = 3}));
  source.add("idx/" + std::string(kTrainLabels), idx_labels(3));
  source.add("names.txt", "0,T-shirt\n1,Trouser\n");
  const SourceScan scan = source.scan("idx", {.class_names_file = source.root() / "names.txt"});
  BOOST_CHECK((listed(scan) == Listed{{"train-images-idx3-ubyte/00000", "train:T-shirt"},
                                      {"train-images-idx3-ubyte/00001", "train:Trouser"}}));
  BOOST_CHECK((findings(scan) == Texts{"unknown_label train-images-idx3-ubyte/00002: 2"}));
}

BOOST_AUTO_TEST_CASE(files_without_their_pair_are_named_and_count_as_their_pictures) {
  ScannedSource source;
  source.add(kTrainPictures, idx_pictures({.num_pictures = 3}));
  source.add(kTrainLabels, idx_labels(3));
  source.add("alone-images-idx3-ubyte", idx_pictures({.num_pictures = 7}));
  source.add("alone-labels", idx_labels(4));
  source.add("bad-labels-idx1-ubyte", "text");
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.pictures.size() == 3u);
  const Texts expected = {
      "archive_damaged bad-labels-idx1-ubyte: no IDX file of bytes begins so",
      "row_without_image alone-labels: no pictures beside it",
      "row_without_label alone-images-idx3-ubyte: no alone-labels-idx1-ubyte beside it"};
  BOOST_TEST(findings(scan) == expected, boost::test_tools::per_element());
  BOOST_TEST(num_pictures_of(scan.findings) == 1u + 4u + 7u);
}

// Whether labels are missing at the end or in the middle, nobody can tell.
BOOST_AUTO_TEST_CASE(another_number_of_labels_than_of_pictures_is_refused) {
  for (const std::uint32_t num_labels : {2u, 4u}) {
    ScannedSource source;
    source.add(kTrainPictures, idx_pictures({.num_pictures = 3}));
    source.add(kTrainLabels, idx_labels(num_labels));
    BOOST_CHECK_EXCEPTION(source.scan(), Error, [&](const Error& error) {
      BOOST_TEST(error.what() ==
                 "labels: train-labels-idx1-ubyte: expected 3 labels, one for each picture of "
                 "train-images-idx3-ubyte, found " +
                     std::to_string(num_labels));
      return error.code() == ErrorCode::kInvalidArgument && !error.hint().empty();
    });
  }
}

BOOST_AUTO_TEST_CASE(labels_cut_short_cost_the_pictures_behind_them) {
  ScannedSource source;
  source.add(kTrainPictures, idx_pictures({.num_pictures = 5}));
  source.add(kTrainLabels, idx_labels(5).substr(0, 8 + 3));
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.pictures.size() == 3u);
  BOOST_CHECK((findings(scan) ==
               Texts{"archive_truncated train-labels-idx1-ubyte: 3 of 5 labels",
                     "row_without_label train-images-idx3-ubyte/00003: this and the 1 behind it"}));
  BOOST_TEST(num_pictures_of(scan.findings) == 2u);
}

BOOST_AUTO_TEST_CASE(a_name_of_idx_with_other_bytes_is_told_by_what_it_lacks) {
  const auto refused = [](const std::string& bytes, const std::string& path,
                          const std::string& found) {
    ScannedSource source;
    source.add(kTrainPictures, bytes);
    source.add(kTrainLabels, idx_labels(3));
    BOOST_CHECK_EXCEPTION(source.scan(path), Error, [&](const Error& error) {
      BOOST_TEST(error.what() == "source: " + (source.root() / kTrainPictures).string() +
                                     ": expected pictures as IDX, as its name says, found " +
                                     found);
      return error.code() == ErrorCode::kCorruptData && !error.hint().empty();
    });
  };
  std::string huge = idx_pictures({.num_pictures = 1});
  huge.replace(8, 8, 8, '\xFF');
  for (const char* path : {"", kTrainPictures}) {
    refused(huge, path, "pictures of 4294967295 x 4294967295 px");
    refused(std::string(3, '\0'), path, "a header of 3 bytes");
    refused(std::string(20, '\0'), path, "0x00000000 as its first number, not 0x00000803");
  }
}

BOOST_AUTO_TEST_CASE(a_file_cut_short_offers_its_whole_pictures) {
  ScannedSource source;
  const std::string pictures = idx_pictures({.num_pictures = 3});
  source.add(kTrainPictures, pictures.substr(0, pictures.size() - 1));
  source.add(kTrainLabels, idx_labels(3));
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.pictures.size() == 2u);
  BOOST_TEST(findings(scan)[0] == "archive_truncated train-images-idx3-ubyte: 2 of 3 pictures");
  BOOST_TEST(num_pictures_of(scan.findings) == 1u);
}

BOOST_AUTO_TEST_CASE(a_compressed_file_that_fails_is_named_and_its_whole_pictures_are_offered) {
  ScannedSource source;
  std::string damaged = gzipped(idx_pictures({.num_pictures = 3}), 0);
  damaged[500] = static_cast<char>(damaged[500] ^ 1);  // only the checksum at its end tells
  source.add("train-images-idx3-ubyte.gz", damaged);
  source.add(kTrainLabels, idx_labels(3));
  const std::string labels = gzipped(idx_labels(3));
  source.add("t10k-images-idx3-ubyte", idx_pictures({.num_pictures = 3}));
  source.add("t10k-labels-idx1-ubyte.gz", labels.substr(0, labels.size() - 3));
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.pictures.size() == 6u);
  BOOST_CHECK((findings(scan) ==
               Texts{"archive_damaged train-images-idx3-ubyte.gz: gzip: incorrect data check",
                     "archive_truncated t10k-labels-idx1-ubyte.gz: gzip: truncated input"}));
}

BOOST_AUTO_TEST_CASE(pictures_without_a_label_are_kept_where_that_is_asked_for) {
  ScannedSource source;
  source.add(kTrainPictures, idx_pictures({.num_pictures = 3}));
  source.add(kTrainLabels, idx_labels(3).substr(0, 8 + 2));
  source.add("t10k-images-idx3-ubyte", idx_pictures({.num_pictures = 1}));
  const SourceScan scan = source.scan("", {.unlabelled = UnlabelledRows::kKept});
  BOOST_CHECK(
      (findings(scan) == Texts{"archive_truncated train-labels-idx1-ubyte: 2 of 3 labels"}));
  BOOST_TEST(num_pictures_of(scan.findings) == 0u);
  BOOST_REQUIRE(scan.pictures.size() == 4u);
  std::vector<std::uint32_t> classes;
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    classes.push_back(scan.pictures[i].class_idx);
  }
  std::ranges::sort(classes);
  BOOST_CHECK((classes == std::vector<std::uint32_t>{0, 1, kUnlabelled, kUnlabelled}));
}

// 4,294,967,295 pictures of 65,535 x 16,384 in 16 bytes.
BOOST_AUTO_TEST_CASE(what_a_header_claims_costs_nothing) {
  ScannedSource source;
  source.add(kTrainPictures, idx_pictures({.num_pictures = 1}));
  source.add(kTrainLabels, idx_labels(1));
  source.add("t10k-images-idx3-ubyte",
             std::string("\0\0\x08\x03\xFF\xFF\xFF\xFF\0\0\xFF\xFF\0\0\x40\0", 16));
  source.add("t10k-labels-idx1-ubyte", std::string("\0\0\x08\x01\xFF\xFF\xFF\xFF\x01", 9));
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.pictures.size() == 1u);
  BOOST_TEST(findings(scan)[0] ==
             "archive_truncated t10k-images-idx3-ubyte: 0 of 4294967295 pictures");
}

BOOST_AUTO_TEST_CASE(headers_of_other_kinds_are_none) {
  const auto parsed = [](const std::string& bytes) {
    return parse_idx_header(std::as_bytes(std::span(bytes)));
  };
  const std::string good = idx_pictures({.num_pictures = 1}).substr(0, 16);
  BOOST_REQUIRE(parsed(good).has_value());
  BOOST_TEST(parsed(good)->height_px == 28u);
  BOOST_TEST(!parsed(good.substr(0, 15)).has_value());
  BOOST_TEST(!parsed("").has_value());
  // Floats, four dimensions, no rows.
  BOOST_TEST(!parsed(std::string("\0\0\x0D\x03", 4) + good.substr(4)).has_value());
  BOOST_TEST(!parsed(std::string("\0\0\x08\x04", 4) + good.substr(4)).has_value());
  BOOST_TEST(!parsed(idx_pictures({.num_pictures = 1, .height_px = 0})).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
