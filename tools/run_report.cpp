#include "tools/run_report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "streamer/core/checksum.h"
#include "tools/network_report.h"
#include "train/metrics/figure_names.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// JSON has no NaN: a figure that there is none of is null.
Json figure(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json learning_json(const train::RunOverview& overview) {
  Json stages = Json::array();
  for (const auto& stage : overview.learning) {
    stages.push_back({{"first_epoch", stage.first_epoch}, {"num_params", stage.num_params}});
  }
  return stages;
}

Json pass_json(const train::PassReport& pass) {
  return {{"num_samples", pass.num_samples},     {"num_expected", pass.num_expected},
          {"num_distinct", pass.num_distinct},   {"num_left_out", pass.num_left_out},
          {"num_skipped", pass.num_skipped},     {"num_skipped_steps", pass.num_skipped_steps},
          {"loss", figure(pass.totals.loss())},  {"top1", figure(pass.totals.top1())},
          {"images_per_s", pass.images_per_s()}, {"waiting_share", pass.waiting_share()},
          {"elapsed_s", pass.elapsed_s}};
}

Json metrics_json(const train::MetricTable& metrics) {
  Json json = Json::object();
  for (const train::MetricValue& one : metrics.values()) {
    for (const std::string& name : train::json_names(one.metric.name))
      json[name] = figure(one.value);
  }
  return json;
}

// Null without a cache.
Json cache_json(CacheForm form, const CacheStats& cache) {
  if (form == CacheForm::kNone) return nullptr;
  return {{"form", cache_form_name(form)},  {"limit_bytes", cache.limit_bytes},
          {"kept_bytes", cache.kept_bytes}, {"num_kept", cache.num_kept},
          {"num_places", cache.num_places}, {"num_hits", cache.num_hits}};
}

// What is known before the first step.
Json gpu_memory_json(const train::RunOverview& overview) {
  if (!overview.device) return nullptr;
  return {{"arena_bytes", overview.device->arena_bytes},
          {"limit_bytes", overview.device->limit_bytes},
          {"used_bytes", overview.device->used_bytes}};
}

Json plan_json(const train::RunOverview& overview) {
  return {{"run", overview.config.out.native()},
          {"dataset", overview.config.dataset.native()},
          {"model", overview.config.model},
          {"image_height_px", overview.config.image_height_px},
          {"image_width_px", overview.config.image_width_px},
          {"num_params", overview.num_params},
          {"learning", learning_json(overview)},
          {"init_from", text_or_null(overview.config.init_from.native())},
          {"initial_weights", text_or_null(overview.initial_weights)},
          {"statistics_note", text_or_null(overview.statistics_note)},
          {"loss_weights", text_or_null(overview.config.loss_weights.native())},
          {"num_loss_weights", overview.num_loss_weights},
          {"seed", overview.config.seed},
          {"identity_xxh3", hex(overview.identity_hash)},
          {"backend", overview.backend},
          {"precision", train::compute_type_name(overview.config.precision)},
          {"device", overview.config.device},
          {"device_note", text_or_null(overview.device_note)},
          {"gpu_memory", gpu_memory_json(overview)},
          {"precision_note", text_or_null(overview.precision_note)},
          {"memory_note", text_or_null(overview.memory_note)},
          {"steps_note", text_or_null(overview.steps_note)},
          {"num_compute_threads", overview.cores.num_compute},
          {"num_readers", overview.cores.num_readers},
          {"num_workers", overview.cores.num_workers},
          {"limit_bytes", overview.config.memory_bytes},
          {"micro_batch", overview.config.micro_batch},
          {"recompute", train::recompute_name(overview.recompute)},
          {"batch_memory", overview.batch_memory}};
}

Json timed_json(const train::TimedPass& pass) {
  return {{"num_batches", pass.num_batches},
          {"num_samples", pass.num_samples},
          {"elapsed_s", pass.elapsed_s},
          {"images_per_s", pass.images_per_s()},
          {"waiting_share", pass.waiting_share()}};
}

Json stages_json(const train::RunForecast& forecast) {
  Json stages = Json::array();
  for (const train::StageForecast& stage : forecast.stages) {
    stages.push_back({{"first_epoch", stage.first_epoch},
                      {"num_steps", stage.num_steps},
                      {"train_s", stage.train_s},
                      {"timed", timed_json(stage.timed)}});
  }
  return stages;
}

Json memory_json(const train::RunOverview& overview) {
  Json rows = Json::array();
  for (const train::MemoryRow& row : overview.memory) {
    rows.push_back({{"what", row.what}, {"bytes", row.bytes}});
  }
  return rows;
}

Json network_memory_json(const train::RunOverview& overview) {
  return {{"kept_bytes", overview.network_kept_bytes},
          {"passing_bytes", overview.network_passing_bytes},
          {"roles", roles_json(overview.network_roles)}};
}

}  // namespace

std::string start_event(const train::RunOverview& overview) {
  Json json = {{"event", "start"}};
  json.update(plan_json(overview));
  json.update({{"num_train_samples", overview.num_train_samples},
               {"num_validation_samples", overview.num_validation_samples},
               {"num_classes", overview.num_classes},
               {"epochs", overview.config.epochs},
               {"memory", memory_json(overview)},
               {"network_memory", network_memory_json(overview)},
               {"batch_note", text_or_null(overview.batch_note)},
               {"resume_notes", overview.resume_notes}});
  return line_of(json);
}

std::string end_event(const train::RunOverview& overview, const train::RunOutcome& outcome) {
  Json json = {{"event", "end"}};
  if (outcome.was_set_up) json.update(plan_json(overview));
  json.update({{"num_epochs", outcome.num_epochs},
               {"num_steps", outcome.num_steps},
               {"was_stopped", outcome.was_stopped},
               {"ran_out_of_time", outcome.ran_out_of_time},
               {"has_weights", outcome.has_weights},
               {"peak_bytes", outcome.high_water_bytes},
               {"loader_verdict", outcome.loader_verdict}});
  json["checkpoint_step"] =
      outcome.checkpoint_step ? Json(*outcome.checkpoint_step) : Json(nullptr);
  json["cache"] = cache_json(overview.config.cache, outcome.cache);
  const bool has_validation = outcome.last && outcome.last->validation;
  json["train"] = outcome.last ? pass_json(outcome.last->train) : Json(nullptr);
  json["validation"] = has_validation ? pass_json(*outcome.last->validation) : Json(nullptr);
  json["metrics"] = outcome.last ? metrics_json(outcome.last->metrics) : Json(nullptr);
  json["learning_verdict"] = outcome.learning_verdict;
  json["end_reason"] = outcome.end_reason;
  json["best_epoch"] = outcome.best_epoch_idx ? Json(*outcome.best_epoch_idx + 1) : Json(nullptr);
  json["partial_train"] = outcome.partial ? pass_json(outcome.partial->train) : Json(nullptr);
  return line_of(json);
}

std::string forecast_json(const train::RunOverview& overview, const train::RunForecast& forecast) {
  Json json = plan_json(overview);
  json.update({{"is_dry_run", true},
               {"memory", memory_json(overview)},
               {"network_memory", network_memory_json(overview)},
               {"batch_note", text_or_null(overview.batch_note)},
               {"resume_notes", overview.resume_notes},
               {"num_epochs", forecast.ahead.num_epochs},
               {"steps_per_epoch", forecast.ahead.steps_per_epoch},
               {"num_steps_done", forecast.ahead.num_steps_done},
               {"num_steps_left", forecast.ahead.num_steps()},
               {"num_validations_left", forecast.ahead.num_validations()},
               {"num_skipped", forecast.num_skipped},
               {"stages", stages_json(forecast)},
               {"setup_s", forecast.setup_s},
               {"train_s", forecast.train_s()},
               {"validation_s", forecast.validation_s()},
               {"total_s", forecast.total_s()},
               {"is_cut_by_max_time", forecast.is_cut_by_max_time()},
               {"may_end_early", forecast.may_end_early}});
  json["validation"] =
      forecast.validation.num_batches > 0 ? timed_json(forecast.validation) : Json(nullptr);
  return dump(json);
}

}  // namespace penstock::tools
