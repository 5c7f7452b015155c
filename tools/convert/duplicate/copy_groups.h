// Which of several pictures of one content counts as the first, and what the others are to it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tools/convert/reason/reason_policies.h"
#include "tools/convert/reason/reason_set.h"
#include "tools/convert/source/picture_list.h"

namespace penstock::convert {

/// One picture that another is a copy of, for one reason.
struct CopyFinding {
  ReasonCode reason = ReasonCode::kDuplicateWithinClass;
  std::uint32_t picture_idx = 0;
  std::uint32_t other_idx = 0;  // the earliest that it is a copy of in this way
  bool is_dropped = false;      // the policy of one of its reasons
};

/// The reasons that a copy may have.
ReasonSet copy_reasons();

/// Whether `a` stands before `b`: by split, test before validation before training, so that what is
/// measured on is kept; then by class index; then by the bytes of the name.
bool is_earlier_copy(const PictureList& pictures, std::uint32_t a, std::uint32_t b);

/// Takes the pictures of one content in that order. Each is held against those before it that are kept:
/// duplicate_across_splits of one in another split, duplicate_across_classes of one in another class,
/// duplicate_within_class of one of the same split and class. It is dropped when the policy of a reason
/// that holds is `quarantine`. All have a split. Reorders `group`.
void resolve_copies(std::vector<std::uint32_t>& group, const PictureList& pictures,
                    const ReasonPolicies& policies,
                    const std::function<void(const CopyFinding& finding)>& visit);

}  // namespace penstock::convert
