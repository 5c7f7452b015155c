#include "streamer/core/range_check.h"

#include "streamer/core/error.h"

namespace penstock {

void refuse_setting(const SettingFault& fault) {
  throw Error(ErrorCode::kInvalidArgument,
              std::string(fault.owner) + ": " + std::string(fault.field) + ": expected " +
                  std::string(fault.expected) + ", found " + fault.found,
              std::string(fault.hint));
}

void check_range(const RangeCheck& check) {
  if (check.value >= check.low && check.value <= check.high) return;
  refuse_setting({.owner = check.owner,
                  .field = check.field,
                  .expected = std::to_string(check.low) + " to " + std::to_string(check.high),
                  .found = std::to_string(check.value),
                  .hint = check.hint});
}

}  // namespace penstock
