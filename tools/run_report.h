// What train, evaluate and predict report as JSON: keys in snake_case, with units.
#pragma once

#include <string>
#include <vector>

#include "train/run/evaluation.h"
#include "train/run/session.h"

namespace penstock::tools {

std::string train_json(const train::RunOverview& overview, const train::RunOutcome& outcome);

std::string evaluation_json(const train::EvaluationReport& report,
                            const train::EvaluationConfig& config);

struct RankedClass {
  std::string name;
  std::uint32_t class_idx = 0;
  double probability = 0;
};

/// One picture's answer, or why there is none.
struct PictureAnswer {
  std::string path;
  std::string fault;
  std::string hint;
  bool is_damaged = false;       // with a fault: its bytes, not its place
  std::vector<RankedClass> top;  // best first
};

std::string prediction_json(const std::vector<PictureAnswer>& answers);

}  // namespace penstock::tools
