#include "train/run/run_identity.h"

#include <sstream>

#include "streamer/core/checksum.h"
#include "train/run/run_values.h"

namespace penstock::train {

RunIdentity run_identity(const IdentityParts& parts) {
  const RunConfig& config = parts.config;
  std::ostringstream text;
  text << "run.format=1\n"
       << parts.pipeline << "run.epochs=" << config.epochs << '\n'
       << "run.batch_size=" << config.batch_size << '\n'
       << "run.seed=" << config.seed << '\n'
       << "run.label_smoothing=" << format_number(config.label_smoothing) << '\n'
       << "sgd.learning_rate=" << format_number(config.sgd.learning_rate) << '\n'
       << "sgd.momentum=" << format_number(config.sgd.momentum) << '\n'
       << "sgd.nesterov=" << config.sgd.nesterov << '\n'
       << "sgd.weight_decay=" << format_number(config.sgd.weight_decay) << '\n'
       << "schedule=" << schedule_name(config.schedule.kind) << '\n'
       << "schedule.warmup_fraction=" << format_number(config.schedule.warmup_fraction) << '\n'
       << "schedule.div_factor=" << format_number(config.schedule.div_factor) << '\n'
       << "schedule.final_div_factor=" << format_number(config.schedule.final_div_factor) << '\n'
       << "backend=" << config.backend << '\n'
       << "backend.description=" << parts.backend << '\n'
       << parts.graph.identity();
  RunIdentity identity{.text = text.str()};
  identity.hash = xxh3_64(identity.text);
  return identity;
}

}  // namespace penstock::train
