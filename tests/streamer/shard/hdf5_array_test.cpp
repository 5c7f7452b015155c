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

// All bytes that copy_hdf5_array() gives, until what ends it.
struct Copied {
  std::vector<std::uint8_t> bytes;  // 255 for those that are lost
  std::vector<std::string> lost;    // "8 bytes at 16"
  std::string error;
};

Copied copied(const fs::path& path, const std::string& name) {
  Copied result;
  try {
    const auto take = [&](std::span<const std::byte> piece) {
      for (const std::byte b : piece) result.bytes.push_back(std::to_integer<std::uint8_t>(b));
    };
    const auto lose = [&](std::uint64_t num_bytes, const std::string& why) {
      BOOST_TEST(contains(why, "HDF5: read elements: "), why);
      result.lost.push_back(std::to_string(num_bytes) + " bytes at " +
                            std::to_string(result.bytes.size()));
      result.bytes.insert(result.bytes.end(), num_bytes, 255);
    };
    copy_hdf5_array(path, name, {.take = take, .lose = lose}, {});
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kCorruptData));
    BOOST_TEST(!error.hint().empty());
    result.error = error.what();
  }
  return result;
}

std::string error_of(const fs::path& path, const std::string& name, ErrorCode code) {
  try {
    survey_hdf5_array(path, name);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == code), error.what());
    BOOST_TEST((code == ErrorCode::kNotFound || !error.hint().empty()));
    return error.what();
  }
  return "no error";
}

void in_chunks_of_2_rows(hid_t properties) {
  const hsize_t chunk[] = {2, 4};
  H5Pset_chunk(properties, 2, chunk);
}

BOOST_AUTO_TEST_SUITE(hdf5_array)

BOOST_AUTO_TEST_CASE(elements_come_from_one_piece_and_from_compressed_chunks_alike) {
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
  const Hdf5Array plain = survey_hdf5_array(file.path, "/plain");
  const Hdf5Array chunks = survey_hdf5_array(file.path, "deep/down/chunks");
  for (const Hdf5Array& array : {plain, chunks}) {
    BOOST_TEST(array.shape == (std::vector<std::uint64_t>{7, 4}), boost::test_tools::per_element());
    BOOST_TEST((array.element_kind == Hdf5ElementKind::kUnsigned));
    BOOST_TEST(array.type_text == "uint8");
  }
  BOOST_TEST(!chunks.offset_bytes.has_value());
  BOOST_REQUIRE(plain.offset_bytes.has_value());
  const std::string bytes = read_text_file(file.path);
  const std::string numbers_text(numbers.begin(), numbers.end());
  BOOST_TEST(bytes.substr(*plain.offset_bytes, 28) == numbers_text);
  for (const char* name : {"plain", "/deep/down/chunks"}) {
    const Copied all = copied(file.path, name);
    BOOST_TEST(all.error == "");
    BOOST_TEST(all.bytes == numbers, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(pieces_of_large_steps_and_of_odd_chunks_come_in_order) {
  WrittenFile file;
  // 3 steps of 18 MiB, each of 6 of 3 MiB: pieces are cut along the second axis.
  const std::vector<hsize_t> shape = {3, 6, std::uint64_t{3} << 20};
  std::vector<std::uint8_t> numbers(shape[0] * shape[1] * shape[2]);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i >> 20 & 0xFF;
  file.add("x", H5T_STD_U8LE, shape, numbers.data(), H5T_NATIVE_UINT8, [](hid_t list) {
    const hsize_t chunk[] = {2, 4, 1000};
    H5Pset_chunk(list, 3, chunk);
    H5Pset_deflate(list, 1);
  });
  file.close();
  std::size_t largest = 0;
  std::vector<std::uint8_t> bytes;
  const auto take = [&](std::span<const std::byte> piece) {
    largest = std::max(largest, piece.size());
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(piece.data());
    bytes.insert(bytes.end(), begin, begin + piece.size());
  };
  const auto lose = [](std::uint64_t, const std::string& why) { BOOST_ERROR(why); };
  copy_hdf5_array(file.path, "x", {.take = take, .lose = lose}, {});
  BOOST_TEST(largest <= 16u << 20);
  BOOST_TEST((bytes == numbers));
}

BOOST_AUTO_TEST_CASE(numbers_of_either_order_come_with_it_or_in_that_of_the_machine) {
  WrittenFile file;
  const std::int16_t labels[] = {1, -2, 300};
  file.add("y", H5T_STD_I16BE, {3}, labels, H5T_NATIVE_INT16);
  file.close();
  const Hdf5Array array = survey_hdf5_array(file.path, "y");
  BOOST_TEST((array.element_kind == Hdf5ElementKind::kSigned));
  BOOST_TEST(array.element_bytes == 2u);
  BOOST_TEST(array.is_big_endian);
  BOOST_REQUIRE(array.offset_bytes.has_value());
  BOOST_TEST(read_text_file(file.path).substr(*array.offset_bytes, 6) ==
             std::string("\0\1\xff\xfe\1\x2c", 6));
  std::int16_t read[3] = {};
  const Copied all = copied(file.path, "y");
  BOOST_REQUIRE(all.bytes.size() == sizeof read);
  std::memcpy(read, all.bytes.data(), sizeof read);
  BOOST_TEST(read == labels, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_was_never_written_is_its_fill_value) {
  WrittenFile file;
  file.add("y", H5T_STD_U8LE, {3}, nullptr, -1, [](hid_t list) {
    const std::uint8_t seven = 7;
    H5Pset_fill_value(list, H5T_NATIVE_UINT8, &seven);
  });
  file.close();
  BOOST_TEST(!survey_hdf5_array(file.path, "y").offset_bytes.has_value());
  BOOST_TEST(copied(file.path, "y").bytes == std::vector<std::uint8_t>(3, 7),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(more_than_its_file_could_unfold_to_is_refused) {
  WrittenFile file;
  const auto chunked = [](hid_t list) {
    const hsize_t chunk[] = {1 << 20};
    H5Pset_chunk(list, 1, chunk);
  };
  file.add("bomb", H5T_STD_U8LE, {std::uint64_t{1} << 40}, nullptr, -1, chunked);
  file.close();
  BOOST_TEST(contains(error_of(file.path, "bomb", ErrorCode::kCorruptData),
                      "expected a size that the file could unfold to, found a larger one"));
}

BOOST_AUTO_TEST_CASE(a_copy_is_stopped_on_request) {
  WrittenFile file;
  const auto numbers = counted(64 * 4);
  file.add("x", H5T_STD_U8LE, {64, 4}, numbers.data(), H5T_NATIVE_UINT8, in_chunks_of_2_rows);
  file.close();
  std::stop_source source;
  source.request_stop();
  const Hdf5Elements none{.take = [](auto) { BOOST_ERROR("taken"); },
                          .lose = [](auto, const auto&) { BOOST_ERROR("lost"); }};
  BOOST_CHECK_EXCEPTION(copy_hdf5_array(file.path, "x", none, source.get_token()), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kStopped; });
}

BOOST_AUTO_TEST_CASE(several_threads_copy_at_once) {
  WrittenFile file;
  const auto numbers = counted(64 * 4);
  file.add("x", H5T_STD_U8LE, {64, 4}, numbers.data(), H5T_NATIVE_UINT8, in_chunks_of_2_rows);
  file.close();
  std::vector<int> num_right(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < num_right.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) num_right[t] += copied(file.path, "x").bytes == numbers ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : num_right) BOOST_TEST(count == 10);
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

BOOST_AUTO_TEST_CASE(a_damaged_chunk_costs_its_own_rows_alone) {
  WrittenFile file;
  const auto numbers = counted(9 * 4);
  file.add("x", H5T_STD_U8LE, {9, 4}, numbers.data(), H5T_NATIVE_UINT8, [](hid_t list) {
    in_chunks_of_2_rows(list);
    H5Pset_fletcher32(list);
  });
  file.close();
  const std::string whole = read_text_file(file.path);
  // Each chunk of 8 bytes as it lies there; the last one has a row, and a fill value behind it.
  for (std::size_t first = 0; first < 36; first += 8) {
    const std::size_t num_bytes = std::min<std::size_t>(8, 36 - first);
    std::string bytes = whole;
    const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(first);
    const std::string chunk(begin, begin + static_cast<std::ptrdiff_t>(num_bytes));
    bytes[bytes.find(chunk)] ^= 1;
    std::ofstream(file.path, std::ios::binary) << bytes;
    auto expected = numbers;
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(first), num_bytes, 255);
    const Copied copy = copied(file.path, "x");
    BOOST_TEST(copy.bytes == expected, boost::test_tools::per_element());
    BOOST_REQUIRE(copy.lost.size() == 1u);
    BOOST_TEST(copy.lost[0] == std::to_string(num_bytes) + " bytes at " + std::to_string(first));
    BOOST_TEST(copy.error == "");
  }
}

// A user has no use for a place in our code.
BOOST_AUTO_TEST_CASE(words_of_the_library_name_no_source_file) {
  WrittenFile file;
  file.close();
  std::ofstream(file.path, std::ios::binary) << "\x89HDF\r\n\x1a\n" << std::string(200, 'x');
  const std::string words = error_of(file.path, "x", ErrorCode::kCorruptData);
  BOOST_TEST(contains(words, "HDF5: "), words);
  BOOST_TEST(!contains(words, ".cpp"), words);
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
