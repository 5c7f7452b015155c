// An HDF5 array with a damaged chunk, in a file that the HDF5 library itself writes.
#include <hdf5.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/source/array_files.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/source/any_source.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::contains;

constexpr hsize_t kNumRows = 20;
constexpr hsize_t kChunkRows = 6;
constexpr std::size_t kRowBytes = 4 * 5;

void write_array(hid_t file, const char* name, const std::vector<hsize_t>& shape,
                 const std::vector<hsize_t>& chunk, const std::string& bytes) {
  const int num_sides = static_cast<int>(shape.size());
  const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(properties, num_sides, chunk.data());
  H5Pset_fletcher32(properties);
  const hid_t space = H5Screate_simple(num_sides, shape.data(), nullptr);
  const hid_t dataset =
      H5Dcreate2(file, name, H5T_STD_U8LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  BOOST_REQUIRE(dataset >= 0);
  H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(properties);
}

struct WrittenArrays {
  WrittenArrays() {
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    write_array(file, "images", {kNumRows, 4, 5}, {kChunkRows, 4, 5}, pixels);
    write_array(file, "labels", {kNumRows}, {kChunkRows}, labels);
    H5Fclose(file);
  }

  // Turns a bit of the bytes that begin with those.
  void damage(const std::string& these) const {
    std::string bytes = read_text_file(path);
    const std::size_t at = bytes.find(these);
    BOOST_REQUIRE(at != std::string::npos);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    tests::write_file(path, bytes);
  }

  SourceScan scan() const {
    return scan_source({.path = path, .spool = {.folder = folder.path()}}, {});
  }

  tests::TemporaryFolder folder;
  fs::path path = folder.path() / "x.h5";
  std::string pixels = tests::counted_bytes(kNumRows * kRowBytes);
  std::string labels =
      "\x07\x06\x05\x04\x03\x02\x01\x07\x07\x05\x05\x03\x03\x02\x02\x06\x06\x01\x01\x04";
};

std::vector<std::size_t> rows_of(const SourceScan& scan) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    const std::string name(scan.pictures.name(i));
    rows.push_back(std::stoul(name.substr(name.rfind('/') + 1)));
  }
  return rows;
}

BOOST_AUTO_TEST_SUITE(damaged_chunk)

BOOST_AUTO_TEST_CASE(the_rows_of_one_chunk_are_lost_and_all_others_are_right) {
  const WrittenArrays arrays;
  arrays.damage(arrays.pixels.substr(kChunkRows * kRowBytes, 40));  // the second
  const SourceScan scan = arrays.scan();
  const std::vector<std::size_t> rows = rows_of(scan);
  BOOST_TEST(rows == (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17, 18, 19}),
             boost::test_tools::per_element());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SourcePicture picture;
    scan.source->read(scan.pictures[i], picture);
    const std::string bytes(reinterpret_cast<const char*>(picture.bytes.data()),
                            picture.bytes.size());
    BOOST_TEST((bytes == arrays.pixels.substr(rows[i] * kRowBytes, kRowBytes)));
    BOOST_TEST(picture.failed_checksum == "");
    BOOST_TEST(scan.class_names[scan.pictures[i].class_idx] ==
               std::to_string(arrays.labels[rows[i]]));
  }
  BOOST_REQUIRE(scan.findings.size() == 1u);
  const QuarantineEntry& lost = scan.findings[0];
  BOOST_TEST(lost.path == "images/00006");
  BOOST_CHECK(lost.reason == ReasonCode::kArchiveDamaged);
  BOOST_TEST(lost.num_pictures == kChunkRows);
  BOOST_TEST(lost.size_bytes == kChunkRows * kRowBytes);
  BOOST_TEST(contains(lost.detail, "this and the 5 behind it: HDF5: read elements: "), lost.detail);
}

BOOST_AUTO_TEST_CASE(a_lost_label_costs_its_picture_and_makes_no_class) {
  const WrittenArrays arrays;
  arrays.damage(arrays.labels.substr(0, kChunkRows));
  arrays.damage(arrays.pixels.substr(3 * kChunkRows * kRowBytes, 40));  // the last, of 2 rows
  const SourceScan scan = arrays.scan();
  BOOST_TEST(scan.pictures.size() == kNumRows - kChunkRows - 2);
  BOOST_TEST(rows_of(scan).front() == kChunkRows);
  // Zeros stand where labels were; no picture has 0.
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    BOOST_TEST(scan.pictures[i].class_idx != 0u);
  }
  BOOST_TEST(num_pictures_of(scan.findings) == kChunkRows + 2);
}

BOOST_AUTO_TEST_CASE(pictures_of_an_hdf5_file_without_labels_are_listed_and_counted) {
  const WrittenArrays arrays;
  const hid_t file = H5Fopen(arrays.path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  write_array(file, "images2", {7, 4, 5}, {7, 4, 5}, std::string(7 * kRowBytes, 'x'));
  write_array(file, "weights", {7, 4}, {7, 4}, std::string(28, 'x'));
  H5Fclose(file);
  const SourceScan found = arrays.scan();
  BOOST_TEST(found.pictures.size() == kNumRows);
  BOOST_REQUIRE(found.findings.size() == 1u);
  BOOST_TEST(found.findings[0].path.ends_with(":images2"));
  BOOST_CHECK(found.findings[0].reason == ReasonCode::kImageWithoutRow);
  BOOST_TEST(found.findings[0].num_pictures == 7u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
