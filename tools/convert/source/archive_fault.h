// What is wrong with an archive or a compressed file as a whole.
#pragma once

#include <string>

#include "tools/convert/quarantine.h"

namespace penstock::convert {

struct ArchiveFault {
  ReasonCode reason = ReasonCode::kArchiveDamaged;  // or kArchiveTruncated
  std::string detail;                               // where, and the library's own words
};

}  // namespace penstock::convert
