#include "streamer/order/loader_state.h"

#include <nlohmann/json.hpp>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"

namespace penstock {
namespace {

constexpr std::uint32_t kNewestFormat = 1;

[[noreturn]] void refuse(const char* field, const std::string& expected, const std::string& found) {
  throw Error(ErrorCode::kCorruptData, std::string("loader state: ") + field + ": expected " +
                                           expected + ", found " + found);
}

std::uint64_t read_unsigned(const nlohmann::json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end()) refuse(field, "an integer", "nothing");
  if (!found->is_number_unsigned()) refuse(field, "an integer of at least 0", found->dump());
  return found->get<std::uint64_t>();
}

std::string read_string(const nlohmann::json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end()) refuse(field, "a string", "nothing");
  if (!found->is_string()) refuse(field, "a string", found->dump());
  return found->get<std::string>();
}

std::uint64_t parse_hex(const std::string& text, const char* field) {
  if (text.size() != 16 || text.find_first_not_of("0123456789abcdef") != std::string::npos) {
    refuse(field, "16 hexadecimal digits", text);
  }
  return std::stoull(text, nullptr, 16);
}

}  // namespace

std::string to_json(const LoaderState& state) {
  const nlohmann::ordered_json object = {{"format", state.format},
                                         {"dataset_id", state.dataset_id},
                                         {"settings_hash", hex(state.settings_hash)},
                                         {"epoch", state.epoch},
                                         {"next_position", state.next_position}};
  return object.dump(2);
}

LoaderState loader_state_from_json(std::string_view text) {
  const auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) refuse("document", "a JSON object", "something else");
  const std::uint64_t format = read_unsigned(object, "format");
  if (format > kNewestFormat) {
    throw Error(ErrorCode::kUnsupported, "loader state: format: expected at most " +
                                             std::to_string(kNewestFormat) + ", found " +
                                             std::to_string(format));
  }
  const std::uint64_t epoch = read_unsigned(object, "epoch");
  if (epoch > 0xFFFFFFFFu) refuse("epoch", "at most 4294967295", std::to_string(epoch));
  return {.format = static_cast<std::uint32_t>(format),
          .dataset_id = read_string(object, "dataset_id"),
          .settings_hash = parse_hex(read_string(object, "settings_hash"), "settings_hash"),
          .epoch = static_cast<std::uint32_t>(epoch),
          .next_position = read_unsigned(object, "next_position")};
}

}  // namespace penstock
