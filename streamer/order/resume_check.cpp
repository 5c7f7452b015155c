#include "streamer/order/resume_check.h"

#include <algorithm>
#include <array>
#include <vector>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"

namespace penstock {
namespace {

constexpr std::size_t kMaxDifferencesNamed = 8;  // the rest is counted: a message, not a listing

// How the positions that are left are cut into batches, and how pixels stand in them: a place counts
// samples, and a sample's draws are keyed by its position.
constexpr std::array<std::string_view, 4> kSettingsOfForm{"batch", "element", "layout",
                                                          "crop_bytes"};

struct Setting {
  std::string_view key;
  std::string_view value;
};

std::vector<Setting> parse_settings(std::string_view text) {
  std::vector<Setting> settings;
  for (const std::string_view line : settings_lines(text)) {
    const std::size_t equals = std::min(line.find('='), line.size());
    const std::size_t value = std::min(equals + 1, line.size());
    settings.push_back({line.substr(0, equals), line.substr(value)});
  }
  return settings;
}

std::string difference(std::string_view key, std::string_view expected, std::string_view found) {
  return std::string(key) + ": expected " + std::string(expected) + ", found " + std::string(found);
}

/// The settings that decide what stands at which position.
std::string without_form(std::string_view settings) {
  std::string kept;
  for (const std::string_view line : settings_lines(settings)) {
    if (std::ranges::find(kSettingsOfForm, line.substr(0, line.find('='))) ==
        kSettingsOfForm.end()) {
      kept.append(line).append("\n");
    }
  }
  return kept;
}

/// Whether the state's positions are those of `settings`. One of format 1 has nothing to compare but the hash.
bool is_of_stream(const LoaderState& state, std::string_view settings) {
  if (state.settings.empty()) return state.settings_hash == xxh3_64(settings);
  return without_form(state.settings) == without_form(settings);
}

[[noreturn]] void refuse(const std::string& what, std::string hint) {
  throw Error(ErrorCode::kInvalidArgument, "resume loader: " + what, std::move(hint));
}

}  // namespace

std::string describe_difference(std::string_view expected, std::string_view found) {
  std::vector<std::string> differences;
  std::vector<Setting> unmatched = parse_settings(found);
  for (const Setting& here : parse_settings(expected)) {
    const auto there = std::ranges::find(unmatched, here.key, &Setting::key);
    if (there == unmatched.end()) {
      differences.push_back(difference(here.key, here.value, "nothing"));
      continue;
    }
    if (there->value != here.value) {
      differences.push_back(difference(here.key, here.value, there->value));
    }
    unmatched.erase(there);
  }
  for (const Setting& there : unmatched) {
    differences.push_back(difference(there.key, "nothing", there.value));
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(differences.size(), kMaxDifferencesNamed); ++i) {
    text += (text.empty() ? "" : "; ") + differences[i];
  }
  if (differences.size() > kMaxDifferencesNamed) {
    text += "; and " + std::to_string(differences.size() - kMaxDifferencesNamed) + " more";
  }
  return text;
}

void check_resume(const LoaderState& state, const ResumeTarget& target) {
  if (state.dataset_id != target.dataset_id) {
    refuse(difference("dataset id", target.dataset_id, state.dataset_id),
           "open the dataset that the state was made with");
  }
  if (!is_of_stream(state, target.settings)) {
    std::string which =
        describe_difference(without_form(target.settings), without_form(state.settings));
    // Format 1; or the same lines stand in another order.
    if (state.settings.empty() || which.empty()) {
      which = difference("settings hash", hex(xxh3_64(target.settings)), hex(state.settings_hash));
    }
    refuse(which, "set these as they were, or start anew");
  }
  if (state.epoch > kMaxFirstEpoch) {
    refuse(difference("epoch", "at most " + std::to_string(kMaxFirstEpoch),
                      std::to_string(state.epoch)),
           "take the state of a loader as it is");
  }
  if (state.next_position > target.num_positions) {
    refuse(difference("position", "at most " + std::to_string(target.num_positions),
                      std::to_string(state.next_position)),
           "take the state of a loader as it is");
  }
}

}  // namespace penstock
