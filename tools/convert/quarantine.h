// Files that could not become samples, why, and the list that a user reads.
#pragma once

#include <cstdint>
#include <string>

#include "tools/convert/reason/reason_code.h"

namespace penstock::convert {

inline constexpr const char* kQuarantineName = "quarantine.csv";
/// Pictures that were stored with something lost, in the same columns.
inline constexpr const char* kFixedName = "fixed.csv";

struct QuarantineEntry {
  std::string path;  // relative to the source, as bytes
  ReasonCode reason = ReasonCode::kDamaged;
  std::uint64_t size_bytes = 0;
  std::string detail{};  // the decoder's own words
};

/// Ends a conversion for a reason whose policy is `stop`. Throws TooManyBad naming the file.
[[noreturn]] void refuse_reason(const QuarantineEntry& entry);

inline constexpr const char* kQuarantineHeader = "path,reason,bytes,detail\n";

/// Lays out one line of the list as CSV. Control characters and bytes that are no UTF-8 are written as
/// \xNN.
std::string quarantine_row(const QuarantineEntry& entry);

}  // namespace penstock::convert
