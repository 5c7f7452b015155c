#include "tests/train/run/resumed_run.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "streamer/core/file.h"
#include "train/run/epoch/metrics_log.h"
#include "train/store/model_record.h"

namespace penstock::train::tests {
namespace {

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream text(line);
  for (std::string field; std::getline(text, field, ',');) fields.push_back(field);
  return fields;
}

/// What a clock measures.
bool is_of_a_clock(const std::string& name) {
  return name == "train_s" || name == "val_s" || name.ends_with("images_per_s") ||
         name == "waiting_share";
}

std::string table_of(const fs::path& run) {
  std::istringstream text(read_text_file(run / kMetricsName));
  std::string line;
  std::getline(text, line);
  const std::vector<std::string> names = fields_of(line);
  std::string kept = line + "\n";
  while (std::getline(text, line)) {
    const std::vector<std::string> fields = fields_of(line);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!is_of_a_clock(names[i])) kept += fields[i] + ",";
    }
    kept += "\n";
  }
  return kept;
}

std::string events_of(const fs::path& run) {
  std::istringstream text(read_text_file(run / kMetricEventsName));
  std::string kept;
  for (std::string line; std::getline(text, line);) {
    nlohmann::json event = nlohmann::json::parse(line);
    for (const char* name :
         {"train_s", "val_s", "images_per_s", "val_images_per_s", "waiting_share"}) {
      event.erase(name);
    }
    kept += event.dump() + "\n";
  }
  return kept;
}

}  // namespace

std::string figures_of(const fs::path& run) {
  return table_of(run) + events_of(run);
}

LeftBehind::LeftBehind(const fs::path& run)
    : weights(read_text_file(run / kWeightsName)),
      record(read_text_file(run / kModelRecordName)),
      figures(figures_of(run)) {}

void check_equal(const LeftBehind& found, const LeftBehind& expected) {
  BOOST_TEST((found.weights == expected.weights));
  BOOST_TEST((found.record == expected.record));
  BOOST_TEST(found.figures == expected.figures);
}

}  // namespace penstock::train::tests
