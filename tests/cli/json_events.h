// What `penstock train --json` prints, line by line, and its metrics.jsonl.
#pragma once

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace penstock::tests {

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

inline std::vector<nlohmann::json> events_of(const std::string& text) {
  std::vector<nlohmann::json> events;
  for (const std::string& line : lines_of(text)) events.push_back(nlohmann::json::parse(line));
  return events;
}

/// Those of `events` of one kind.
inline std::vector<nlohmann::json> of_kind(const std::vector<nlohmann::json>& events,
                                           const char* kind) {
  std::vector<nlohmann::json> found;
  std::ranges::copy_if(events, std::back_inserter(found),
                       [&](const nlohmann::json& event) { return event["event"] == kind; });
  return found;
}

}  // namespace penstock::tests
