#include "train/plan/memory_text.h"

#include "streamer/core/memory_budget.h"

namespace penstock::train {
namespace {

template <class IsWanted>
std::string text_of(std::span<const RoleBytes> roles, const IsWanted& is_wanted) {
  std::string text;
  for (const RoleBytes& role : roles) {
    if (role.bytes == 0 || !is_wanted(role.role)) continue;
    text += (text.empty() ? "" : ", ") + std::string(role_name(role.role)) + " " +
            format_bytes(role.bytes);
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace

std::string kept_text(std::span<const RoleBytes> roles) {
  return text_of(roles, [](Role role) { return is_persistent(role); });
}

std::string passing_text(std::span<const RoleBytes> roles) {
  return text_of(roles, [](Role role) { return !is_persistent(role); });
}

}  // namespace penstock::train
