#include "tools/care/check_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "streamer/core/memory_budget.h"
#include "streamer/core/shell_quoted.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

using Json = nlohmann::ordered_json;
using tools::format_count;
using tools::printable;

double rate_per_s(std::uint64_t amount, std::chrono::duration<double> elapsed) {
  constexpr double kShortestS = 1e-3;
  return static_cast<double>(amount) / std::max(elapsed.count(), kShortestS);
}

Json array_of(const std::vector<Damage>& damage) {
  Json array = Json::array();
  for (const Damage& one : damage) {
    array.push_back({{"split", one.split},
                     {"file", one.file},
                     {"sample", one.sample_idx ? Json(*one.sample_idx) : Json(nullptr)},
                     {"name", printable(one.name)},
                     {"what", printable(one.what)}});
  }
  return array;
}

Json array_of(const std::vector<OtherForm>& forms) {
  Json array = Json::array();
  for (const OtherForm& one : forms) {
    array.push_back({{"split", one.split},
                     {"file", one.file},
                     {"num_samples", one.num_samples},
                     {"what", printable(one.what)}});
  }
  return array;
}

std::string state_text(const DatasetCheck& check) {
  if (check.is_whole()) return "whole";
  std::string damaged;
  if (!check.damage.empty()) {
    damaged = fmt::format("DAMAGED, {} of them and {} in all",
                          tools::format_counted(check.num_damaged_samples, "sample", "samples"),
                          tools::format_counted(check.damage.size(), "finding", "findings"));
  }
  if (check.other_forms.empty()) return damaged;
  std::uint64_t num_samples = 0;
  for (const OtherForm& form : check.other_forms) num_samples += form.num_samples;
  return fmt::format("{}{}NOT READ, {} in {} of another form", damaged, damaged.empty() ? "" : "; ",
                     tools::format_counted(num_samples, "sample", "samples"),
                     tools::format_counted(check.other_forms.size(), "shard", "shards"));
}

}  // namespace

std::string damage_text(const Damage& damage) {
  std::string where = damage.file.empty() ? damage.split : damage.file;
  if (damage.sample_idx) where += fmt::format(": {} sample {}", damage.split, *damage.sample_idx);
  if (!damage.name.empty()) where += fmt::format(" ({})", printable(damage.name));
  return fmt::format("{}: {}", where, printable(damage.what));
}

std::string damage_json(const std::vector<Damage>& damage) {
  return array_of(damage).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string check_progress_text(const CheckProgress& progress) {
  if (progress.num_samples > 0) {
    return fmt::format("decoded {} of {}", format_count(progress.num_decoded),
                       format_count(progress.num_samples));
  }
  const std::uint64_t left_bytes =
      progress.total_bytes - std::min(progress.done_bytes, progress.total_bytes);
  const std::string left =
      tools::format_time_left(progress.done_bytes, left_bytes, progress.elapsed);
  return fmt::format(
      "{} of {}, {}/s{}{}", format_bytes(progress.done_bytes), format_bytes(progress.total_bytes),
      format_bytes(static_cast<std::uint64_t>(rate_per_s(progress.done_bytes, progress.elapsed))),
      left.empty() ? "" : ", ", left);
}

std::string check_text(const DatasetCheck& check, const std::string& dataset) {
  std::string text;
  for (const Damage& damage : check.damage) text += damage_text(damage) + "\n";
  for (const OtherForm& form : check.other_forms) {
    text += fmt::format("{}: {}\n", printable(form.file), printable(form.what));
  }
  for (const std::string& name : check.strangers) {
    text += fmt::format("note: {}: a shard that dataset.json does not name; nobody reads it\n",
                        printable(name));
  }
  if (check.has_unfinished_change) {
    text +=
        "note: penstock add or remove was cut short here, or is at work: once more, the same "
        "command ends it\n";
  }
  const std::string decoded =
      check.num_decoded > 0 ? fmt::format(", {} decoded", format_count(check.num_decoded)) : "";
  text += fmt::format("{}: {} in {}{}: {}; {} read in {}", printable(dataset),
                      tools::format_counted(check.num_samples, "sample", "samples"),
                      tools::format_counted(check.num_shards, "shard", "shards"), decoded,
                      state_text(check), format_bytes(check.read_bytes),
                      tools::format_duration(check.elapsed));
  return text;
}

std::string check_json(const DatasetCheck& check, const std::string& dataset) {
  const Json json{{"dataset", dataset},
                  {"is_whole", check.is_whole()},
                  {"num_shards", check.num_shards},
                  {"num_samples", check.num_samples},
                  {"num_damaged_samples", check.num_damaged_samples},
                  {"num_decoded", check.num_decoded},
                  {"damage", array_of(check.damage)},
                  {"shards_of_another_form", array_of(check.other_forms)},
                  {"shards_not_in_manifest", check.strangers},
                  {"has_unfinished_change", check.has_unfinished_change},
                  {"read_bytes", check.read_bytes},
                  {"elapsed_s", check.elapsed.count()},
                  {"bytes_per_s", rate_per_s(check.read_bytes, check.elapsed)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace penstock::care
