// Files that could not become samples, why, and the list that a user reads.
#pragma once

#include <cstdint>
#include <span>
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
  /// How many pictures are lost by it: rows of an array that follow one another are one entry. 0: those
  /// that are have entries of their own.
  std::uint64_t num_pictures = 1;
};

/// The pictures that are lost by all of them.
std::uint64_t num_pictures_of(std::span<const QuarantineEntry> entries) noexcept;

/// The detail of an entry for several rows: "this and the 6 behind it: why".
std::string and_behind(std::uint64_t num_rows, const std::string& why);

/// Ends a conversion for a reason whose policy is `stop`. Throws TooManyBad naming the file.
[[noreturn]] void refuse_reason(const QuarantineEntry& entry);

inline constexpr const char* kQuarantineHeader = "path,reason,bytes,detail\n";

/// Lays out one line of the list as CSV. Control characters and bytes that are no UTF-8 are written as
/// \xNN.
std::string quarantine_row(const QuarantineEntry& entry);

}  // namespace penstock::convert
