// What train and evaluate report as JSON: keys in snake_case, with units.
#pragma once

#include <string>

#include "train/run/evaluation.h"
#include "train/run/session.h"

namespace penstock::tools {

std::string train_json(const train::RunOverview& overview, const train::RunOutcome& outcome);

std::string evaluation_json(const train::EvaluationReport& report,
                            const train::EvaluationConfig& config);

}  // namespace penstock::tools
