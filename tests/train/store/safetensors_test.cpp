#include "train/store/safetensors.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/temporary_folder.h"

namespace penstock::train {
namespace {

/// Bytes of a file made by hand from the format's description: length, header, data.
std::string file_of(const std::string& header, const std::string& data,
                    std::uint64_t length = UINT64_MAX) {
  if (length == UINT64_MAX) length = header.size();
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i) bytes += static_cast<char>(length >> 8 * i & 0xFF);
  return bytes + header + data;
}

struct Fixture {
  tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "w.safetensors";

  std::string refusal_of(const std::string& bytes, ErrorCode code = ErrorCode::kCorruptData) {
    publish_file(path, bytes);
    try {
      read_safetensors(path);
    } catch (const Error& error) {
      BOOST_TEST((error.code() == code));
      const std::string text = error.what();
      const std::string head = "safetensors: " + path.native() + ": ";
      BOOST_TEST(text.substr(0, head.size()) == head);
      return text.substr(std::min(head.size(), text.size()));
    }
    return "accepted";
  }
};

BOOST_FIXTURE_TEST_SUITE(safetensors, Fixture)

// The file by hand: 1.0f is 00 00 80 3F, -2.0f is 00 00 00 C0 (IEEE 754, little-endian).
BOOST_AUTO_TEST_CASE(a_file_made_by_hand_is_read) {
  publish_file(path, file_of(R"({"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2,1],)"
                             R"("data_offsets":[0,8]},"s":{"dtype":"F32","shape":[],)"
                             R"("data_offsets":[8,12]}}  )",
                             std::string("\x00\x00\x80\x3F\x00\x00\x00\xC0\x00\x00\x80\x3F", 12)));
  const TensorFile content = read_safetensors(path);
  BOOST_REQUIRE(content.tensors.size() == 2u);
  BOOST_TEST(content.tensors[0].name == "w");
  BOOST_TEST((content.tensors[0].shape == std::vector<std::uint64_t>{2, 1}));
  BOOST_TEST((content.tensors[0].values == std::vector<float>{1.0f, -2.0f}));
  BOOST_TEST(content.tensors[1].shape.empty());
  BOOST_TEST((content.tensors[1].values == std::vector<float>{1.0f}));
  BOOST_TEST(content.metadata.at("a") == "b");
}

BOOST_AUTO_TEST_CASE(what_is_written_has_the_bytes_of_the_description) {
  write_safetensors(path, {.tensors = {{"w", {1}, {1.0f}}}, .metadata = {}});
  std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  BOOST_TEST(read_text_file(path) == file_of(header, std::string("\x00\x00\x80\x3F", 4)));
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(the_seal_is_that_of_the_file) {
  const FileSeal seal = write_safetensors(path, {.tensors = {{"w", {2}, {1, 2}}}, .metadata = {}});
  BOOST_TEST((seal == seal_of_file(path)));
  BOOST_TEST(seal.size_bytes == std::filesystem::file_size(path));
}

BOOST_AUTO_TEST_CASE(values_that_do_not_fill_their_shape_are_not_written) {
  BOOST_CHECK_THROW(write_safetensors(path, {.tensors = {{"w", {3}, {1, 2}}}, .metadata = {}}),
                    Error);
  BOOST_CHECK_THROW(
      write_safetensors(path, {.tensors = {{"w", {1}, {1}}, {"w", {1}, {1}}}, .metadata = {}}),
      Error);
  BOOST_TEST(tests::count_entries(folder.path()) == 0u);
}

std::string one(const char* shape, const char* offsets, const char* dtype = "F32") {
  return std::string(R"({"w":{"dtype":")") + dtype + R"(","shape":)" + shape +
         R"(,"data_offsets":)" + offsets + "}}";
}

BOOST_AUTO_TEST_CASE(hostile_headers_are_refused) {
  const std::string data(8, '\0');
  BOOST_TEST(refusal_of("1234567") == "expected at least 8 bytes, found 7");
  BOOST_TEST(refusal_of(file_of("{}", "", 1ull << 62)) ==
             "expected a header of at most 2 bytes, found 4611686018427387904");
  BOOST_TEST(refusal_of(file_of("[]", "")) ==
             "expected a JSON header that starts with {, found something else");
  BOOST_TEST(refusal_of(file_of("{\"w\":", "")) ==
             "expected a JSON header, found a syntax error at its byte 6");
  BOOST_TEST(refusal_of(file_of(one("[4294967296,4294967296]", "[0,8]"), data)) ==
             "tensor \"w\": expected a size below 2^64 bytes, found more");
  BOOST_TEST(refusal_of(file_of(one("[3]", "[0,8]"), data)) ==
             "tensor \"w\": expected 12 bytes for its shape, found 0 to 8");
  BOOST_TEST(refusal_of(file_of(one("[2]", "[8,0]"), data)) ==
             "tensor \"w\": expected to start at byte 0, where the one before ends, found 8");
  BOOST_TEST(refusal_of(file_of(one("[1]", "[0,4]"), data)) ==
             "expected 4 bytes of tensors, found 8");
  BOOST_TEST(refusal_of(file_of(one("[-1]", "[0,8]"), data)) ==
             "expected a header of tensors, found a negative number at \"shape\"");
  BOOST_TEST(refusal_of(file_of(one("[2]", "[0,8,8]"), data)) ==
             "expected a header of tensors, found a third offset at \"data_offsets\"");
  BOOST_TEST(refusal_of(file_of(one("[[2]]", "[0,8]"), data)) ==
             "expected a header of tensors, found a list at \"shape\"");
  BOOST_TEST(refusal_of(file_of(one("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2]", "[0,8]"), data)) ==
             "tensor \"w\": expected at most 16 dimensions, found more");
  BOOST_TEST(refusal_of(file_of(one("[2]", "[0,8]", "F16"), data), ErrorCode::kUnsupported) ==
             "tensor \"w\": expected dtype F32, found F16");
}

// CHECKPOINT.md: 4,096 bytes of a name, 1 MiB of metadata with the quotes.
BOOST_AUTO_TEST_CASE(names_and_metadata_are_bounded_and_shown_in_part) {
  const auto named = [&](const std::string& name) {
    return refusal_of(
        file_of("{\"" + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                std::string(4, '\0')));
  };
  BOOST_TEST(named(std::string(4096, 'n')) == "accepted");
  BOOST_TEST(named(std::string(4097, 'n')) == "expected names of at most 4096 bytes, found \"" +
                                                  std::string(80, 'n') + "...\" of 4097");
  const auto noted = [&](const std::string& metadata) {
    return refusal_of(file_of("{\"__metadata__\":{" + metadata + "}}", ""));
  };
  const std::size_t room = (1u << 20) - 2 - 3;  // beside the quotes and the name "k" with its own
  BOOST_TEST(noted("\"k\":\"" + std::string(room, 'v') + "\"") == "accepted");
  const std::string refused = "expected at most 1048576 bytes of __metadata__, found more";
  BOOST_TEST(noted("\"k\":\"" + std::string(room + 1, 'v') + "\"") == refused);
  std::string many;
  for (int i = 100'000; i < 400'000; ++i) {
    many += (many.empty() ? "\"" : ",\"") + std::to_string(i) + "\":\"\"";
  }
  BOOST_TEST(noted(many) == refused);  // 300,000 times 6 + 4 bytes
  BOOST_TEST(noted("\"" + std::string(100, 'k') + "\":1") ==
             "expected a header of tensors, found a number at \"" + std::string(80, 'k') + "...\"");
}

BOOST_AUTO_TEST_CASE(what_no_reader_would_take_is_not_written) {
  const auto write_named = [&](std::size_t num_bytes) {
    write_safetensors(path, {.tensors = {{std::string(num_bytes, 'n'), {1}, {1}}}, .metadata = {}});
  };
  BOOST_CHECK_NO_THROW(write_named(4096));
  BOOST_CHECK_THROW(write_named(4097), Error);
  const auto write_noted = [&](std::size_t num_bytes) {
    write_safetensors(path, {.tensors = {}, .metadata = {{"k", std::string(num_bytes, 'v')}}});
  };
  BOOST_CHECK_NO_THROW(write_noted((1u << 20) - 5));  // beside the name and four quotes
  BOOST_CHECK_THROW(write_noted((1u << 20) - 4), Error);
}

BOOST_AUTO_TEST_CASE(overlaps_holes_and_names_given_twice_are_refused) {
  const auto two = [](const char* second, const char* offsets) {
    return std::string(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},")") + second +
           R"(":{"dtype":"F32","shape":[1],"data_offsets":)" + offsets + "}}";
  };
  BOOST_TEST(refusal_of(file_of(two("b", "[0,4]"), std::string(4, '\0'))) ==
             "tensor \"b\": expected to start at byte 4, where the one before ends, found 0");
  BOOST_TEST(refusal_of(file_of(two("b", "[8,12]"), std::string(12, '\0'))) ==
             "tensor \"b\": expected to start at byte 4, where the one before ends, found 8");
  BOOST_TEST(refusal_of(file_of(two("a", "[4,8]"), std::string(8, '\0'))) ==
             "expected each name once, found \"a\" twice");
}

BOOST_AUTO_TEST_CASE(names_as_long_as_a_page_are_cut_in_messages) {
  const std::string name(4'000, 'n');
  const std::string data(8, '\0');
  const std::string shown(80, 'n');
  BOOST_TEST(refusal_of(file_of(
                 "{\"" + name + R"(":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", data)) ==
             "tensor \"" + shown +
                 "...\": expected to start at byte 0, where the one before ends, found 8");
  BOOST_TEST(
      refusal_of(file_of(one("[2]", "[0,8]", name.c_str()), data), ErrorCode::kUnsupported) ==
      "tensor \"w\": expected dtype F32, found " + shown + "...");
}

// Every proper prefix of a file, and every byte of its header changed, is an error and no crash.
BOOST_AUTO_TEST_CASE(every_cut_is_refused) {
  write_safetensors(path,
                    {.tensors = {{"w", {2}, {1, 2}}, {"v", {1}, {3}}}, .metadata = {{"k", "v"}}});
  const std::string whole = read_text_file(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST_CONTEXT("cut to " << size) {
      BOOST_TEST(refusal_of(whole.substr(0, size)) != "accepted");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_changed_header_byte_never_crashes) {
  write_safetensors(path, {.tensors = {{"w", {2}, {1, 2}}}, .metadata = {}});
  const std::string whole = read_text_file(path);
  for (std::size_t place = 0; place < whole.size() - 8; ++place) {
    for (const int mask : {0x01, 0x20, 0x80, 0xFF}) {
      std::string changed = whole;
      changed[place] = static_cast<char>(changed[place] ^ mask);
      publish_file(path, changed);
      try {
        const TensorFile content = read_safetensors(path);  // another name is no damage to see here
        BOOST_TEST(content.tensors.size() <= 1u);
      } catch (const Error&) {
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
