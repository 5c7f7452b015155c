// A shard as the HDF5 library sees it, opened with its own file driver.
#include <hdf5.h>

#include <boost/test/unit_test.hpp>

#include "streamer/shard/shard_header.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::ShardMaker;

struct Fixture {
  Fixture() {
    maker.write(path);
    file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    BOOST_REQUIRE(file >= 0);
    const tests::Bytes bytes = tests::read_bytes(path);
    header =
        parse_shard_header(std::span<const std::byte, kShardHeaderBytes>(bytes.data(), 4096), "F");
  }
  ~Fixture() { H5Fclose(file); }

  template <class T>
  std::vector<T> read(const char* name, hid_t type) const {
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t space = H5Dget_space(dataset);
    std::vector<T> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    BOOST_REQUIRE(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
    H5Sclose(space);
    H5Dclose(dataset);
    return values;
  }

  tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "train-00000.h5";
  ShardMaker maker{.num_samples = 70};
  ShardHeader header;
  hid_t file = -1;
};

BOOST_FIXTURE_TEST_SUITE(hdf5_layout, Fixture)

BOOST_AUTO_TEST_CASE(datasets_lie_where_the_section_table_says) {
  BOOST_TEST(header.sections.size() == 6u);
  for (const ShardSection& section : header.sections) {
    BOOST_TEST_CONTEXT(section.name) {
      const hid_t dataset = H5Dopen2(file, section.name.c_str(), H5P_DEFAULT);
      BOOST_REQUIRE(dataset >= 0);
      BOOST_TEST(H5Dget_offset(dataset) == section.offset_bytes);
      BOOST_TEST(H5Dget_storage_size(dataset) == section.length_bytes);
      BOOST_TEST(section.offset_bytes % 4096 == 0u);
      const hid_t properties = H5Dget_create_plist(dataset);
      BOOST_TEST(H5Pget_layout(properties) == H5D_CONTIGUOUS);
      BOOST_TEST(H5Pget_nfilters(properties) == 0);
      BOOST_TEST(H5Pget_external_count(properties) == 0);
      const hid_t space = H5Dget_space(dataset);
      BOOST_TEST(H5Sget_simple_extent_ndims(space) == 1);
      const hid_t type = H5Dget_type(dataset);
      BOOST_TEST(H5Tis_variable_str(type) == 0);
      hbool_t has_times = 1;
      BOOST_TEST(H5Pget_obj_track_times(properties, &has_times) >= 0);
      BOOST_TEST(!has_times);
      H5Tclose(type);
      H5Sclose(space);
      H5Pclose(properties);
      H5Dclose(dataset);
    }
  }
}

BOOST_AUTO_TEST_CASE(fields_of_the_index_can_be_read_by_name) {
  struct Pair {
    std::uint32_t length_bytes, class_idx;
  };
  const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(Pair));
  H5Tinsert(type, "length_bytes", offsetof(Pair, length_bytes), H5T_NATIVE_UINT32);
  H5Tinsert(type, "class_idx", offsetof(Pair, class_idx), H5T_NATIVE_UINT32);
  const std::vector<Pair> pairs = read<Pair>("index", type);
  H5Tclose(type);
  BOOST_REQUIRE(pairs.size() == 70u);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    BOOST_TEST(pairs[i].length_bytes == 3 * ShardMaker::num_px(i));
    BOOST_TEST(pairs[i].class_idx == i % 2);
  }
}

BOOST_AUTO_TEST_CASE(the_pictures_can_be_read_by_the_index) {
  const std::vector<std::uint64_t> offsets = [&] {
    const hid_t type = H5Tcreate(H5T_COMPOUND, 8);
    H5Tinsert(type, "offset_bytes", 0, H5T_NATIVE_UINT64);
    std::vector<std::uint64_t> values = read<std::uint64_t>("index", type);
    H5Tclose(type);
    return values;
  }();
  const auto images = read<std::byte>("images", H5T_NATIVE_UINT8);
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const tests::Bytes expected = tests::sample_bytes(i, 3 * ShardMaker::num_px(i));
    const std::size_t at = offsets[i] - header.find("images")->offset_bytes;
    BOOST_TEST(std::ranges::equal(std::span(images).subspan(at, expected.size()), expected));
  }
}

BOOST_AUTO_TEST_CASE(class_names_are_texts_and_names_a_pool) {
  const hid_t dataset = H5Dopen2(file, "class_names", H5P_DEFAULT);
  const hid_t type = H5Dget_type(dataset);
  BOOST_TEST(H5Tget_cset(type) == H5T_CSET_UTF8);
  std::string texts(2 * H5Tget_size(type), '\0');
  BOOST_TEST(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()) >= 0);
  BOOST_TEST(texts == std::string("circlering\0\0", 12));
  H5Tclose(type);
  H5Dclose(dataset);

  const auto pool = read<char>("names", H5T_NATIVE_UINT8);
  const auto offsets = read<std::uint64_t>("name_offsets", H5T_NATIVE_UINT64);
  BOOST_REQUIRE(offsets.size() == 71u);
  BOOST_TEST(offsets.back() == pool.size());
  BOOST_TEST(std::string(&pool[offsets[69]]) == "ring/69.png");
}

BOOST_AUTO_TEST_CASE(attributes_repeat_the_header) {
  const auto number = [&](const char* name) {
    std::uint64_t value = 0;
    const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    H5Aread(attribute, H5T_NATIVE_UINT64, &value);
    H5Aclose(attribute);
    return value;
  };
  const auto text = [&](const char* name) {
    const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    const hid_t type = H5Aget_type(attribute);
    std::string value(H5Tget_size(type), '\0');
    H5Aread(attribute, type, value.data());
    H5Tclose(type);
    H5Aclose(attribute);
    return value;
  };
  BOOST_TEST(text("format") == "penstock-shard");
  BOOST_TEST(number("version") == 1u);
  BOOST_TEST(text("writer").starts_with("penstock "));
  BOOST_TEST(text("split") == "train");
  BOOST_TEST(text("uuid") == hex(header.uuid));
  BOOST_TEST(number("num_samples") == 70u);
  BOOST_TEST(number("num_classes") == 2u);
}

BOOST_AUTO_TEST_CASE(the_end_of_allocation_is_the_end_of_the_file) {
  hsize_t size = 0;
  BOOST_REQUIRE(H5Fget_filesize(file, &size) >= 0);
  BOOST_TEST(size == std::filesystem::file_size(path));
  BOOST_TEST(size == header.file_size_bytes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
