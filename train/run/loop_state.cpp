#include "train/run/loop_state.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

using Json = nlohmann::json;

// JSON has no NaN: null stands for it, and for a best that there is none of.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}
Json number(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json history_json(const std::vector<LearningEpoch>& history) {
  Json list = Json::array();
  for (const LearningEpoch& epoch : history) {
    list.push_back({{"epoch", epoch.epoch},
                    {"train_loss", number(epoch.train_loss)},
                    {"validation_loss", number(epoch.validation_loss)},
                    {"train_accuracy", number(epoch.train_accuracy)},
                    {"validation_accuracy", number(epoch.validation_accuracy)}});
  }
  return list;
}

/// One object of the text. Fields that nobody asks for mean nothing.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json_.is_object()) refuse("expected an object");
  }

  template <class T>
  T whole(const char* name) const {
    const Json& value = field(name);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<T>::max()) {
      refuse(std::string(name) + ": expected a whole number");
    }
    return value.get<T>();
  }
  /// Nothing for null.
  std::optional<double> optional_number(const char* name) const {
    const Json& value = field(name);
    if (value.is_null()) return std::nullopt;
    if (!value.is_number()) refuse(std::string(name) + ": expected a number or null");
    return value.get<double>();
  }
  double number(const char* name) const {
    return optional_number(name).value_or(std::numeric_limits<double>::quiet_NaN());
  }
  ObjectReader object(const char* name) const { return {field(name), where_ + ": " + name}; }
  const Json& array(const char* name) const {
    const Json& value = field(name);
    if (!value.is_array()) refuse(std::string(name) + ": expected a list");
    return value;
  }

 private:
  const Json& field(const char* name) const {
    const auto found = json_.find(name);
    if (found == json_.end()) refuse(std::string(name) + ": expected a value, found none");
    return *found;
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kCorruptData, where_ + ": " + what);
  }

  const Json& json_;
  std::string where_;
};

std::vector<LearningEpoch> read_history(const ObjectReader& reader, const std::string& where) {
  std::vector<LearningEpoch> history;
  for (const Json& one : reader.array("history")) {
    const ObjectReader epoch(one, where + ": history");
    history.push_back({.epoch = epoch.whole<std::uint32_t>("epoch"),
                       .train_loss = epoch.number("train_loss"),
                       .validation_loss = epoch.number("validation_loss"),
                       .train_accuracy = epoch.number("train_accuracy"),
                       .validation_accuracy = epoch.number("validation_accuracy")});
  }
  return history;
}

}  // namespace

std::string format_loop_state(const LoopState& state) {
  const NanGuardState& guard = state.trainer.nan_guard;
  const PlateauState& plateau = state.plateau;
  const EarlyStoppingState& stopping = state.early_stopping;
  return Json{
      {"num_steps", state.trainer.num_steps},
      {"peak_learning_rate", number(state.trainer.peak_learning_rate)},
      {"nan_guard", {{"num_in_a_row", guard.num_in_a_row}, {"num_skipped", guard.num_skipped}}},
      {"reduce_on_plateau",
       {{"learning_rate", number(plateau.learning_rate)},
        {"best", number(plateau.best)},
        {"num_bad_epochs", plateau.num_bad_epochs},
        {"num_cooldown_epochs", plateau.num_cooldown_epochs}}},
      {"early_stopping",
       {{"best", number(stopping.best)},
        {"best_epoch_idx", stopping.best_epoch_idx},
        {"num_bad_epochs", stopping.num_bad_epochs}}},
      {"history", history_json(state.history)}}
      .dump();
}

LoopState parse_loop_state(std::string_view text, const std::string& where) {
  const std::string place = "checkpoint: " + where + ": parts: " + std::string(kLoopStatePart);
  const Json json = Json::parse(text, nullptr, false);
  const ObjectReader reader(json, place);
  const ObjectReader guard = reader.object("nan_guard");
  const ObjectReader plateau = reader.object("reduce_on_plateau");
  const ObjectReader stopping = reader.object("early_stopping");
  return {.trainer = {.num_steps = reader.whole<std::uint64_t>("num_steps"),
                      .peak_learning_rate = reader.number("peak_learning_rate"),
                      .nan_guard = {.num_in_a_row = guard.whole<std::uint32_t>("num_in_a_row"),
                                    .num_skipped = guard.whole<std::uint64_t>("num_skipped")}},
          .plateau = {.learning_rate = plateau.number("learning_rate"),
                      .best = plateau.optional_number("best"),
                      .num_bad_epochs = plateau.whole<std::uint32_t>("num_bad_epochs"),
                      .num_cooldown_epochs = plateau.whole<std::uint32_t>("num_cooldown_epochs")},
          .early_stopping = {.best = stopping.optional_number("best"),
                             .best_epoch_idx = stopping.whole<std::uint32_t>("best_epoch_idx"),
                             .num_bad_epochs = stopping.whole<std::uint32_t>("num_bad_epochs")},
          .history = read_history(reader, place)};
}

}  // namespace penstock::train
