#include "augment/simd_target.h"

#include <hwy/targets.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdint>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"

namespace penstock::augment {
namespace {

constexpr std::string_view kAuto = "auto";
constexpr std::string_view kScalar = "scalar";

/// Highway's name of one of its targets as users know it: its AVX3 are all AVX-512. Empty for plain
/// C++, which is none of the ways through the pixels here.
std::string name_of(std::int64_t target) {
  std::string name = hwy::TargetName(target);
  if (name.starts_with("AVX3")) return "avx512";
  if (name.starts_with("NEON")) return "neon";
  if (name == "SCALAR" || name == "EMU128") return {};
  for (char& letter : name) letter = static_cast<char>(std::tolower(letter));
  return name;
}

struct NamedTargets {
  std::string name;
  std::int64_t targets = 0;  // Highway's bits, of this build
};

/// From the widest down, as Highway counts its bits.
std::vector<NamedTargets> named_targets() {
  std::vector<NamedTargets> found;
  for (std::int64_t left = HWY_TARGETS; left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;
    const std::string name = name_of(target);
    if (name.empty()) continue;
    if (found.empty() || found.back().name != name) found.push_back({name, 0});
    found.back().targets |= target;
  }
  return found;
}

std::atomic<bool> scalar_is_forced{false};

// Highway forgets what the machine has while a target is forced.
std::int64_t machine_targets() {
  static const std::int64_t found = hwy::SupportedTargets();
  return found;
}

std::string joined_names(std::span<const SimdTarget> targets, bool only_supported) {
  std::string text;
  for (const SimdTarget& target : targets) {
    if (only_supported && !target.is_supported) continue;
    if (!text.empty()) text += ", ";
    text += target.name;
  }
  return text;
}

}  // namespace

std::vector<SimdTarget> simd_targets() {
  std::vector<SimdTarget> found;
  for (const NamedTargets& named : named_targets()) {
    found.push_back({named.name, (named.targets & machine_targets()) != 0});
  }
  found.push_back({std::string(kScalar), true});
  return found;
}

void check_simd_target(std::string_view name, std::span<const SimdTarget> targets) {
  if (name == kAuto) return;
  const auto found = std::ranges::find(targets, name, &SimdTarget::name);
  if (found == targets.end()) {
    std::vector<std::string_view> known = {kAuto};
    for (const SimdTarget& target : targets) known.push_back(target.name);
    throw Error(ErrorCode::kInvalidArgument,
                "simd: expected auto, " + joined_names(targets, false) + ", found '" +
                    std::string(name) + "'",
                nearest_name_hint(name, known));
  }
  if (!found->is_supported) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "simd: expected what this machine has, found " + std::string(name) + ", which it lacks",
        "it has " + joined_names(targets, true));
  }
}

void force_simd_target(std::string_view name) {
  check_simd_target(name, simd_targets());
  std::int64_t forced = 0;  // all that the machine has
  for (const NamedTargets& named : named_targets()) {
    if (named.name == name) forced = named.targets & machine_targets();
  }
  scalar_is_forced = name == kScalar;
  hwy::SetSupportedTargetsForTest(forced);
}

bool is_scalar_forced() noexcept {
  return scalar_is_forced.load(std::memory_order_relaxed);
}

}  // namespace penstock::augment
