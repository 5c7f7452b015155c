// What is done about each reason in one conversion: the defaults, and what a user chose.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "tools/convert/reason/reason_set.h"

namespace penstock::convert {

class ReasonPolicies {
 public:
  /// The defaults of the table.
  ReasonPolicies();

  Policy operator[](ReasonCode code) const { return policies_[static_cast<std::size_t>(code)]; }
  bool fixes(ReasonCode code) const { return (*this)[code] == Policy::kFix; }

  /// Throws InvalidArgument for a policy that the reason does not allow.
  void set(ReasonCode code, Policy policy);
  /// Reads "truncated=fix". Throws InvalidArgument naming the nearest known name.
  void set(std::string_view reason_and_policy);

  /// Returns the first reason of a set with this policy.
  std::optional<ReasonCode> first_with(Policy policy, const ReasonSet& reasons) const;

  /// "cmyk=quarantine truncated=fix", in the order of the table; empty with all defaults.
  std::string changes() const;
  /// Reads what changes() has written. Throws InvalidArgument.
  static ReasonPolicies from_changes(std::string_view text);

  /// The reasons that two conversions treat differently.
  ReasonSet differences(const ReasonPolicies& other) const;

  friend bool operator==(const ReasonPolicies&, const ReasonPolicies&) = default;

 private:
  std::array<Policy, kNumReasons> policies_;
};

}  // namespace penstock::convert
