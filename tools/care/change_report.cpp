#include "tools/care/change_report.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/care/check_report.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

using Json = nlohmann::ordered_json;
using tools::format_count;
using tools::format_counted;
using tools::printable;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

Json printable_all(const std::vector<std::string>& texts) {
  Json array = Json::array();
  for (const std::string& text : texts) array.push_back(printable(text));
  return array;
}

// The first five of them.
std::string first_of(const std::vector<std::string>& texts, const char* between) {
  constexpr std::size_t kMaxShown = 5;
  std::string shown;
  for (std::size_t i = 0; i < std::min(texts.size(), kMaxShown); ++i) {
    shown += (i == 0 ? "" : between) + printable(texts[i]);
  }
  if (texts.size() > kMaxShown) {
    shown += fmt::format("{}{} more", between, format_count(texts.size() - kMaxShown));
  }
  return shown;
}

// A line for each, with its end.
std::string emptied_text(const std::vector<std::string>& splits) {
  std::string text;
  for (const std::string& split : splits) {
    text += fmt::format("warning: split {} has no sample left{}\n", printable(split),
                        split == "train" ? "; mean and deviation are gone" : "");
  }
  return text;
}

std::string fate_of(const RepairedShard& shard) {
  std::string fate;
  if (shard.num_kept > 0) {
    fate = fmt::format("{} kept, {} dropped", format_count(shard.num_kept),
                       format_count(shard.num_dropped));
  } else {
    fate = "nothing of it can be saved, ";
    fate += shard.num_dropped == 0 ? "of how many samples is not known"
                                   : format_count(shard.num_dropped) + " dropped";
  }
  if (!shard.kept_as.empty()) fate += "; the old file is " + printable(shard.kept_as);
  return fate;
}

}  // namespace

std::string repair_text(const RepairSummary& summary, const RepairConfig& config) {
  std::string text;
  for (const RenamedShard& one : summary.renamed) {
    text += fmt::format("{}: found as {}: gets its name back\n", printable(one.to),
                        printable(one.from));
  }
  for (const RepairedShard& shard : summary.shards) {
    for (const std::string& damage : shard.damage) {
      text += fmt::format("{}: {}\n", printable(shard.file), printable(damage));
    }
    text += fmt::format("{}: {}\n", printable(shard.file), fate_of(shard));
  }
  for (const Damage& damage : summary.dropped) text += "dropped: " + damage_text(damage) + "\n";
  for (const std::string& note : summary.notes) text += printable(note) + "\n";
  const std::string dataset = printable(config.dataset.string());
  if (!summary.lost_facts.empty()) {
    text += fmt::format("no longer known: {}\n", fmt::join(summary.lost_facts, "; "));
  }
  text += emptied_text(summary.emptied_splits);
  std::string samples = format_counted(summary.num_samples, "sample", "samples");
  if (summary.num_dropped() > 0) {
    samples += fmt::format(", {} dropped", format_count(summary.num_dropped()));
  }
  if (summary.is_whole())
    return text + fmt::format("{}: whole, {}; nothing to do", dataset, samples);
  if (config.mode == RepairMode::kDryRun) {
    return text + fmt::format("{}: would have {}; nothing was changed", dataset, samples);
  }
  return text + fmt::format("{}: repaired, {}", dataset, samples);
}

std::string repair_json(const RepairSummary& summary, const RepairConfig& config) {
  Json shards = Json::array();
  for (const RepairedShard& shard : summary.shards) {
    shards.push_back({{"file", shard.file},
                      {"split", shard.split},
                      {"damage", printable_all(shard.damage)},
                      {"num_kept", shard.num_kept},
                      {"num_dropped", shard.num_dropped},
                      {"kept_as", shard.kept_as.empty() ? Json(nullptr) : Json(shard.kept_as)}});
  }
  Json renamed = Json::array();
  for (const RenamedShard& one : summary.renamed) {
    renamed.push_back({{"from", printable(one.from)}, {"to", printable(one.to)}});
  }
  return dump({{"dataset", config.dataset.string()},
               {"was_whole", summary.is_whole()},
               {"is_dry_run", config.mode == RepairMode::kDryRun},
               {"num_samples", summary.num_samples},
               {"num_dropped", summary.num_dropped()},
               {"shards", shards},
               {"renamed", renamed},
               {"dropped", Json::parse(damage_json(summary.dropped))},
               {"is_manifest_new", summary.is_manifest_new},
               {"facts_lost", summary.lost_facts},
               {"emptied_splits", summary.emptied_splits},
               {"notes", printable_all(summary.notes)}});
}

std::string remove_text(const RemoveSummary& summary, const std::string& dataset) {
  std::string text;
  for (const std::string& name : summary.not_found) text += "not found: " + printable(name) + "\n";
  for (const std::string& file : summary.other_files) {
    text += fmt::format(
        "note: {} is no part of the dataset; it may name or hold what shall be removed\n",
        printable(file));
  }
  if (summary.num_removed_before > 0) {
    text += fmt::format("note: a removal that was cut short is ended; it took out {}\n",
                        format_counted(summary.num_removed_before, "sample", "samples"));
  }
  if (summary.are_source_bytes_lost) {
    text +=
        "note: how many bytes the files of the source took, and how many samples are copies, is "
        "no longer known\n";
  }
  if (summary.num_rows_removed > 0) {
    text += fmt::format("{} of quarantine.csv, fixed.csv and duplicates.csv removed\n",
                        format_counted(summary.num_rows_removed, "row", "rows"));
  }
  text += emptied_text(summary.emptied_splits);
  text += fmt::format("{}: {} removed, {} written anew, {} not found; {} left", printable(dataset),
                      format_counted(summary.num_removed, "sample", "samples"),
                      format_counted(summary.rewritten_shards.size(), "shard", "shards"),
                      format_count(summary.not_found.size()), format_count(summary.num_samples));
  return text;
}

std::string remove_json(const RemoveSummary& summary, const std::string& dataset) {
  return dump({{"dataset", dataset},
               {"num_removed", summary.num_removed},
               {"num_removed_before", summary.num_removed_before},
               {"num_rows_removed", summary.num_rows_removed},
               {"not_found", printable_all(summary.not_found)},
               {"rewritten_shards", summary.rewritten_shards},
               {"are_source_bytes_lost", summary.are_source_bytes_lost},
               {"emptied_splits", summary.emptied_splits},
               {"other_files", printable_all(summary.other_files)},
               {"num_samples", summary.num_samples}});
}

std::string remove_shortfall(const RemoveSummary& summary) {
  std::vector<std::string> parts;
  if (!summary.not_found.empty()) {
    parts.push_back(fmt::format("no {} in the dataset", first_of(summary.not_found, " or ")));
  }
  if (!summary.other_files.empty()) {
    parts.push_back(fmt::format("{} that may hold what shall be removed",
                                first_of(summary.other_files, " and ")));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string add_text(const AddSummary& summary, const std::string& dataset) {
  std::string text =
      fmt::format("{}: {} added in {}, {} already there, {} quarantined; {} now",
                  printable(dataset), format_counted(summary.num_added, "sample", "samples"),
                  format_counted(summary.new_shards.size(), "shard", "shards"),
                  format_count(summary.num_already_there), format_count(summary.num_quarantined),
                  format_counted(summary.num_samples, "sample", "samples"));
  if (summary.num_returned > 0) {
    text += fmt::format("\n  {} came back that had been quarantined",
                        format_counted(summary.num_returned, "file", "files"));
  }
  if (summary.num_old_copies > 0) {
    text += fmt::format("\n  {} of what was there before; see duplicates.csv",
                        format_counted(summary.num_old_copies, "is a copy", "are copies"));
  }
  if (summary.num_unnamed_copies > 0) {
    text += fmt::format(
        "\n  {} there already, under no name, and added once more",
        format_counted(summary.num_unnamed_copies, "sample was stored", "samples were stored"));
  }
  if (!summary.new_classes.empty()) {
    text +=
        "\n  new classes: " + printable(fmt::format("{}", fmt::join(summary.new_classes, ", ")));
  }
  return text;
}

std::string add_json(const AddSummary& summary, const std::string& dataset) {
  return dump({{"dataset", dataset},
               {"num_added", summary.num_added},
               {"num_already_there", summary.num_already_there},
               {"num_quarantined", summary.num_quarantined},
               {"num_returned", summary.num_returned},
               {"num_old_copies", summary.num_old_copies},
               {"num_unnamed_copies", summary.num_unnamed_copies},
               {"new_classes", summary.new_classes},
               {"new_shards", summary.new_shards},
               {"num_samples", summary.num_samples}});
}

}  // namespace penstock::care
