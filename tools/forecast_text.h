// How long a run will take, in words, with what the time is made of.
#pragma once

#include <string>

#include "train/run/trial/run_forecast.h"

namespace penstock::tools {

/// Lines without an end on the last; epochs are counted from 1.
std::string forecast_text(const train::RunForecast& forecast);

}  // namespace penstock::tools
