#include "streamer/order/loader_state.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_state)

constexpr const char* kSettings =
    "dataset=00112233445566778899aabbccddeeff\nseed=9\norder=shuffle\n";

// Written by hand from the fields' descriptions; the hash is XXH3-64 of the settings, each line with
// its end. States that are on disk stay readable: these two texts never change.
const std::string kText = R"({
  "format": 2,
  "dataset_id": "00112233445566778899aabbccddeeff",
  "settings_hash": ")" + hex(xxh3_64(std::string_view(kSettings))) +
                          R"(",
  "settings": [
    "dataset=00112233445566778899aabbccddeeff",
    "seed=9",
    "order=shuffle"
  ],
  "epoch": 3,
  "next_position": 1234567890123
})";
constexpr const char* kTextOfFormat1 = R"({
  "format": 1,
  "dataset_id": "00112233445566778899aabbccddeeff",
  "settings_hash": "00000000deadbeef",
  "epoch": 3,
  "next_position": 1234567890123
})";
const LoaderState kState{.format = 2,
                         .dataset_id = "00112233445566778899aabbccddeeff",
                         .settings_hash = xxh3_64(std::string_view(kSettings)),
                         .settings = kSettings,
                         .epoch = 3,
                         .next_position = 1234567890123};
const LoaderState kStateOfFormat1{.format = 1,
                                  .dataset_id = "00112233445566778899aabbccddeeff",
                                  .settings_hash = 0xdeadbeef,
                                  .settings = {},
                                  .epoch = 3,
                                  .next_position = 1234567890123};

BOOST_AUTO_TEST_CASE(a_state_is_written_as_documented_and_read_back) {
  BOOST_TEST(to_json(kState) == kText);
  BOOST_TEST((loader_state_from_json(kText) == kState));
}

BOOST_AUTO_TEST_CASE(a_state_of_format_1_is_still_read_and_written) {
  BOOST_TEST((loader_state_from_json(kTextOfFormat1) == kStateOfFormat1));
  BOOST_TEST(to_json(kStateOfFormat1) == kTextOfFormat1);
}

BOOST_AUTO_TEST_CASE(settings_that_are_no_text_cannot_be_written) {
  LoaderState state = kState;
  state.settings = "transform=\xff\n";
  BOOST_CHECK_EXCEPTION(to_json(state), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) == "loader state: settings: expected UTF-8, found other bytes";
  });
}

std::string message_of(const std::string& text, ErrorCode code) {
  try {
    loader_state_from_json(text);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == code));
    return error.what();
  }
  return "no error";
}

std::string corrupt(const std::string& text) {
  return message_of(text, ErrorCode::kCorruptData);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named) {
  const std::string no_object =
      "loader state: document: expected a JSON object, found something else";
  BOOST_TEST(corrupt("[]") == no_object);
  BOOST_TEST(corrupt("{") == no_object);
  BOOST_TEST(corrupt("") == no_object);
  BOOST_TEST(corrupt(std::string(100'000, '[')) == no_object);
  BOOST_TEST(corrupt("{}") == "loader state: format: expected an integer, found nothing");
  BOOST_TEST(corrupt(R"({"format": 0})") == "loader state: format: expected 1 to 2, found 0");
  BOOST_TEST(corrupt(R"({"format": 1, "epoch": -1})") ==
             "loader state: epoch: expected an integer of at least 0, found -1");
  BOOST_TEST(corrupt(R"({"format": 1, "epoch": 4294967296})") ==
             "loader state: epoch: expected at most 4294967295, found 4294967296");
  BOOST_TEST(corrupt(R"({"format": 1, "epoch": 1, "dataset_id": "", "settings_hash": "xyz"})") ==
             "loader state: settings_hash: expected 16 hexadecimal digits, found xyz");
  BOOST_TEST(corrupt(replaced(kText, "1234567890123", "1e300")) ==
             "loader state: next_position: expected an integer of at least 0, found 1e+300");
  BOOST_TEST(corrupt(replaced(kText, "1234567890123", "18446744073709551616"))
                 .starts_with("loader state: next_position: expected an integer of at least 0"));
  BOOST_TEST(corrupt(replaced(kText, "\"seed=9\"", "9")) ==
             "loader state: settings: expected a list of lines, found the entry 9");
  BOOST_TEST(corrupt(replaced(kText, "\"settings\"", "\"other\"")) ==
             "loader state: settings: expected a list of lines, found nothing");
}

BOOST_AUTO_TEST_CASE(a_newer_format_is_unsupported_rather_than_corrupt) {
  BOOST_TEST(message_of(R"({"format": 3})", ErrorCode::kUnsupported) ==
             "loader state: format: expected at most 2, found 3");
  BOOST_TEST(message_of(R"({"format": 99999999999})", ErrorCode::kUnsupported) ==
             "loader state: format: expected at most 2, found 99999999999");
}

BOOST_AUTO_TEST_CASE(settings_changed_by_hand_are_noticed) {
  BOOST_TEST(
      corrupt(replaced(kText, "seed=9", "seed=8")).starts_with("loader state: settings_hash"));
}

// Every text that differs from a good one in one byte is read, or refused with a typed error.
BOOST_AUTO_TEST_CASE(no_single_byte_makes_it_anything_but_a_state_or_a_typed_error) {
  for (std::size_t at = 0; at < kText.size(); ++at) {
    for (const char byte : {'\0', '"', '-', '9', '{', '\xff'}) {
      std::string text = kText;
      text[at] = byte;
      try {
        loader_state_from_json(text);
      } catch (const Error& error) {
        BOOST_TEST(
            (error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kUnsupported));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
