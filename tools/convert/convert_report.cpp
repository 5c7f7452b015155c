#include "tools/convert/convert_report.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "streamer/core/memory_budget.h"
#include "tools/convert/duplicate/copy_list.h"
#include "tools/convert/image/encode_settings.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/statistics_report.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

using tools::format_count;

std::uint64_t num_samples(const Manifest& manifest) {
  std::uint64_t total = 0;
  for (const ManifestSplit& split : manifest.splits) total += split.num_samples;
  return total;
}

double rate_per_s(std::uint64_t amount, std::chrono::duration<double> elapsed) {
  constexpr double kShortestS = 1e-3;
  return static_cast<double>(amount) / std::max(elapsed.count(), kShortestS);
}

void add_line(std::string& text, const std::string& name, const std::string& value) {
  text += fmt::format("\n  {:<14}{}", name, value);
}

std::string quarantine_line(const ConvertSummary& summary, const std::string& dataset) {
  std::string reasons;
  for (const auto& [reason, count] : summary.num_by_reason) {
    reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", format_count(count), reason);
  }
  return fmt::format("{} ({}); see {}/{}", format_count(*summary.manifest.num_quarantined), reasons,
                     tools::printable(dataset), kQuarantineName);
}

std::string rewritten_line(const ConvertSummary& summary) {
  std::string text =
      fmt::format("{} of several scans, as baseline JPEG of the same pixels",
                  tools::format_counted(summary.counted.num_rewritten, "picture", "pictures"));
  if (summary.counted.num_in_several_scans > 0) {
    text +=
        fmt::format("; left as they are: {}", format_count(summary.counted.num_in_several_scans));
  }
  return text;
}

// "3 exif_orientation, 1 grayscale" of what `count_of` counts; empty when nothing is.
template <class CountOf>
std::string reason_counts(CountOf&& count_of) {
  std::string text;
  for (const ReasonInfo& info : all_reasons()) {
    const std::uint64_t count = count_of(info.code);
    if (count == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", format_count(count), info.name);
  }
  return text;
}

template <class CountOf>
nlohmann::ordered_json reason_counts_json(CountOf&& count_of) {
  auto json = nlohmann::ordered_json::object();
  for (const ReasonInfo& info : all_reasons()) {
    const std::uint64_t count = count_of(info.code);
    if (count > 0) json[std::string(info.name)] = count;
  }
  return json;
}

std::string split_line(const ManifestSplit& split) {
  const ClassBalance balance = class_balance(split.num_by_class);
  std::string text = fmt::format("{}, {} to {} a class", format_count(split.num_samples),
                                 format_count(balance.least), format_count(balance.most));
  if (balance.num_empty > 0) text += fmt::format(", {} empty", format_count(balance.num_empty));
  return text;
}

void add_statistics(std::string& text, const Manifest& manifest) {
  if (!manifest.mean.empty()) {
    add_line(text, "mean", fmt::format("{:.4f}", fmt::join(manifest.mean, " ")));
    add_line(text, "deviation", fmt::format("{:.4f}", fmt::join(manifest.std, " ")));
  }
  add_line(text, "longer side", size_histogram_text(manifest.size_histogram));
  add_line(text, "width/height", aspect_histogram_text(manifest.aspect_histogram));
  add_line(text, "largest",
           fmt::format("{}, {} px, {} to decode", format_bytes(manifest.largest.encoded_bytes),
                       format_count(manifest.largest.num_px),
                       format_bytes(manifest.largest.decode_scratch_bytes)));
  const std::string bytes = manifest.sample_bytes ? sample_bytes_text(*manifest.sample_bytes) : "";
  if (!bytes.empty()) add_line(text, "bytes", bytes);
}

// "8 as JPEG of quality 90, 3 as bare pixels"; of one codec alone without the number.
std::string codec_counts(const ConvertSummary& summary, const EncodeSettings& asked) {
  const std::array<std::string, kNumCodecs> names = {
      fmt::format("as JPEG of quality {}", asked.jpeg_quality()), "as bare pixels", "as PNG"};
  std::vector<std::string> words;
  for (std::size_t i = 0; i < kNumCodecs; ++i) {
    const std::uint64_t count = summary.counted.num_reencoded_by_codec[i];
    if (count == summary.manifest.num_reencoded) return ", " + names[i];
    if (count > 0) words.push_back(fmt::format("{} {}", format_count(count), names[i]));
  }
  return fmt::format(": {}", fmt::join(words, ", "));
}

// What was encoded, as what, and of how many something was lost.
void add_encoding(std::string& text, const ConvertSummary& summary) {
  const EncodeSettings asked = encode_settings_of(summary.manifest.conversion);
  const std::uint64_t num_reencoded = *summary.manifest.num_reencoded;
  const auto counted = [](std::uint64_t count) {
    return tools::format_counted(count, "picture", "pictures");
  };
  if (num_reencoded > 0) {
    const char* const why = asked.is_asked()     ? ""
                            : num_reencoded == 1 ? " that could not stay as it was"
                                                 : " that could not stay as they were";
    add_line(text, "re-encoded", counted(num_reencoded) + why + codec_counts(summary, asked));
  }
  if (summary.counted.num_resized > 0)
    add_line(text, "resized", counted(summary.counted.num_resized));
  if (num_reencoded == 0) return;
  std::string loss =
      fmt::format("{} with other pixels than in the file",
                  summary.counted.num_lossy == 0 ? "none" : counted(summary.counted.num_lossy));
  if (summary.counted.num_lossy < num_reencoded) {
    loss += fmt::format("; {} re-encoded without loss",
                        format_count(num_reencoded - summary.counted.num_lossy));
  }
  add_line(text, "lossy", loss);
}

}  // namespace

std::string left_out_text(const SkippedFiles& skipped, std::uint64_t num_outside,
                          std::uint64_t num_text) {
  std::string text;
  const auto add = [&](std::uint64_t count, const char* one, const char* many) {
    if (count == 0) return;
    text += (text.empty() ? "" : ", ") + tools::format_counted(count, one, many);
  };
  add(num_text, "text", "text");
  add(skipped.num_system, "system", "system");
  add(skipped.num_hidden, "hidden", "hidden");
  add(skipped.num_symlinks, "symbolic link", "symbolic links");
  add(skipped.num_special, "special file", "special files");
  add(num_outside, "outside of class folders", "outside of class folders");
  if (num_outside > 0) text += " (--on outside_classes=quarantine lists them)";
  return text;
}

std::string format_progress(const ConvertProgress& progress) {
  const std::uint64_t percent =
      progress.num_files == 0 ? 100 : progress.num_done * 100 / progress.num_files;
  // Bytes say more about the time left than files do: pictures differ in size.
  // What an earlier conversion did says nothing about the speed of this one.
  const std::uint64_t num_now = progress.num_done - progress.num_done_before;
  const std::uint64_t now_bytes = progress.done_bytes - progress.done_before_bytes;
  const std::string left = tools::format_time_left(
      now_bytes, progress.total_bytes - std::min(progress.total_bytes, progress.done_bytes),
      progress.elapsed);
  return fmt::format(
      "{} of {} files  {} %  {:.0f} files/s  {}/s  {} bad  {}", format_count(progress.num_done),
      format_count(progress.num_files), percent, rate_per_s(num_now, progress.elapsed),
      format_bytes(static_cast<std::uint64_t>(rate_per_s(now_bytes, progress.elapsed))),
      format_count(progress.num_quarantined), left);
}

std::string summary_text(const ConvertSummary& summary, const std::string& dataset) {
  const Manifest& manifest = summary.manifest;
  // Files that became no samples are no part of what became of the others.
  const std::uint64_t stored_source_bytes =
      manifest.sample_bytes ? manifest.sample_bytes->source_bytes : summary.source_bytes;
  std::string text =
      fmt::format("{}: {} in {}, {} (from {}), {}", tools::printable(dataset),
                  tools::format_counted(num_samples(manifest), "sample", "samples"),
                  tools::format_counted(manifest.class_names.size(), "class", "classes"),
                  format_bytes(summary.dataset_bytes), format_bytes(stored_source_bytes),
                  tools::format_duration(summary.elapsed));
  for (const ManifestSplit& split : manifest.splits) {
    add_line(text, split.name, split_line(split));
  }
  add_statistics(text, manifest);
  add_encoding(text, summary);
  if (summary.counted.num_rewritten + summary.counted.num_in_several_scans > 0) {
    add_line(text, "rewritten", rewritten_line(summary));
  }
  if (summary.counted.num_optimized > 0) {
    add_line(
        text, "optimized",
        fmt::format("{} of one scan, with restart markers and the same pixels",
                    tools::format_counted(summary.counted.num_optimized, "picture", "pictures")));
  }
  if (summary.counted.num_stripped > 0) {
    add_line(text, "stripped",
             fmt::format("{} of {} of metadata",
                         tools::format_counted(summary.counted.num_stripped, "picture", "pictures"),
                         format_bytes(summary.counted.stripped_bytes)));
  }
  const std::string kept =
      reason_counts([&](ReasonCode code) { return summary.reasons.num_kept(code); });
  if (!kept.empty()) add_line(text, "kept", kept);
  const std::string fixed =
      reason_counts([&](ReasonCode code) { return summary.reasons.num_fixed(code); });
  if (!fixed.empty()) add_line(text, "fixed", fixed);
  if (summary.counted.num_listed_as_fixed > 0) {
    add_line(text, "with a loss",
             fmt::format("{}; see {}/{}", format_count(summary.counted.num_listed_as_fixed),
                         tools::printable(dataset), kFixedName));
  }
  if (manifest.num_quarantined > 0)
    add_line(text, "quarantined", quarantine_line(summary, dataset));
  const std::optional<DuplicateCounts>& copies = manifest.duplicates;
  if (copies && *copies != DuplicateCounts{}) {
    add_line(text, "copies",
             fmt::format("{}; see {}/{}", duplicates_text(*copies), tools::printable(dataset),
                         kDuplicatesName));
  }
  const std::optional<DuplicateCounts>& alike = manifest.near_duplicates;
  if (alike) {
    add_line(text, "alike",
             *alike == DuplicateCounts{} ? "none"
                                         : fmt::format("{}; see {}/{}", duplicates_text(*alike),
                                                       tools::printable(dataset), kDuplicatesName));
  }
  if (!summary.has_statistics) {
    add_line(text, "statistics", "none: --trust decodes no picture that it stores as it is");
  }
  if (summary.num_shards_kept > 0) {
    add_line(text, "gone on with",
             tools::format_counted(summary.num_shards_kept, "shard", "shards") +
                 " of an earlier conversion");
  }
  const std::string skipped =
      left_out_text(summary.skipped, summary.num_outside, summary.counted.num_text_skipped);
  if (!skipped.empty()) add_line(text, "left out", skipped);
  return text;
}

std::string summary_json(const ConvertSummary& summary) {
  const Manifest& manifest = summary.manifest;
  nlohmann::ordered_json json;
  json["id"] = manifest.id;
  json["layout"] = summary.layout;
  json["num_samples"] = num_samples(manifest);
  json["num_classes"] = manifest.class_names.size();
  json["splits"] = nlohmann::ordered_json::object();
  for (const ManifestSplit& split : manifest.splits) {
    json["splits"][split.name] = {{"num_samples", split.num_samples},
                                  {"num_by_class", split.num_by_class},
                                  {"imbalance", class_balance(split.num_by_class).imbalance()}};
  }
  json["num_reencoded"] = *manifest.num_reencoded;
  json["num_reencoded_by_codec"] = {{"jpeg", summary.counted.num_reencoded_by_codec[0]},
                                    {"raw", summary.counted.num_reencoded_by_codec[1]},
                                    {"png", summary.counted.num_reencoded_by_codec[2]}};
  json["num_resized"] = summary.counted.num_resized;
  json["num_lossy"] = summary.counted.num_lossy;
  json["num_rewritten"] = summary.counted.num_rewritten;
  json["num_in_several_scans"] = summary.counted.num_in_several_scans;
  json["num_optimized"] = summary.counted.num_optimized;
  json["num_stripped"] = summary.counted.num_stripped;
  json["stripped_bytes"] = summary.counted.stripped_bytes;
  json["num_quarantined"] = *manifest.num_quarantined;
  json["quarantined_by_reason"] = summary.num_by_reason;
  json["kept_by_reason"] =
      reason_counts_json([&](ReasonCode code) { return summary.reasons.num_kept(code); });
  json["fixed_by_reason"] =
      reason_counts_json([&](ReasonCode code) { return summary.reasons.num_fixed(code); });
  json["num_fixed_with_loss"] = summary.counted.num_listed_as_fixed;
  json["left_out"] = {{"num_text", summary.counted.num_text_skipped},
                      {"num_system", summary.skipped.num_system},
                      {"num_hidden", summary.skipped.num_hidden},
                      {"num_symlinks", summary.skipped.num_symlinks},
                      {"num_special", summary.skipped.num_special},
                      {"num_outside", summary.num_outside}};
  json["statistics"] = nlohmann::ordered_json::parse(statistics_json(manifest));
  json["has_statistics"] = summary.has_statistics;
  json["num_shards_kept"] = summary.num_shards_kept;
  json["source_bytes"] = summary.source_bytes;
  json["dataset_bytes"] = summary.dataset_bytes;
  json["elapsed_s"] = summary.elapsed.count();
  json["images_per_s"] = rate_per_s(num_samples(manifest), summary.elapsed);
  // A folder's name may be no UTF-8.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace penstock::convert
