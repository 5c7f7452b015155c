#include "tools/convert/reason/reason_policies.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

std::vector<std::string_view> allowed_names(const ReasonInfo& info) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kNumPolicies; ++i) {
    const auto policy = static_cast<Policy>(i);
    if (info.allows(policy)) names.push_back(policy_name(policy));
  }
  return names;
}

ReasonCode read_reason(std::string_view name) {
  if (const auto code = find_reason(name)) return *code;
  std::vector<std::string_view> known;
  for (const ReasonInfo& info : all_reasons()) known.push_back(info.name);
  const std::string nearest = nearest_name(name, known);
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("--on: expected the name of a reason, found '{}'", tools::printable(name)),
      nearest.empty() ? "penstock convert --list-reasons names them"
                      : fmt::format("did you mean '{}'?", nearest));
}

// A policy that the reason does not take is no slip of the pen for another one.
std::string policy_hint(std::string_view name, const std::vector<std::string_view>& allowed) {
  std::vector<std::string_view> all;
  for (std::size_t i = 0; i < kNumPolicies; ++i) all.push_back(policy_name(static_cast<Policy>(i)));
  const bool is_near = std::ranges::find(allowed, nearest_name(name, all)) != allowed.end();
  return nearest_name_hint(is_near ? name : "", allowed);
}

Policy read_policy(std::string_view name, const ReasonInfo& info) {
  const auto policy = find_policy(name);
  if (policy && info.allows(*policy)) return *policy;
  const std::vector<std::string_view> allowed = allowed_names(info);
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("--on {}: expected {}, found '{}'", info.name, fmt::join(allowed, " or "),
                          tools::printable(name)),
              policy_hint(name, allowed));
}

}  // namespace

ReasonPolicies::ReasonPolicies() {
  for (const ReasonInfo& info : all_reasons()) {
    policies_[static_cast<std::size_t>(info.code)] = info.default_policy;
  }
}

void ReasonPolicies::set(ReasonCode code, Policy policy) {
  policies_[static_cast<std::size_t>(code)] = read_policy(policy_name(policy), reason_info(code));
}

void ReasonPolicies::set(std::string_view reason_and_policy) {
  const std::size_t equals = reason_and_policy.find('=');
  if (equals == std::string_view::npos) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("--on: expected REASON=POLICY, found '{}'",
                            tools::printable(reason_and_policy)),
                "--on truncated=fix");
  }
  const ReasonCode code = read_reason(reason_and_policy.substr(0, equals));
  policies_[static_cast<std::size_t>(code)] =
      read_policy(reason_and_policy.substr(equals + 1), reason_info(code));
}

std::optional<ReasonCode> ReasonPolicies::first_with(Policy policy,
                                                     const ReasonSet& reasons) const {
  return reasons.first([&](ReasonCode code) { return (*this)[code] == policy; });
}

std::string ReasonPolicies::changes() const {
  std::string text;
  for (const ReasonInfo& info : all_reasons()) {
    if ((*this)[info.code] == info.default_policy) continue;
    text +=
        fmt::format("{}{}={}", text.empty() ? "" : " ", info.name, policy_name((*this)[info.code]));
  }
  return text;
}

ReasonPolicies ReasonPolicies::from_changes(std::string_view text) {
  ReasonPolicies policies;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    policies.set(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return policies;
}

ReasonSet ReasonPolicies::differences(const ReasonPolicies& other) const {
  ReasonSet reasons;
  for (const ReasonInfo& info : all_reasons()) {
    reasons.add_if((*this)[info.code] != other[info.code], info.code);
  }
  return reasons;
}

}  // namespace penstock::convert
