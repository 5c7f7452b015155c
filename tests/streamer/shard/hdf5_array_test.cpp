#include "streamer/shard/hdf5_array.h"

#include <hdf5.h>

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;
using tests::contains;

// Files that the HDF5 library itself writes, not our code.
class WrittenFile {
 public:
  WrittenFile() : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~WrittenFile() { close(); }

  void close() {
    if (file_ >= 0) H5Fclose(file_);
    file_ = -1;
  }

  void add(const std::string& name, hid_t type, const std::vector<hsize_t>& shape,
           const void* numbers, hid_t memory_type, const std::function<void(hid_t)>& with = {}) {
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    if (with) with(properties);
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t dataset =
        H5Dcreate2(file_, name.c_str(), type, space, links, properties, H5P_DEFAULT);
    BOOST_REQUIRE(dataset >= 0);
    if (numbers != nullptr) H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(properties);
    H5Pclose(links);
  }

  hid_t id() const { return file_; }

  tests::TemporaryFolder folder;
  fs::path path = folder.path() / "x.h5";

 private:
  hid_t file_;
};

std::vector<std::uint8_t> counted(std::size_t count) {
  std::vector<std::uint8_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), std::uint8_t{0});
  return numbers;
}

std::vector<std::uint8_t> rows_of(const Hdf5Array& array, std::uint64_t first,
                                  std::size_t num_bytes) {
  std::vector<std::uint8_t> bytes(num_bytes);
  array.read_rows(first, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::string error_of(const fs::path& path, const std::string& name, ErrorCode code) {
  try {
    Hdf5Array::open(path, name);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == code));
    return error.what();
  }
  return "no error";
}

void in_chunks_of_2_rows(hid_t properties) {
  const hsize_t chunk[] = {2, 4};
  H5Pset_chunk(properties, 2, chunk);
}

BOOST_AUTO_TEST_SUITE(hdf5_array)

BOOST_AUTO_TEST_CASE(rows_are_read_from_one_piece_and_from_compressed_chunks_alike) {
  WrittenFile file;
  const auto numbers = counted(7 * 4);
  file.add("plain", H5T_STD_U8LE, {7, 4}, numbers.data(), H5T_NATIVE_UINT8);
  file.add("deep/down/chunks", H5T_STD_U8LE, {7, 4}, numbers.data(), H5T_NATIVE_UINT8,
           [](hid_t list) {
             in_chunks_of_2_rows(list);
             H5Pset_shuffle(list);
             H5Pset_deflate(list, 6);
             H5Pset_fletcher32(list);
           });
  file.close();
  const Hdf5Array plain = Hdf5Array::open(file.path, "/plain");
  const Hdf5Array chunks = Hdf5Array::open(file.path, "deep/down/chunks");
  BOOST_TEST(plain.chunk_rows() == 0u);
  BOOST_TEST(chunks.chunk_rows() == 2u);
  for (const Hdf5Array* array : {&plain, &chunks}) {
    BOOST_TEST(array->shape() == (std::vector<std::uint64_t>{7, 4}),
               boost::test_tools::per_element());
    BOOST_TEST((array->element_kind() == Hdf5ElementKind::kUnsigned));
    BOOST_TEST(array->type_text() == "uint8");
    BOOST_TEST(rows_of(*array, 0, 28) == numbers, boost::test_tools::per_element());
    BOOST_TEST(
        rows_of(*array, 5, 8) == std::vector<std::uint8_t>(numbers.begin() + 20, numbers.end()),
        boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(numbers_of_either_order_come_in_the_order_of_the_machine) {
  WrittenFile file;
  const std::int16_t labels[] = {1, -2, 300};
  file.add("y", H5T_STD_I16BE, {3}, labels, H5T_NATIVE_INT16);
  file.close();
  const Hdf5Array array = Hdf5Array::open(file.path, "y");
  BOOST_TEST((array.element_kind() == Hdf5ElementKind::kSigned));
  std::int16_t read[3] = {};
  array.read_rows(0, std::as_writable_bytes(std::span(read)));
  BOOST_TEST(read == labels, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(several_threads_read_at_once) {
  WrittenFile file;
  const auto numbers = counted(64 * 4);
  file.add("x", H5T_STD_U8LE, {64, 4}, numbers.data(), H5T_NATIVE_UINT8, in_chunks_of_2_rows);
  file.close();
  const Hdf5Array array = Hdf5Array::open(file.path, "x");
  std::vector<int> num_right(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < num_right.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < 500; ++i) {
        const std::uint64_t row = (i * 7 + t) % 64;
        num_right[t] += rows_of(array, row, 4)[1] == numbers[row * 4 + 1] ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : num_right) BOOST_TEST(count == 500);
}

BOOST_AUTO_TEST_CASE(names_in_the_root_are_those_of_datasets) {
  WrittenFile file;
  const auto numbers = counted(4);
  file.add("b", H5T_STD_U8LE, {4}, numbers.data(), H5T_NATIVE_UINT8);
  file.add("a", H5T_STD_U8LE, {4}, numbers.data(), H5T_NATIVE_UINT8);
  file.add("group/c", H5T_STD_U8LE, {4}, numbers.data(), H5T_NATIVE_UINT8);
  H5Lcreate_soft("/a", file.id(), "soft", H5P_DEFAULT, H5P_DEFAULT);
  file.close();
  BOOST_TEST(hdf5_dataset_names(file.path) == (std::vector<std::string>{"a", "b"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_leads_out_of_the_file_is_refused) {
  WrittenFile file;
  const auto numbers = counted(4);
  file.add("outside", H5T_STD_U8LE, {4}, nullptr, -1,
           [&](hid_t list) { H5Pset_external(list, "/etc/hostname", 0, 4); });
  H5Lcreate_external("other.h5", "/x", file.id(), "link", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/outside", file.id(), "soft", H5P_DEFAULT, H5P_DEFAULT);
  file.add("virtual", H5T_STD_U8LE, {4}, nullptr, -1, [&](hid_t list) {
    const hsize_t side = 4;
    const hid_t space = H5Screate_simple(1, &side, nullptr);
    H5Pset_virtual(list, space, "other.h5", "/x", space);
    H5Sclose(space);
  });
  file.close();
  const auto refused = [&](const std::string& name) {
    return error_of(file.path, name, ErrorCode::kUnsupported);
  };
  BOOST_TEST(contains(refused("outside"), "expected its bytes in the file, found them in another"));
  BOOST_TEST(contains(refused("link"), "found a link elsewhere"));
  BOOST_TEST(contains(refused("soft"), "found a link elsewhere"));
  BOOST_TEST(contains(refused("virtual"), "found a virtual dataset"));
}

BOOST_AUTO_TEST_CASE(what_is_not_there_or_no_array_is_refused_by_name) {
  WrittenFile file;
  const auto numbers = counted(4);
  file.add("group/x", H5T_STD_U8LE, {4}, numbers.data(), H5T_NATIVE_UINT8);
  file.close();
  BOOST_TEST(
      contains(error_of(file.path, "y", ErrorCode::kNotFound), "x.h5:y: expected a dataset"));
  BOOST_TEST(contains(error_of(file.path, "group", ErrorCode::kNotFound), "expected a dataset"));
  BOOST_TEST(
      contains(error_of(file.path, "group/y/z", ErrorCode::kNotFound), "expected a dataset"));
  error_of(file.folder.path() / "none.h5", "x", ErrorCode::kNotFound);
  std::ofstream(file.folder.path() / "text.h5") << "no HDF5 at all";
  BOOST_TEST(!is_hdf5_file(file.folder.path() / "text.h5"));
  error_of(file.folder.path() / "text.h5", "x", ErrorCode::kCorruptData);
}

BOOST_AUTO_TEST_CASE(a_chunk_that_is_damaged_is_named_by_its_rows) {
  WrittenFile file;
  const auto numbers = counted(6 * 4);
  file.add("x", H5T_STD_U8LE, {6, 4}, numbers.data(), H5T_NATIVE_UINT8, [](hid_t list) {
    in_chunks_of_2_rows(list);
    H5Pset_fletcher32(list);
  });
  file.close();
  std::string bytes = read_text_file(file.path);
  const std::string third(numbers.begin() + 16, numbers.end());  // the third chunk as it lies there
  bytes[bytes.find(third)] ^= 1;
  std::ofstream(file.path, std::ios::binary) << bytes;
  const Hdf5Array array = Hdf5Array::open(file.path, "x");
  BOOST_TEST(rows_of(array, 1, 4)[0] == 4);
  try {
    rows_of(array, 4, 8);
    BOOST_ERROR("a damaged chunk was read");
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kCorruptData));
    BOOST_TEST(contains(error.what(), "expected rows 4 to 5, found: "));
  }
}

BOOST_AUTO_TEST_CASE(a_file_cut_anywhere_is_refused) {
  WrittenFile file;
  const auto numbers = counted(16);
  file.add("x", H5T_STD_U8LE, {4, 4}, numbers.data(), H5T_NATIVE_UINT8);
  file.close();
  const std::string whole = read_text_file(file.path);
  for (std::size_t length = 1; length < whole.size(); length += 61) {
    std::ofstream(file.path, std::ios::binary) << whole.substr(0, length);
    error_of(file.path, "x", ErrorCode::kCorruptData);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
