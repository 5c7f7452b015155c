// CHECKPOINT.md against the checkpoints that a run leaves.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "fixtures/damage.h"
#include "tests/train/run/tiny_run.h"
#include "train/store/checkpoint_folder.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

using Json = nlohmann::json;

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

struct Fixture : tests::TinyRun {
  std::set<std::string> stored_fields() const {
    std::set<std::string> names;
    for (const CheckpointEntry& entry : list_checkpoints(out / kCheckpointsName)) {
      add_fields(Json::parse(read_text_file(entry.path / "state.json")), names);
    }
    return names;
  }
};

BOOST_FIXTURE_TEST_SUITE(checkpoint_document, Fixture)

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
  const std::set<std::string> fields = stored_fields();
  BOOST_TEST(fields.size() > 50u);
  for (const char* expected : {"learning_rate", "num_validated_steps", "history", "sample_id"}) {
    BOOST_TEST(fields.count(expected) == 1u, expected);
  }
  const std::string document =
      read_text_file(fs::path(PENSTOCK_SOURCE_DIR) / "train/store/CHECKPOINT.md");
  for (const std::string& name : fields) {
    BOOST_TEST((document.find("`" + name + "`") != std::string::npos), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
