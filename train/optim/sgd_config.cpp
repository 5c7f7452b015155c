#include "train/optim/sgd_config.h"

#include <cmath>

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {

// The comparisons are written so that NaN fails them.
void SgdConfig::validate() const {
  if (!(learning_rate > 0 && std::isfinite(learning_rate))) {
    refuse_setting({"sgd", "learning_rate", "a finite number above 0", number_text(learning_rate),
                    "learning_rate = 0.1"});
  }
  if (!(momentum >= 0 && momentum < 1)) {
    refuse_setting({"sgd", "momentum", "0 to below 1", number_text(momentum), "momentum = 0.9"});
  }
  if (!(weight_decay >= 0 && std::isfinite(weight_decay))) {
    refuse_setting({"sgd", "weight_decay", "a finite number, 0 or more", number_text(weight_decay),
                    "weight_decay = 5e-4"});
  }
}

}  // namespace penstock::train
