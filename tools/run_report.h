// What train reports of a plan and an outcome as JSON: keys in snake_case, with units.
#pragma once

#include <string>

#include "train/run/session.h"
#include "train/run/trial/run_forecast.h"

namespace penstock::tools {

/// The first and the last line of a run's events (run_events.h), without their ends: the plan; the plan and
/// what came of it.
std::string start_event(const train::RunOverview& overview);
std::string end_event(const train::RunOverview& overview, const train::RunOutcome& outcome);

/// A dry run: the plan, and how long it will take.
std::string forecast_json(const train::RunOverview& overview, const train::RunForecast& forecast);

}  // namespace penstock::tools
