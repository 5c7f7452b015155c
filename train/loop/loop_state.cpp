#include "train/loop/loop_state.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "train/store/part_reader.h"

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

std::vector<LearningEpoch> read_history(const PartReader& reader) {
  std::vector<LearningEpoch> history;
  reader.each("history", [&](const PartReader& epoch) {
    history.push_back({.epoch = epoch.whole<std::uint32_t>("epoch"),
                       .train_loss = epoch.number("train_loss"),
                       .validation_loss = epoch.number("validation_loss"),
                       .train_accuracy = epoch.number("train_accuracy"),
                       .validation_accuracy = epoch.number("validation_accuracy")});
  });
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
  const PartReader reader(json, place);
  const PartReader guard = reader.object("nan_guard");
  const PartReader plateau = reader.object("reduce_on_plateau");
  const PartReader stopping = reader.object("early_stopping");
  return {.trainer = {.num_steps = reader.whole<std::uint64_t>("num_steps"),
                      .peak_learning_rate = reader.amount("peak_learning_rate"),
                      .nan_guard = {.num_in_a_row = guard.whole<std::uint32_t>("num_in_a_row"),
                                    .num_skipped = guard.whole<std::uint64_t>("num_skipped")}},
          .plateau = {.learning_rate = plateau.amount("learning_rate"),
                      .best = plateau.optional_number("best"),
                      .num_bad_epochs = plateau.whole<std::uint32_t>("num_bad_epochs"),
                      .num_cooldown_epochs = plateau.whole<std::uint32_t>("num_cooldown_epochs")},
          .early_stopping = {.best = stopping.optional_number("best"),
                             .best_epoch_idx = stopping.whole<std::uint32_t>("best_epoch_idx"),
                             .num_bad_epochs = stopping.whole<std::uint32_t>("num_bad_epochs")},
          .history = read_history(reader)};
}

OptimizerProgress OptimizerProgress::of(Program& program) {
  OptimizerProgress progress{.num_steps = std::vector<std::uint64_t>(program.params().size())};
  program.export_num_steps(progress.num_steps);
  if (program.lowering().compute == ComputeType::kFloat16) {
    progress.loss_scaling = program.export_loss_scaling();
  }
  return progress;
}

void OptimizerProgress::restore(Program& program) const {
  program.import_num_steps(num_steps);
  if (loss_scaling && program.lowering().compute == ComputeType::kFloat16) {
    program.import_loss_scaling(*loss_scaling);
  }
}

std::string format_optimizer_progress(const OptimizerProgress& progress) {
  Json json{{"num_steps", progress.num_steps}};
  if (progress.loss_scaling) {
    json["loss_scale"] = progress.loss_scaling->scale;
    json["num_good_steps"] = progress.loss_scaling->num_good_steps;
  }
  return json.dump();
}

OptimizerProgress parse_optimizer_progress(std::string_view text, const std::string& where) {
  const Json json = Json::parse(text, nullptr, false);
  const PartReader reader(json, "checkpoint: " + where + ": parts: " + std::string(kOptimizerPart));
  OptimizerProgress progress{.num_steps = reader.whole_list("num_steps")};
  if (!json.contains("loss_scale")) return progress;
  constexpr double kMost = 1u << 24;  // programs stop at 65536
  const double scale = reader.amount("loss_scale");
  if (!(scale > 0 && scale <= kMost)) {
    throw Error(ErrorCode::kCorruptData, "checkpoint: " + where +
                                             ": parts: " + std::string(kOptimizerPart) +
                                             ": loss_scale: expected above 0 to 16777216");
  }
  progress.loss_scaling =
      LossScaling{.scale = static_cast<float>(scale),
                  .num_good_steps = reader.whole<std::uint32_t>("num_good_steps")};
  return progress;
}

}  // namespace penstock::train
