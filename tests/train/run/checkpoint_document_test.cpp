// train/store/CHECKPOINT.md against what a run leaves: the columns of metrics.csv, the fields of model.json, of
// state.json and of its parts.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "fixtures/damage.h"
#include "streamer/core/file.h"
#include "tests/train/run/tiny_run.h"
#include "train/store/checkpoint_folder.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

std::string document() {
  return read_text_file(fs::path(PENSTOCK_SOURCE_DIR) / "train/store/CHECKPOINT.md");
}

/// The document's part under a title.
std::string section(const std::string& title) {
  const std::string whole = document();
  const std::size_t begin = whole.find("\n" + title + "\n");
  BOOST_REQUIRE_MESSAGE(begin != std::string::npos, title);
  return whole.substr(begin, whole.find("\n#", begin + title.size()) - begin);
}

Names quoted(const std::string& text) {
  Names names;
  for (std::size_t at = text.find('`'); at != std::string::npos; at = text.find('`', at)) {
    const std::size_t end = text.find('`', at + 1);
    names.push_back(text.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return names;
}

/// What is quoted in the first cells of a section's tables.
Names first_cells(const std::string& text) {
  Names names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const Names cell = quoted(line.substr(0, line.find(" | ")));
    names.insert(names.end(), cell.begin(), cell.end());
  }
  return names;
}

Names keys_of(const Json& object) {
  Names names;
  for (const auto& item : object.items()) names.push_back(item.key());
  return names;
}

/// Names of all fields, but for those of an object whose names are a user's.
void add_fields(const Json& json, std::set<std::string>& names) {
  if (json.is_array()) {
    for (const Json& one : json) add_fields(one, names);
  }
  if (!json.is_object()) return;
  for (const auto& [name, value] : json.items()) {
    names.insert(name);
    if (name != "settings") add_fields(value, names);
  }
}

/// Names as the first cells of a table give them: `a.b`, `c` are a.b and a.c.
Names dotted_cells(const std::string& text) {
  Names names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    std::string object;
    for (const std::string& name : quoted(line.substr(0, line.find(" | ")))) {
      const std::size_t dot = name.find('.');
      if (dot != std::string::npos) object = name.substr(0, dot + 1);
      names.push_back(dot != std::string::npos ? name : object + name);
    }
  }
  return names;
}

/// The same of an object; not of those whose names are a dataset's or a metric's.
Names dotted_keys(const Json& json) {
  Names names;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_object() || name == "conversion" || name == "metrics") {
      names.push_back(name);
      continue;
    }
    for (const std::string& inner : keys_of(value)) names.push_back(name + "." + inner);
  }
  return names;
}

struct DocumentedRun : tests::TinyRun {
  /// state.json of every checkpoint that is left, the newest first.
  std::vector<Json> states() const {
    std::vector<Json> states;
    for (const CheckpointEntry& entry : list_checkpoints(out / kCheckpointsName)) {
      states.push_back(Json::parse(read_text_file(entry.path / "state.json")));
    }
    return states;
  }
};

BOOST_FIXTURE_TEST_SUITE(checkpoint_document, DocumentedRun)

BOOST_AUTO_TEST_CASE(columns_of_metrics_are_those_of_the_document) {
  run();
  Names columns = first_cells(section("## metrics.csv"));
  std::erase(columns, "val_top5_accuracy");  // of more than 5 classes; here are two
  const std::string text = read_text_file(out / kMetricsName);
  std::istringstream head(text.substr(0, text.find('\n')));
  Names found;
  for (std::string name; std::getline(head, name, ',');) found.push_back(name);
  BOOST_TEST(found == columns, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(fields_of_events_and_figures_of_the_record_are_named) {
  run();
  const auto check_named = [](const Json& object, const std::string& text) {
    const Names names = quoted(text);
    for (const std::string& key : keys_of(object)) {
      BOOST_TEST((std::ranges::find(names, key) != names.end()), key);
    }
  };
  std::istringstream events(read_text_file(out / kMetricEventsName));
  std::size_t num_events = 0;
  for (std::string line; std::getline(events, line); ++num_events) {
    const Json event = Json::parse(line);
    check_named(event, section("## metrics.csv") + section("## metrics.jsonl"));
    if (event["event"] != "validation") continue;
    // The section's table is that of a class.
    BOOST_TEST(keys_of(event["val_classes"][0]) == first_cells(section("## metrics.jsonl")),
               boost::test_tools::per_element());
  }
  BOOST_TEST(num_events == 6u);
  const Json metrics = Json::parse(read_text_file(out / kModelRecordName))["metrics"];
  BOOST_TEST(metrics.size() == 5u);
  check_named(metrics, section("## model.json"));
}

BOOST_AUTO_TEST_CASE(fields_of_state_are_those_of_the_document) {
  run();
  Names fields = first_cells(section("### state.json"));
  // The table of parts is the section's second.
  const auto parts = std::ranges::find(fields, "epochs");
  BOOST_REQUIRE((parts != fields.end()));
  fields.erase(parts, fields.end());
  fields.push_back("xxh3");
  BOOST_TEST(keys_of(states().front()) == fields, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(fields_of_the_record_are_those_of_the_document_in_its_order) {
  Names fields = dotted_cells(section("## model.json"));
  RunConfig focal = config();
  focal.loss = LossKind::kSoftmaxFocal;
  train_run(focal, watcher, {});
  const auto record_of = [](const fs::path& run) {
    return Json::parse(read_text_file(run / kModelRecordName));
  };
  BOOST_TEST(dotted_keys(record_of(out)) == fields, boost::test_tools::per_element());
  // "with `focal` alone"
  RunConfig plain = config();
  plain.out = folder.path() / "plain";
  train_run(plain, watcher, {});
  std::erase(fields, "loss.focal_gamma");
  std::erase(fields, "loss.focal_alpha");
  BOOST_TEST(dotted_keys(record_of(plain.out)) == fields, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_field_of_a_checkpoint_is_named) {
  RunConfig config = this->config();
  config.dataset = folder.path() / "damaged";
  fs::copy(tests::pets(), config.dataset);
  const fs::path shard = config.dataset / "train-00000.h5";
  const std::size_t first_picture = read_text_file(shard).find("\xFF\xD8\xFF");
  BOOST_REQUIRE(first_picture != std::string::npos);
  fixtures::flip_byte(shard, first_picture + 400);  // a sample that is skipped
  config.early_stopping.patience = 3;
  config.reduce_on_plateau.factor = 0.5;
  config.optimizer.ema_decay = 0.9;
  config.checkpoint.every_steps = 3;
  config.num_checkpoints_kept = 100;
  train_run(config, watcher, {});
  std::set<std::string> fields;
  for (const Json& state : states()) add_fields(state, fields);
  BOOST_TEST(fields.size() > 50u);
  for (const char* expected : {"learning_rate", "num_validated_steps", "history", "sample_id"}) {
    BOOST_TEST(fields.count(expected) == 1u, expected);
  }
  const std::string text = document();
  for (const std::string& name : fields) {
    BOOST_TEST((text.find("`" + name + "`") != std::string::npos), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
