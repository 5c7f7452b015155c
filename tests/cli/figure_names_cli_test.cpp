// The table of figures' names in tools/README.md against what the commands print and store.
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "tests/cli/json_events.h"
#include "tests/cli/run_command.h"
#include "tests/cli/trained_shapes.h"
#include "tests/contains.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct FigureName {
  std::string json;
  std::string column;
};

std::vector<std::string> quoted(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t at = text.find('`'); at != text.npos; at = text.find('`', at)) {
    const std::size_t end = text.find('`', at + 1);
    names.push_back(text.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return names;
}

std::vector<FigureName> documented() {
  const std::string text = read_text_file(fs::path(PENSTOCK_SOURCE_DIR) / "tools/README.md");
  const std::size_t begin = text.find("\n| figure | in JSON | ");
  BOOST_REQUIRE(begin != text.npos);
  std::vector<FigureName> names;
  for (const std::string& line : lines_of(text.substr(begin, text.find("\n\n", begin) - begin))) {
    const std::vector<std::string> cells = quoted(line);
    if (cells.size() == 2) names.push_back({cells[0], cells[1]});
  }
  BOOST_REQUIRE(names.size() == 11u);
  return names;
}

/// Every figure of a validation by both its names.
void check_both(const Json& object) {
  for (const FigureName& name : documented()) {
    BOOST_TEST(object.at("val_" + name.json).is_number(), name.json);
    BOOST_TEST(object.at("val_" + name.column) == object.at("val_" + name.json), name.column);
  }
}

/// Whether `object` has no name that JSON does not have for its figures.
void check_no_column(const Json& object) {
  for (const FigureName& name : documented()) {
    if (name.column != name.json) BOOST_TEST(!object.contains(name.column), name.column);
  }
}

struct NamesFixture {
  const TrainedShapes& shapes = TrainedShapes::get();
  TemporaryFolder folder;
};

BOOST_FIXTURE_TEST_SUITE(figure_names_cli, NamesFixture)

BOOST_AUTO_TEST_CASE(events_of_a_run_have_the_names_of_the_table) {
  const CommandResult result =
      run_penstock({"train", shapes.dataset(), "-o", folder.path() / "run", "--image-size", "32",
                    "--batch-size", "16", "--epochs", "1", "--threads", "2", "--json", "--quiet"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const std::vector<Json> events = events_of(result.out);
  const Json step = of_kind(events, "step").front();
  for (const char* name : {"loss", "top1"}) BOOST_TEST(step.at(name).is_number(), name);
  check_no_column(step);
  check_both(of_kind(events, "validation").front());
  const Json epoch = of_kind(events, "epoch").front();
  check_both(epoch);
  BOOST_TEST(epoch.at("top1").is_number());
  BOOST_TEST(epoch.at("accuracy") == epoch.at("top1"));
  const Json& end = events.back();
  check_both(end.at("metrics"));
  for (const char* pass : {"train", "validation"}) check_no_column(end.at(pass));
  BOOST_TEST(end.at("train").at("top1") == epoch.at("top1"));
  BOOST_TEST(end.at("validation").at("top1") == epoch.at("val_top1"));
}

BOOST_AUTO_TEST_CASE(columns_of_metrics_are_those_of_the_table) {
  const std::string head = lines_of(read_text_file(shapes.run() / "metrics.csv")).front();
  for (const FigureName& name : documented()) {
    BOOST_TEST(contains("," + head + ",", ",val_" + name.column + ","));
  }
}

BOOST_AUTO_TEST_CASE(evaluation_and_the_record_have_the_names_of_the_table) {
  const CommandResult result =
      run_penstock({"evaluate", shapes.run(), "--split", "validation", "--json", "--threads", "2"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json json = Json::parse(result.out);
  const Json last =
      of_kind(events_of(read_text_file(shapes.run() / "metrics.jsonl")), "validation").back();
  for (const FigureName& name : documented()) {
    BOOST_TEST(json.at(name.json) == last.at("val_" + name.json), name.json);
  }
  check_no_column(json);
  const Json record = Json::parse(read_text_file(shapes.run() / "model.json"))["metrics"];
  BOOST_TEST(record.at("val_top1") == last.at("val_top1"));
  BOOST_TEST(record.at("val_loss") == last.at("val_loss"));
}

// Every name of the table's last column is a monitor.
BOOST_AUTO_TEST_CASE(monitors_are_those_of_the_table) {
  for (const FigureName& name : documented()) {
    const CommandResult result =
        run_penstock({"train", shapes.dataset(), "--dry-run", "--quiet", "--image-size", "32",
                      "--batch-size", "16", "--epochs", "1", "--early-stopping.patience", "1",
                      "--early-stopping.monitor", "val_" + name.column});
    BOOST_TEST(result.exit_code == 0, result.err);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
