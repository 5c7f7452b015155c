#include "tools/convert/write/journal_line.h"

#include <cstdint>
#include <nlohmann/json.hpp>

namespace penstock::convert {
namespace {

using Json = nlohmann::json;

constexpr int kJournalVersion = 6;

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

Json rows_json(const ListedRows& rows) {
  return {{"begin", rows.begin_bytes}, {"end", rows.end_bytes}, {"xxh3", rows.xxh3}};
}

ListedRows rows_of(const Json& json) {
  return {.begin_bytes = json.at("begin").get<std::uint64_t>(),
          .end_bytes = json.at("end").get<std::uint64_t>(),
          .xxh3 = json.at("xxh3").get<std::uint64_t>()};
}

Json prints_json(const PrintRun& prints) {
  return {{"begin", prints.begin_bytes}, {"end", prints.end_bytes}, {"xxh3", prints.xxh3}};
}

PrintRun prints_of(const Json& json) {
  return {.begin_bytes = json.at("begin").get<std::uint64_t>(),
          .end_bytes = json.at("end").get<std::uint64_t>(),
          .xxh3 = json.at("xxh3").get<std::uint64_t>()};
}

// {"grayscale": [kept, fixed, quarantined]} of those that occurred.
Json counts_json(const ReasonCounts& counts) {
  Json json = Json::object();
  for (const ReasonInfo& info : all_reasons()) {
    const std::uint64_t num_kept = counts.num_kept(info.code);
    const std::uint64_t num_fixed = counts.num_fixed(info.code);
    const std::uint64_t num_quarantined = counts.num_quarantined(info.code);
    if (num_kept + num_fixed + num_quarantined == 0) continue;
    json[std::string(info.name)] = {num_kept, num_fixed, num_quarantined};
  }
  return json;
}

std::optional<ReasonCounts> counts_of(const Json& json) {
  ReasonCounts counts;
  for (const auto& [name, numbers] : json.items()) {
    const auto reason = find_reason(name);
    if (!reason) return std::nullopt;
    const auto idx = static_cast<std::size_t>(*reason);
    counts.kept[idx] = numbers.at(0).get<std::uint64_t>();
    counts.fixed[idx] = numbers.at(1).get<std::uint64_t>();
    counts.quarantined[idx] = numbers.at(2).get<std::uint64_t>();
  }
  return counts;
}

Json met_json(const ReasonSet& met) {
  Json json = Json::array();
  met.each([&](ReasonCode code) { json.push_back(reason_code_name(code)); });
  return json;
}

std::optional<ReasonSet> met_of(const Json& json) {
  ReasonSet met;
  for (const Json& name : json) {
    const auto reason = find_reason(name.get<std::string>());
    if (!reason) return std::nullopt;
    met.add(*reason);
  }
  return met;
}

Json contribution_json(const ShardContribution& contribution) {
  Json json = {{"sums", sums_json(contribution.sums)},
               {"largest_scratch_bytes", contribution.largest_scratch_bytes},
               {"largest_picture_bytes", contribution.largest_picture_bytes},
               {"num_reencoded_by_codec", contribution.num_reencoded_by_codec},
               {"reasons", counts_json(contribution.reasons)},
               {"met", met_json(contribution.met)},
               {"rows", rows_json(contribution.rows)},
               {"prints", prints_json(contribution.prints)},
               {"looks", prints_json(contribution.looks)}};
  for (const auto& [name, counter] : kShardCounters) json[name] = contribution.*counter;
  return json;
}

std::optional<ShardContribution> contribution_of(const Json& json) {
  auto reasons = counts_of(json.at("reasons"));
  const auto met = met_of(json.at("met"));
  if (!reasons || !met) return std::nullopt;
  ShardContribution contribution{.sums = sums_of(json.at("sums")),
                                 .reasons = *reasons,
                                 .met = *met,
                                 .rows = rows_of(json.at("rows")),
                                 .prints = prints_of(json.at("prints")),
                                 .looks = prints_of(json.at("looks"))};
  json.at("largest_scratch_bytes").get_to(contribution.largest_scratch_bytes);
  json.at("largest_picture_bytes").get_to(contribution.largest_picture_bytes);
  json.at("num_reencoded_by_codec").get_to(contribution.num_reencoded_by_codec);
  for (const auto& [name, counter] : kShardCounters) json.at(name).get_to(contribution.*counter);
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
  Json json = {{"file", shard.file},
               {"one_picture_bytes", shard.one_picture_bytes},
               {"contribution", contribution_json(shard.contribution)}};
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
                       .contribution = std::move(*contribution),
                       .one_picture_bytes = json.at("one_picture_bytes").get<std::uint64_t>()};
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
