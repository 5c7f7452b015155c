// What train reports as JSON: keys in snake_case, with units.
#pragma once

#include <string>

#include "train/run/session.h"

namespace penstock::tools {

std::string train_json(const train::RunOverview& overview, const train::RunOutcome& outcome);

}  // namespace penstock::tools
