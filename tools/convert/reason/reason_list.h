// All reasons for a reader: what `penstock convert --list-reasons` prints.
#pragma once

#include <string>

#include "tools/convert/reason/reason_policies.h"

namespace penstock::convert {

/// A table: name, policy now in force, policies allowed, meaning.
std::string reason_list_text(const ReasonPolicies& policies);

/// [{"name", "meaning", "default", "policy", "allowed": [...]}].
std::string reason_list_json(const ReasonPolicies& policies);

}  // namespace penstock::convert
