// What the JSON of every benchmark has.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tools/bench/bench_facts.h"
#include "tools/bench/spread.h"
#include "tools/build_facts.h"
#include "tools/cpu_name.h"

namespace penstock::tools::bench {

using Json = nlohmann::ordered_json;

inline Json spread_json(const Spread& spread) {
  return {{"median", spread.median}, {"low", spread.low}, {"high", spread.high}};
}

inline Json optional_json(const std::optional<Spread>& spread) {
  return spread ? spread_json(*spread) : Json(nullptr);
}

/// A report as text: what its figures were taken with, then `own`.
inline std::string report_json(const Json& own) {
  Json json = {{"version", kVersion},
               {"commit", kCommit},
               {"compiler", kCompiler},
               {"flags", kFlags},
               {"cpu", cpu_name()}};
  json.update(own);
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace penstock::tools::bench
