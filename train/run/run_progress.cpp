#include "train/run/run_progress.h"

#include <nlohmann/json.hpp>

#include "streamer/core/error.h"
#include "streamer/core/result.h"
#include "train/store/part_reader.h"

namespace penstock::train {
namespace {

using Json = nlohmann::json;

constexpr const char* kEpochs = "epochs";
constexpr const char* kSkipped = "skipped";
constexpr auto kLastStatus = static_cast<std::uint8_t>(SampleStatus::kUnsupported);

// Sums come back bit by bit: the JSON library writes the shortest digits that do.
Json pass_json(const PassReport& pass) {
  return {{"weighted_loss_sum", pass.totals.weighted_loss_sum},
          {"weight_sum", pass.totals.weight_sum},
          {"num_counted", pass.totals.num_counted},
          {"num_correct", pass.totals.num_correct},
          {"num_samples", pass.num_samples},
          {"num_expected", pass.num_expected},
          {"num_distinct", pass.num_distinct},
          {"num_left_out", pass.num_left_out},
          {"num_skipped", pass.num_skipped},
          {"num_steps", pass.num_steps},
          {"num_skipped_steps", pass.num_skipped_steps},
          {"elapsed_s", pass.elapsed_s},
          {"waiting_s", pass.waiting_s},
          {"learning_rate", pass.learning_rate}};
}

PassReport pass_of(const PartReader& part) {
  // A sum of losses may have left the numbers; what is counted and timed cannot.
  return {.totals = {.weighted_loss_sum = part.number("weighted_loss_sum"),
                     .weight_sum = part.amount("weight_sum"),
                     .num_counted = part.whole<std::uint64_t>("num_counted"),
                     .num_correct = part.whole<std::uint64_t>("num_correct")},
          .num_samples = part.whole<std::uint64_t>("num_samples"),
          .num_expected = part.whole<std::uint64_t>("num_expected"),
          .num_distinct = part.whole<std::uint64_t>("num_distinct"),
          .num_left_out = part.whole<std::uint64_t>("num_left_out"),
          .num_skipped = part.whole<std::uint64_t>("num_skipped"),
          .num_steps = part.whole<std::uint64_t>("num_steps"),
          .num_skipped_steps = part.whole<std::uint64_t>("num_skipped_steps"),
          .elapsed_s = part.amount("elapsed_s"),
          .waiting_s = part.amount("waiting_s"),
          .learning_rate = part.amount("learning_rate")};
}

Json epoch_json(const std::optional<EpochReport>& epoch) {
  if (!epoch) return nullptr;
  return {{"epoch_idx", epoch->epoch_idx},
          {"num_epochs", epoch->num_epochs},
          {"num_steps", epoch->num_steps},
          {"train", pass_json(epoch->train)},
          {"validation", epoch->validation ? pass_json(*epoch->validation) : Json(nullptr)}};
}

std::optional<EpochReport> epoch_of(const std::optional<PartReader>& part) {
  if (!part) return std::nullopt;
  EpochReport epoch{.epoch_idx = part->whole<std::uint32_t>("epoch_idx"),
                    .num_epochs = part->whole<std::uint32_t>("num_epochs"),
                    .train = pass_of(part->object("train")),
                    .num_steps = part->whole<std::uint64_t>("num_steps")};
  if (const auto validation = part->optional_object("validation")) {
    epoch.validation = pass_of(*validation);
  }
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
                          const std::string& where) {
  const std::string place = "checkpoint: " + where + ": parts: ";
  const auto json_of = [&](const char* name) {
    const auto found = parts.find(name);
    if (found != parts.end()) return Json::parse(found->second, nullptr, false);
    throw Error(ErrorCode::kCorruptData, place + "expected the parts \"" + kEpochs + "\" and \"" +
                                             kSkipped + "\", found others");
  };
  const Json epochs_part = json_of(kEpochs);
  const Json skipped_part = json_of(kSkipped);
  const PartReader epochs(epochs_part, place + kEpochs);
  RunProgress progress{.num_epochs = epochs.whole<std::uint32_t>("num_epochs"),
                       .last = epoch_of(epochs.optional_object("last")),
                       .under_way = epoch_of(epochs.optional_object("under_way")),
                       .place = {.epoch = epochs.whole<std::uint32_t>("place_epoch"),
                                 .next_position = epochs.whole<std::uint64_t>("place_position")},
                       .num_validated_steps = epochs.whole<std::uint64_t>("num_validated_steps"),
                       .end_reason = epochs.text("end_reason")};
  PartReader(skipped_part, place + kSkipped).each("samples", [&](const PartReader& sample) {
    const auto epoch_idx = sample.whole<std::uint32_t>("epoch_idx");
    const auto sample_id = sample.whole<std::uint64_t>("sample_id");
    const SampleFault fault(
        static_cast<SampleStatus>(sample.whole<std::uint8_t>("status", kLastStatus)),
        sample.text("detail"));
    const DatasetSplit* const split = split_of(sample.text("split"));
    // Of a dataset that changed: what is no longer there is not listed.
    if (split == nullptr || sample_id >= split->num_samples()) return;
    progress.skipped.add(*split, epoch_idx, {.sample_id = sample_id, .fault = fault});
  });
  return progress;
}

}  // namespace penstock::train
