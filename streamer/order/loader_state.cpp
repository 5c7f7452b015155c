#include "streamer/order/loader_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"

namespace penstock {
namespace {

constexpr std::uint32_t kNewestFormat = 2;

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

std::string read_settings(const nlohmann::json& object) {
  const auto found = object.find("settings");
  if (found == object.end()) refuse("settings", "a list of lines", "nothing");
  if (!found->is_array()) refuse("settings", "a list of lines", found->dump());
  std::string text;
  for (const auto& line : *found) {
    if (!line.is_string()) refuse("settings", "a list of lines", "the entry " + line.dump());
    text += line.get<std::string>() + "\n";
  }
  return text;
}

void check_format(std::uint64_t format) {
  if (format == 0) refuse("format", "1 to " + std::to_string(kNewestFormat), "0");
  if (format <= kNewestFormat) return;
  throw Error(ErrorCode::kUnsupported,
              "loader state: format: expected at most " + std::to_string(kNewestFormat) +
                  ", found " + std::to_string(format),
              "read it with the version that wrote it, or a later one");
}

}  // namespace

std::vector<std::string_view> settings_lines(std::string_view settings) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin < settings.size();) {
    const std::size_t end = std::min(settings.find('\n', begin), settings.size());
    lines.push_back(settings.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string to_json(const LoaderState& state) {
  nlohmann::ordered_json object = {{"format", state.format},
                                   {"dataset_id", state.dataset_id},
                                   {"settings_hash", hex(state.settings_hash)}};
  // Line by line, so that a reader sees what they are.
  if (state.format >= 2) object["settings"] = settings_lines(state.settings);
  object["epoch"] = state.epoch;
  object["next_position"] = state.next_position;
  try {
    return object.dump(2);
  } catch (const nlohmann::json::type_error&) {  // the one thing that dump() refuses
    throw Error(ErrorCode::kInvalidArgument,
                "loader state: settings: expected UTF-8, found other bytes",
                "let SampleTransform::identity() return text");
  }
}

LoaderState loader_state_from_json(std::string_view text) {
  const auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) refuse("document", "a JSON object", "something else");
  const std::uint64_t format = read_unsigned(object, "format");
  check_format(format);
  const std::uint64_t epoch = read_unsigned(object, "epoch");
  if (epoch > 0xFFFFFFFFu) refuse("epoch", "at most 4294967295", std::to_string(epoch));
  LoaderState state{
      .format = static_cast<std::uint32_t>(format),
      .dataset_id = read_string(object, "dataset_id"),
      .settings_hash = parse_hex(read_string(object, "settings_hash"), "settings_hash"),
      .settings = {},
      .epoch = static_cast<std::uint32_t>(epoch),
      .next_position = read_unsigned(object, "next_position")};
  if (format == 1) return state;
  state.settings = read_settings(object);
  const std::uint64_t hash = xxh3_64(state.settings);
  if (hash != state.settings_hash) refuse("settings_hash", hex(hash), hex(state.settings_hash));
  return state;
}

}  // namespace penstock
