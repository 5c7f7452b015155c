// The names of the backends, apart from what they are: run files are checked without any of them.
#include <array>

#include "train/backend/backend.h"

namespace penstock::train {

namespace {
constexpr std::array<std::string_view, 2> kNames = {"onednn", "reference"};
}

std::vector<std::string_view> backend_names() {
  return {kNames.begin(), kNames.end()};
}

std::string backend_choice() {
  std::string text;
  for (const std::string_view name : kNames) {
    text += (text.empty() ? "" : " or ") + std::string(name);
  }
  return text;
}

}  // namespace penstock::train
