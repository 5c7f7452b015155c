// What train reports as JSON: keys in snake_case, with units.
#pragma once

#include <string>

#include "train/run/run_forecast.h"
#include "train/run/session.h"

namespace penstock::tools {

std::string train_json(const train::RunOverview& overview, const train::RunOutcome& outcome);

/// A dry run: the plan, and how long it will take.
std::string forecast_json(const train::RunOverview& overview, const train::RunForecast& forecast);

}  // namespace penstock::tools
