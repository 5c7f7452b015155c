#include "streamer/core/range_check.h"

#include <string>

#include "streamer/core/error.h"

namespace penstock {

void check_range(const RangeCheck& check) {
  if (check.value >= check.low && check.value <= check.high) return;
  throw Error(ErrorCode::kInvalidArgument,
              std::string(check.owner) + ": " + std::string(check.field) + ": expected " +
                  std::to_string(check.low) + " to " + std::to_string(check.high) + ", found " +
                  std::to_string(check.value));
}

}  // namespace penstock
