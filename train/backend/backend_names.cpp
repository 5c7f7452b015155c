// The names of the backends, apart from what they are: run files are checked without any of them.
#include <array>

#include "streamer/core/name_list.h"
#include "train/backend/backend.h"

namespace penstock::train {

namespace {
constexpr std::array<std::string_view, 2> kNames = {"onednn", "reference"};
}

std::vector<std::string_view> backend_names() {
  return {kNames.begin(), kNames.end()};
}

std::string backend_choice() {
  return name_choice(kNames);
}

}  // namespace penstock::train
