#include "train/store/safetensors_reader.h"

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "tests/allocation_ceiling.h"
#include "tests/temporary_folder.h"

namespace penstock::train {
namespace {

struct Fixture {
  tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "w.safetensors";
  FileSeal seal = write_safetensors(
      path, {.tensors = {{"w", {2, 2}, {1, 2, 3, 4}}, {"b", {2}, {5, 6}}, {"s", {}, {7}}},
             .metadata = {{"k", "v"}}});

  void overwrite(const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

  template <class Action>
  std::string refusal_of(const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kCorruptData));
      const std::string text = error.what();
      const std::string head = "safetensors: " + path.native() + ": ";
      BOOST_TEST(text.starts_with(head));
      return text.substr(std::min(head.size(), text.size()));
    }
    return "accepted";
  }
};

BOOST_FIXTURE_TEST_SUITE(safetensors_reader, Fixture)

BOOST_AUTO_TEST_CASE(tensors_are_read_by_name_in_any_order) {
  const SafetensorsReader reader = SafetensorsReader::open(path, seal);
  BOOST_TEST(reader.tensors().size() == 3u);
  BOOST_TEST(reader.metadata().at("k") == "v");
  std::vector<float> values(2);
  reader.read({"b", {2}}, values);
  BOOST_TEST(values == (std::vector<float>{5, 6}), boost::test_tools::per_element());
  values.resize(4);
  reader.read({"w", {2, 2}}, values);
  BOOST_TEST(values == (std::vector<float>{1, 2, 3, 4}), boost::test_tools::per_element());
  values.resize(1);
  reader.read({"s", {}}, values);
  BOOST_TEST(values[0] == 7.0f);
}

BOOST_AUTO_TEST_CASE(a_tensor_that_is_not_there_as_wanted_is_named_with_both_shapes) {
  const SafetensorsReader reader = SafetensorsReader::open(path);
  std::vector<float> values(4);
  BOOST_TEST(refusal_of([&] {
               reader.read({"x", {4}}, values);
             }) == "tensor \"x\": expected [4], found no tensor of this name");
  BOOST_TEST(refusal_of([&] {
               reader.read({"w", {4}}, values);
             }) == "tensor \"w\": expected [4], found [2, 2]");
}

BOOST_AUTO_TEST_CASE(all_tensors_are_checked_at_once) {
  const SafetensorsReader reader = SafetensorsReader::open(path);
  const auto check = [&](std::vector<TensorSpec> wanted) {
    return refusal_of([&] { reader.check_tensors(wanted); });
  };
  BOOST_TEST(check({{"s", {}}, {"w", {2, 2}}, {"b", {2}}}) == "accepted");
  BOOST_TEST(check({{"w", {2, 2}}, {"b", {2}}}) ==
             "tensor \"s\": expected no such tensor here, found []");
  BOOST_TEST(check({{"s", {}}, {"w", {2, 2}}, {"b", {2}}, {"c", {1}}}) ==
             "tensor \"c\": expected [1], found no tensor of this name");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_removed_is_read_to_its_end) {
  const SafetensorsReader reader = SafetensorsReader::open(path, seal);
  std::filesystem::remove(path);
  std::vector<float> values(2);
  reader.read({"b", {2}}, values);
  BOOST_TEST(values[1] == 6.0f);
}

BOOST_AUTO_TEST_CASE(another_file_than_the_sealed_one_is_refused_before_it_is_parsed) {
  const std::string whole = read_text_file(path);
  overwrite(std::string(whole.size(), 'x'));  // no header at all
  const FileSeal other = seal_of_file(path);
  BOOST_TEST(refusal_of([&] { SafetensorsReader::open(path, seal); }) ==
             "checksum: expected " + hex(seal.digest) + ", found " + hex(other.digest));
  overwrite(whole + "x");
  BOOST_TEST(refusal_of([&] { SafetensorsReader::open(path, seal); }) ==
             "expected " + std::to_string(whole.size()) + " bytes, found " +
                 std::to_string(whole.size() + 1));
}

BOOST_AUTO_TEST_CASE(a_file_of_terabytes_is_refused_unread) {
  std::filesystem::resize_file(path, std::uintmax_t{1} << 40);  // a hole: no block is taken
  const tests::AllocationCeiling ceiling(1u << 16);
  BOOST_TEST(refusal_of([&] {
               SafetensorsReader::open(path, seal);
             }).ends_with(" bytes, found 1099511627776"));
}

// The format's own limit allows for two million of these; each takes more memory than text.
BOOST_AUTO_TEST_CASE(a_header_of_ever_more_tensors_is_refused) {
  std::string header = "{";
  for (std::uint64_t i = 0; i <= kMaxTensors; ++i) {
    header += (i == 0 ? "\"" : ",\"") + std::to_string(i) +
              R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  }
  header += "}";
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i) & 0xFF);
  overwrite(bytes + header);
  BOOST_TEST(refusal_of([&] { SafetensorsReader::open(path); }) ==
             "expected at most 100000 tensors, found more");
}

// Whole sizes of 2^63 and more that overflow only when they are added.
BOOST_AUTO_TEST_CASE(sizes_that_overflow_are_refused_and_allocate_nothing) {
  const tests::AllocationCeiling ceiling(1u << 16);
  const auto refusal_with = [&](const std::string& header) {
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(header.size() & 0xFF);
    bytes[1] = static_cast<char>(header.size() >> 8);
    overwrite(bytes + header);
    return refusal_of([&] { SafetensorsReader::open(path); });
  };
  BOOST_TEST(
      refusal_with(R"({"a":{"dtype":"F32","shape":[2305843009213693952],)"
                   R"("data_offsets":[0,9223372036854775808]},)"
                   R"("b":{"dtype":"F32","shape":[2305843009213693952],)"
                   R"("data_offsets":[9223372036854775808,0]}})") ==
      "tensor \"b\": expected 9223372036854775808 bytes for its shape, found 9223372036854775808 "
      "to 0");
  BOOST_TEST(refusal_with(R"({"a":{"dtype":"F32","shape":[4611686018427387904],)"
                          R"("data_offsets":[0,0]}})") ==
             "tensor \"a\": expected a size below 2^64 bytes, found more");
  BOOST_TEST(refusal_with(R"({"a":{"dtype":"F32","shape":[2305843009213693952],)"
                          R"("data_offsets":[0,9223372036854775808]}})") ==
             "expected 9223372036854775808 bytes of tensors, found 0");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
