#include "streamer/order/loader_state.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_state)

// Written by hand from the fields' descriptions.
constexpr const char* kText = R"({
  "format": 1,
  "dataset_id": "00112233445566778899aabbccddeeff",
  "settings_hash": "00000000deadbeef",
  "epoch": 3,
  "next_position": 1234567890123
})";
const LoaderState kState{.format = 1,
                         .dataset_id = "00112233445566778899aabbccddeeff",
                         .settings_hash = 0xdeadbeef,
                         .epoch = 3,
                         .next_position = 1234567890123};

BOOST_AUTO_TEST_CASE(a_state_is_written_as_documented_and_read_back) {
  BOOST_TEST(to_json(kState) == kText);
  BOOST_TEST((loader_state_from_json(kText) == kState));
}

bool has_message(const char* text, const std::string& message) {
  try {
    loader_state_from_json(text);
  } catch (const Error& error) {
    BOOST_TEST(error.what() == message);
    return true;
  }
  return false;
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named) {
  BOOST_TEST(
      has_message("[]", "loader state: document: expected a JSON object, found something else"));
  BOOST_TEST(
      has_message("{", "loader state: document: expected a JSON object, found something else"));
  BOOST_TEST(has_message("{}", "loader state: format: expected an integer, found nothing"));
  BOOST_TEST(has_message(R"({"format": 2})", "loader state: format: expected at most 1, found 2"));
  BOOST_TEST(has_message(R"({"format": 1, "epoch": -1})",
                         "loader state: epoch: expected an integer of at least 0, found -1"));
  BOOST_TEST(has_message(R"({"format": 1, "epoch": 1, "dataset_id": "", "settings_hash": "xyz"})",
                         "loader state: settings_hash: expected 16 hexadecimal digits, found xyz"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
