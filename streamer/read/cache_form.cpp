#include "streamer/read/cache_form.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"

namespace penstock {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"none", "encoded", "decoded"};

}  // namespace

std::string_view cache_form_name(CacheForm form) noexcept {
  return kNames[static_cast<std::size_t>(form)];
}

CacheForm parse_cache_form(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found != kNames.end()) return static_cast<CacheForm>(found - kNames.begin());
  throw Error(ErrorCode::kInvalidArgument,
              "cache: expected none, encoded or decoded, found '" + std::string(name) + "'",
              nearest_name_hint(name, kNames));
}

}  // namespace penstock
