#include "train/optim/sgd_config.h"

#include <cmath>
#include <string>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

[[noreturn]] void refuse(const char* field, const char* expected, double found) {
  throw Error(ErrorCode::kInvalidArgument, std::string("sgd: ") + field + ": expected " + expected +
                                               ", found " + std::to_string(found));
}

}  // namespace

// The comparisons are written so that NaN fails them.
void SgdConfig::validate() const {
  if (!(learning_rate > 0 && std::isfinite(learning_rate))) {
    refuse("learning_rate", "a finite number above 0", learning_rate);
  }
  if (!(momentum >= 0 && momentum < 1)) refuse("momentum", "0 to below 1", momentum);
  if (!(weight_decay >= 0 && std::isfinite(weight_decay))) {
    refuse("weight_decay", "a finite number, 0 or more", weight_decay);
  }
}

}  // namespace penstock::train
