// What the headers of a source's files say together, read before anything is written: of up to
// kMaxHeadersLookedAt files all, of more a sample that the seed draws.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "tools/convert/convert_config.h"
#include "tools/convert/image/header_look.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/write/convert_memory.h"

namespace penstock::convert {

inline constexpr std::uint64_t kMaxHeadersLookedAt = 5000;

struct HeaderSurvey {
  std::uint64_t num_looked_at = 0;
  std::uint64_t looked_bytes = 0;  // sizes of the files looked at
  /// What those would take as stored, by estimate_stored_bytes().
  std::uint64_t stored_bytes = 0;

  /// The size as stored of that of the files; 1 where none was looked at.
  double stored_share() const noexcept;
  /// Returns what `source_bytes` of such files would take.
  std::uint64_t stored_bytes_of(std::uint64_t source_bytes) const noexcept;
};

/// Calls `each` with a picture's place in the list, in order, on this thread.
///
/// Errors  Io of the whole source; Stopped
HeaderSurvey survey_headers(const ConvertConfig& config, const SourceScan& scan,
                            const ConvertMemory& memory,
                            const std::function<void(std::uint32_t, const HeaderLook&)>& each,
                            const std::stop_token& stop);

}  // namespace penstock::convert
