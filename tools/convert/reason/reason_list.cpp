#include "tools/convert/reason/reason_list.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace penstock::convert {
namespace {

std::vector<std::string> allowed_names(const ReasonInfo& info) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kNumPolicies; ++i) {
    const auto policy = static_cast<Policy>(i);
    if (info.allows(policy)) names.emplace_back(policy_name(policy));
  }
  return names;
}

}  // namespace

std::string reason_list_text(const ReasonPolicies& policies) {
  std::string text =
      fmt::format("{:<23} {:<11} {:<25} {}", "reason", "policy", "allowed", "meaning");
  for (const ReasonInfo& info : all_reasons()) {
    text += fmt::format("\n{:<23} {:<11} {:<25} {}", info.name, policy_name(policies[info.code]),
                        fmt::format("{}", fmt::join(allowed_names(info), " ")), info.meaning);
  }
  return text;
}

std::string reason_list_json(const ReasonPolicies& policies) {
  auto list = nlohmann::ordered_json::array();
  for (const ReasonInfo& info : all_reasons()) {
    nlohmann::ordered_json one;
    one["name"] = info.name;
    one["meaning"] = info.meaning;
    one["default"] = policy_name(info.default_policy);
    one["policy"] = policy_name(policies[info.code]);
    one["allowed"] = allowed_names(info);
    list.push_back(std::move(one));
  }
  return list.dump(2);
}

}  // namespace penstock::convert
