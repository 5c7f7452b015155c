#include "tools/convert/write/journal_line.h"

#include <cstdint>
#include <nlohmann/json.hpp>

namespace penstock::convert {
namespace {

using Json = nlohmann::json;

constexpr int kJournalVersion = 1;

// Paths are bytes in no particular encoding, and JSON is not.
Json bytes_json(const std::string& bytes) {
  Json codes = Json::array();
  for (const char c : bytes) codes.push_back(static_cast<std::uint8_t>(c));
  return codes;
}

std::string bytes_of(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  std::string bytes;
  for (const Json& code : json) bytes.push_back(static_cast<char>(code.get<std::uint8_t>()));
  return bytes;
}

bool is_plain(const std::string& text) {
  for (const char c : text) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

Json text_json(const std::string& text) {
  return is_plain(text) ? Json(text) : bytes_json(text);
}

Json sums_json(const PixelSums& sums) {
  return {{"num_px", sums.num_px},
          {"sum", sums.sum},
          {"sum_of_squares", sums.sum_of_squares},
          {"sum_of_gray", sums.sum_of_gray},
          {"sum_of_gray_squares", sums.sum_of_gray_squares}};
}

PixelSums sums_of(const Json& json) {
  PixelSums sums;
  json.at("num_px").get_to(sums.num_px);
  json.at("sum").get_to(sums.sum);
  json.at("sum_of_squares").get_to(sums.sum_of_squares);
  json.at("sum_of_gray").get_to(sums.sum_of_gray);
  json.at("sum_of_gray_squares").get_to(sums.sum_of_gray_squares);
  return sums;
}

Json entries_json(const std::vector<QuarantineEntry>& entries) {
  Json json = Json::array();
  for (const QuarantineEntry& entry : entries) {
    json.push_back({{"path", text_json(entry.path)},
                    {"reason", reason_code_name(entry.reason)},
                    {"bytes", entry.size_bytes},
                    {"detail", text_json(entry.detail)}});
  }
  return json;
}

// Nothing when it names a reason that this build does not have.
std::optional<std::vector<QuarantineEntry>> entries_of(const Json& json) {
  std::vector<QuarantineEntry> entries;
  for (const Json& entry : json) {
    const auto reason = find_reason(entry.at("reason").get<std::string>());
    if (!reason) return std::nullopt;
    entries.push_back({.path = bytes_of(entry.at("path")),
                       .reason = *reason,
                       .size_bytes = entry.at("bytes").get<std::uint64_t>(),
                       .detail = bytes_of(entry.at("detail"))});
  }
  return entries;
}

// {"grayscale": [kept, fixed]} of those that occurred.
Json counts_json(const ReasonCounts& counts) {
  Json json = Json::object();
  for (const ReasonInfo& info : all_reasons()) {
    const std::uint64_t num_kept = counts.num_kept(info.code);
    const std::uint64_t num_fixed = counts.num_fixed(info.code);
    if (num_kept + num_fixed > 0) json[std::string(info.name)] = {num_kept, num_fixed};
  }
  return json;
}

std::optional<ReasonCounts> counts_of(const Json& json) {
  ReasonCounts counts;
  for (const auto& [name, pair] : json.items()) {
    const auto reason = find_reason(name);
    if (!reason) return std::nullopt;
    const auto idx = static_cast<std::size_t>(*reason);
    counts.kept[idx] = pair.at(0).get<std::uint64_t>();
    counts.fixed[idx] = pair.at(1).get<std::uint64_t>();
  }
  return counts;
}

Json contribution_json(const ShardContribution& contribution) {
  return {{"sums", sums_json(contribution.sums)},
          {"largest_scratch_bytes", contribution.largest_scratch_bytes},
          {"num_reencoded", contribution.num_reencoded},
          {"num_rewritten", contribution.num_rewritten},
          {"num_in_several_scans", contribution.num_in_several_scans},
          {"num_optimized", contribution.num_optimized},
          {"num_stripped", contribution.num_stripped},
          {"stripped_bytes", contribution.stripped_bytes},
          {"num_text_skipped", contribution.num_text_skipped},
          {"reasons", counts_json(contribution.reasons)},
          {"fixed", entries_json(contribution.fixed)},
          {"quarantine", entries_json(contribution.quarantine)}};
}

std::optional<ShardContribution> contribution_of(const Json& json) {
  auto reasons = counts_of(json.at("reasons"));
  auto fixed = entries_of(json.at("fixed"));
  auto quarantine = entries_of(json.at("quarantine"));
  if (!reasons || !fixed || !quarantine) return std::nullopt;
  ShardContribution contribution{.sums = sums_of(json.at("sums")),
                                 .reasons = *reasons,
                                 .fixed = std::move(*fixed),
                                 .quarantine = std::move(*quarantine)};
  json.at("largest_scratch_bytes").get_to(contribution.largest_scratch_bytes);
  json.at("num_reencoded").get_to(contribution.num_reencoded);
  json.at("num_rewritten").get_to(contribution.num_rewritten);
  json.at("num_in_several_scans").get_to(contribution.num_in_several_scans);
  json.at("num_optimized").get_to(contribution.num_optimized);
  json.at("num_stripped").get_to(contribution.num_stripped);
  json.at("stripped_bytes").get_to(contribution.stripped_bytes);
  json.at("num_text_skipped").get_to(contribution.num_text_skipped);
  return contribution;
}

Json shard_json(const ManifestShard& shard) {
  return {{"num_samples", shard.num_samples},
          {"size_bytes", shard.size_bytes},
          {"uuid", shard.uuid},
          {"header_xxh3", shard.header_xxh3}};
}

}  // namespace

std::string journal_head_text(const JournalHead& head) {
  Json settings = Json::object();
  for (const auto& [name, value] : head.settings) settings[name] = text_json(value);
  return Json{{"journal", kJournalVersion},
              {"settings", std::move(settings)},
              {"source", head.source_digest}}
      .dump();
}

std::string journal_shard_text(const JournalShard& shard) {
  Json json = {{"file", shard.file}, {"contribution", contribution_json(shard.contribution)}};
  if (shard.shard) json["shard"] = shard_json(*shard.shard);
  return json.dump();
}

std::optional<JournalHead> parse_journal_head(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("journal") != kJournalVersion) return std::nullopt;
    JournalHead head{.settings = {}, .source_digest = json.at("source").get<std::string>()};
    for (const auto& [name, value] : json.at("settings").items()) {
      head.settings[name] = bytes_of(value);
    }
    return head;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::optional<JournalShard> parse_journal_shard(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    std::optional<ShardContribution> contribution = contribution_of(json.at("contribution"));
    if (!contribution) return std::nullopt;
    JournalShard shard{.file = json.at("file").get<std::string>(),
                       .shard = std::nullopt,
                       .contribution = std::move(*contribution)};
    if (json.contains("shard")) {
      const Json& made = json.at("shard");
      shard.shard = ManifestShard{.file = shard.file,
                                  .num_samples = made.at("num_samples").get<std::uint64_t>(),
                                  .size_bytes = made.at("size_bytes").get<std::uint64_t>(),
                                  .uuid = made.at("uuid").get<std::string>(),
                                  .header_xxh3 = made.at("header_xxh3").get<std::string>()};
    }
    return shard;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace penstock::convert
