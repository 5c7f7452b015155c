#include "train/run/run_progress.h"

#include <nlohmann/json.hpp>

#include "streamer/core/error.h"
#include "streamer/core/result.h"

namespace penstock::train {
namespace {

using Json = nlohmann::json;

constexpr const char* kEpochs = "epochs";
constexpr const char* kSkipped = "skipped";

// Sums come back bit by bit: the JSON library writes the shortest digits that do.
Json pass_json(const PassReport& pass) {
  return {{"weighted_loss_sum", pass.totals.weighted_loss_sum},
          {"weight_sum", pass.totals.weight_sum},
          {"num_counted", pass.totals.num_counted},
          {"num_correct", pass.totals.num_correct},
          {"num_samples", pass.num_samples},
          {"num_expected", pass.num_expected},
          {"num_distinct", pass.num_distinct},
          {"num_skipped", pass.num_skipped},
          {"num_steps", pass.num_steps},
          {"num_skipped_steps", pass.num_skipped_steps},
          {"elapsed_s", pass.elapsed_s},
          {"waiting_s", pass.waiting_s},
          {"learning_rate", pass.learning_rate}};
}

PassReport pass_of(const Json& json) {
  PassReport pass;
  json.at("weighted_loss_sum").get_to(pass.totals.weighted_loss_sum);
  json.at("weight_sum").get_to(pass.totals.weight_sum);
  json.at("num_counted").get_to(pass.totals.num_counted);
  json.at("num_correct").get_to(pass.totals.num_correct);
  json.at("num_samples").get_to(pass.num_samples);
  json.at("num_expected").get_to(pass.num_expected);
  json.at("num_distinct").get_to(pass.num_distinct);
  json.at("num_skipped").get_to(pass.num_skipped);
  json.at("num_steps").get_to(pass.num_steps);
  json.at("num_skipped_steps").get_to(pass.num_skipped_steps);
  json.at("elapsed_s").get_to(pass.elapsed_s);
  json.at("waiting_s").get_to(pass.waiting_s);
  json.at("learning_rate").get_to(pass.learning_rate);
  return pass;
}

Json epoch_json(const std::optional<EpochReport>& epoch) {
  if (!epoch) return nullptr;
  return {{"epoch_idx", epoch->epoch_idx},
          {"num_epochs", epoch->num_epochs},
          {"num_steps", epoch->num_steps},
          {"train", pass_json(epoch->train)},
          {"validation", epoch->validation ? pass_json(*epoch->validation) : Json(nullptr)}};
}

std::optional<EpochReport> epoch_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  EpochReport epoch;
  json.at("epoch_idx").get_to(epoch.epoch_idx);
  json.at("num_epochs").get_to(epoch.num_epochs);
  json.at("num_steps").get_to(epoch.num_steps);
  epoch.train = pass_of(json.at("train"));
  if (!json.at("validation").is_null()) epoch.validation = pass_of(json.at("validation"));
  return epoch;
}

// Names and shards are looked up again: names are bytes, which JSON cannot hold.
Json skipped_json(const SkippedSamples& skipped) {
  Json samples = Json::array();
  for (const SkippedSample& sample : skipped.list()) {
    samples.push_back({{"epoch_idx", sample.epoch_idx},
                       {"split", sample.split},
                       {"sample_id", sample.sample_id},
                       {"status", static_cast<int>(sample.fault.status)},
                       {"detail", sample.fault.detail()}});
  }
  return {{"samples", samples}};
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::map<std::string, std::string> progress_parts(const RunProgress& progress) {
  const Json epochs = {{"num_epochs", progress.num_epochs},
                       {"last", epoch_json(progress.last)},
                       {"under_way", epoch_json(progress.under_way)},
                       {"place_epoch", progress.place.epoch},
                       {"place_position", progress.place.next_position},
                       {"num_validated_steps", progress.num_validated_steps},
                       {"end_reason", progress.end_reason}};
  return {{kEpochs, dumped(epochs)}, {kSkipped, dumped(skipped_json(progress.skipped))}};
}

RunProgress read_progress(const std::map<std::string, std::string>& parts,
                          const std::function<const DatasetSplit*(std::string_view)>& split_of,
                          const std::string& where) try {
  const Json epochs = Json::parse(parts.at(kEpochs));
  RunProgress progress;
  epochs.at("num_epochs").get_to(progress.num_epochs);
  progress.last = epoch_of(epochs.at("last"));
  progress.under_way = epoch_of(epochs.at("under_way"));
  epochs.at("place_epoch").get_to(progress.place.epoch);
  epochs.at("place_position").get_to(progress.place.next_position);
  epochs.at("num_validated_steps").get_to(progress.num_validated_steps);
  epochs.at("end_reason").get_to(progress.end_reason);
  const Json skipped = Json::parse(parts.at(kSkipped));
  for (const Json& sample : skipped.at("samples")) {
    const DatasetSplit* const split = split_of(sample.at("split").get<std::string>());
    const auto sample_id = sample.at("sample_id").get<std::uint64_t>();
    // Of a dataset that changed: what is no longer there is not listed.
    if (split == nullptr || sample_id >= split->num_samples()) continue;
    const SampleFault fault(static_cast<SampleStatus>(sample.at("status").get<int>()),
                            sample.at("detail").get<std::string>());
    progress.skipped.add(*split, sample.at("epoch_idx").get<std::uint32_t>(),
                         {.sample_id = sample_id, .fault = fault});
  }
  return progress;
} catch (const std::out_of_range& missing) {
  throw Error(ErrorCode::kCorruptData, "checkpoint: " + where + ": parts: expected the parts \"" +
                                           kEpochs + "\" and \"" + kSkipped + "\", found others");
} catch (const Json::exception& error) {
  throw Error(ErrorCode::kCorruptData,
              "checkpoint: " + where +
                  ": parts: expected those of a run, found something else: " + error.what());
}

}  // namespace penstock::train
