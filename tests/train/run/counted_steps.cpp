#include "tests/train/run/counted_steps.h"

#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace penstock::train::tests {
namespace {

/// "pass 1: position 7"
std::string name_of(std::uint64_t pass_idx, const char* kind, std::uint64_t number) {
  return "pass " + std::to_string(pass_idx) + ": " + kind + " " + std::to_string(number);
}

}  // namespace

LoggedSteps logged_steps(const std::vector<std::string>& lines) {
  LoggedSteps logged;
  for (const std::string& line : lines) {
    if (line == "step") logged.steps.push_back(std::exchange(logged.open, {}));
    if (!line.starts_with("batch ")) continue;
    std::istringstream text(line.substr(6));
    TakenSample sample;
    text >> sample.pass_idx;
    for (char colon; text >> sample.position >> colon >> sample.sample_id;) {
      logged.open.push_back(sample);
    }
  }
  return logged;
}

void add_steps(std::vector<TakenStep>& counted, const LoggedSteps& process,
               std::uint64_t num_steps_before) {
  if (num_steps_before > counted.size()) {
    throw std::runtime_error("log: a checkpoint of step " + std::to_string(num_steps_before) +
                             " after " + std::to_string(counted.size()) + " steps");
  }
  counted.resize(num_steps_before);
  counted.insert(counted.end(), process.steps.begin(), process.steps.end());
}

std::string not_once(const std::vector<TakenStep>& steps, const WholePasses& passes) {
  struct Times {
    int expected = 0;
    int taken = 0;
  };
  std::map<std::string, Times> times;
  for (std::uint64_t pass_idx = 0; pass_idx < passes.num_passes; ++pass_idx) {
    for (std::uint64_t i = 0; i < passes.num_samples; ++i) {
      for (const char* kind : {"position", "sample"})
        times[name_of(pass_idx, kind, i)].expected = 1;
    }
  }
  for (const TakenStep& step : steps) {
    for (const TakenSample& sample : step) {
      ++times[name_of(sample.pass_idx, "position", sample.position)].taken;
      ++times[name_of(sample.pass_idx, "sample", sample.sample_id)].taken;
    }
  }
  std::string lines;
  for (const auto& [name, found] : times) {
    if (found.taken == found.expected) continue;
    lines += name + ": expected " + std::to_string(found.expected) + ", found " +
             std::to_string(found.taken) + "\n";
  }
  return lines;
}

}  // namespace penstock::train::tests
