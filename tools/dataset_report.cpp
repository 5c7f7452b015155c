#include "tools/dataset_report.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "streamer/core/checksum.h"
#include "streamer/core/memory_budget.h"
#include "streamer/shard/damaged_data.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/picture_metadata.h"
#include "tools/convert/statistics_report.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// What an index tells of its samples.
struct IndexSummary {
  std::uint64_t num_samples = 0;
  std::uint64_t encoded_bytes = 0;
  std::uint64_t num_progressive = 0;
  std::uint64_t num_turned = 0;  // EXIF orientation other than upright
  std::uint64_t num_gray = 0;
  std::uint32_t max_width_px = 0;
  std::uint32_t max_height_px = 0;
  std::map<std::string, std::uint64_t> num_by_codec;
  std::map<std::uint32_t, std::uint64_t> num_by_class;

  void add(const IndexRecord& record) {
    ++num_samples;
    encoded_bytes += record.length_bytes;
    num_progressive += (record.flags & kFlagProgressive) != 0 ? 1 : 0;
    num_turned += record.orientation != 1 ? 1 : 0;
    num_gray += record.components == 1 ? 1 : 0;
    max_width_px = std::max(max_width_px, record.width_px);
    max_height_px = std::max(max_height_px, record.height_px);
    ++num_by_codec[std::string(codec_name(record.codec))];
    ++num_by_class[record.class_idx];
  }
};

Json index_json(const IndexSummary& index) {
  return {{"num_samples", index.num_samples},   {"encoded_bytes", index.encoded_bytes},
          {"num_by_codec", index.num_by_codec}, {"num_progressive", index.num_progressive},
          {"num_gray", index.num_gray},         {"num_turned_by_exif", index.num_turned},
          {"max_width_px", index.max_width_px}, {"max_height_px", index.max_height_px}};
}

std::string index_text(const IndexSummary& index) {
  std::vector<std::string> codecs;
  for (const auto& [codec, count] : index.num_by_codec) {
    codecs.push_back(fmt::format("{} {}", format_count(count), codec));
  }
  return fmt::format("{}, of these {} progressive, {} gray, {} turned by EXIF; up to {} x {} px",
                     fmt::join(codecs, ", "), format_count(index.num_progressive),
                     format_count(index.num_gray), format_count(index.num_turned),
                     index.max_width_px, index.max_height_px);
}

Json metadata_json(const care::MetadataCounts& counts) {
  return {{"num_exif", counts.num_exif},
          {"num_gps", counts.num_gps},
          {"num_xmp", counts.num_xmp},
          {"num_iptc", counts.num_iptc},
          {"num_colour_profile", counts.num_colour_profile},
          {"num_text", counts.num_text}};
}

std::string metadata_text(const care::MetadataCounts& counts) {
  return fmt::format(
      "carry EXIF {}, of these a place (GPS) {}; XMP {}, IPTC {}, colour profile {}, "
      "text {}",
      format_count(counts.num_exif), format_count(counts.num_gps), format_count(counts.num_xmp),
      format_count(counts.num_iptc), format_count(counts.num_colour_profile),
      format_count(counts.num_text));
}

struct SplitReport {
  const ManifestSplit* split = nullptr;
  std::uint64_t size_bytes = 0;
  IndexSummary index;
  care::MetadataCounts metadata;  // when it was counted
};

std::vector<SplitReport> read_splits(const Dataset& dataset, MetadataDepth depth) {
  std::vector<SplitReport> reports;
  for (const ManifestSplit& split : dataset.manifest().splits) {
    SplitReport report{.split = &split, .size_bytes = 0, .index = {}, .metadata = {}};
    for (const ManifestShard& shard : split.shards) report.size_bytes += shard.size_bytes;
    const DatasetSplit open = dataset.split(split.name);
    for (std::uint64_t i = 0; i < open.num_samples(); ++i) {
      report.index.add(open.record(i));
      if (depth == MetadataDepth::kCounted) {
        report.metadata.add(care::read_picture_metadata(open.sample(i).read_bytes()));
      }
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

// Non-UTF-8 text cannot be JSON; names in a dataset are UTF-8, paths may not be.
std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string dataset_json(const Dataset& dataset, MetadataDepth depth) {
  const Manifest& manifest = dataset.manifest();
  Json splits = Json::object();
  for (const SplitReport& report : read_splits(dataset, depth)) {
    Json split = index_json(report.index);
    split["size_bytes"] = report.size_bytes;
    split["num_by_class"] = report.split->num_by_class;
    split["imbalance"] = convert::class_balance(report.split->num_by_class).imbalance();
    if (depth == MetadataDepth::kCounted) split["metadata"] = metadata_json(report.metadata);
    split["shards"] = Json::array();
    for (const ManifestShard& shard : report.split->shards) {
      split["shards"].push_back({{"file", shard.file},
                                 {"num_samples", shard.num_samples},
                                 {"size_bytes", shard.size_bytes},
                                 {"uuid", shard.uuid},
                                 {"header_xxh3", shard.header_xxh3}});
    }
    splits[report.split->name] = std::move(split);
  }
  Json json = {{"kind", "dataset"},
               {"id", manifest.id},
               {"class_names", manifest.class_names},
               {"splits", std::move(splits)}};
  json.update(Json::parse(convert::statistics_json(manifest)));
  json["num_quarantined"] = manifest.num_quarantined;
  json["num_reencoded"] = manifest.num_reencoded;
  json["conversion"] = manifest.conversion;
  return dump(json);
}

std::string class_table(const Manifest& manifest) {
  std::size_t name_width = 5;
  for (const std::string& name : manifest.class_names) {
    name_width = std::max(name_width, printable(name).size());
  }
  std::string text = fmt::format("\n  {:<{}}", "class", name_width);
  for (const ManifestSplit& split : manifest.splits) text += fmt::format("  {:>10}", split.name);
  for (std::size_t i = 0; i < manifest.class_names.size(); ++i) {
    text += fmt::format("\n  {:<{}}", printable(manifest.class_names[i]), name_width);
    for (const ManifestSplit& split : manifest.splits) {
      text += fmt::format("  {:>10}", format_count(split.num_by_class.at(i)));
    }
  }
  return text;
}

// How it was made: "seed 0, test_split 0".
std::string settings_text(const Manifest& manifest) {
  std::vector<std::string> settings;
  for (const auto& [name, value] : manifest.conversion) {
    if (!value.empty()) settings.push_back(printable(name) + " " + printable(value));
  }
  return settings.empty() ? "" : fmt::format("\n  converted with {}", fmt::join(settings, ", "));
}

std::string dataset_text(const Dataset& dataset, MetadataDepth depth) {
  const Manifest& manifest = dataset.manifest();
  std::uint64_t num_samples = 0;
  std::uint64_t size_bytes = 0;
  std::string splits;
  for (const SplitReport& report : read_splits(dataset, depth)) {
    num_samples += report.split->num_samples;
    size_bytes += report.size_bytes;
    splits += fmt::format("\n  {:<12}{:>10} samples  {:>10} in {}; {}", report.split->name,
                          format_count(report.split->num_samples), format_bytes(report.size_bytes),
                          format_counted(report.split->shards.size(), "shard", "shards"),
                          index_text(report.index));
    splits += fmt::format("; largest class {:.1f} times the smallest",
                          convert::class_balance(report.split->num_by_class).imbalance());
    if (depth == MetadataDepth::kCounted) {
      splits += "\n              " + metadata_text(report.metadata);
    }
  }
  std::string text = fmt::format("{}: dataset, {} in {}, {}", printable(dataset.folder().string()),
                                 format_counted(num_samples, "sample", "samples"),
                                 format_counted(manifest.class_names.size(), "class", "classes"),
                                 format_bytes(size_bytes));
  text += splits;
  text += fmt::format("\n  median size {} x {} px; largest {} encoded, {} px, {} to decode",
                      manifest.median_width_px, manifest.median_height_px,
                      format_bytes(manifest.largest.encoded_bytes),
                      format_count(manifest.largest.num_px),
                      format_bytes(manifest.largest.decode_scratch_bytes));
  if (!manifest.size_histogram.empty()) {
    text += "\n  longer side " + convert::size_histogram_text(manifest.size_histogram);
  }
  if (!manifest.aspect_histogram.empty()) {
    text += "\n  width by height " + convert::aspect_histogram_text(manifest.aspect_histogram);
  }
  const std::string bytes =
      manifest.sample_bytes ? convert::sample_bytes_text(*manifest.sample_bytes) : "";
  if (!bytes.empty()) text += "\n  bytes " + bytes;
  if (manifest.duplicates) {
    text += "\n  copies " + convert::duplicates_text(*manifest.duplicates);
  }
  if (manifest.near_duplicates) {
    text += "\n  alike " + convert::duplicates_text(*manifest.near_duplicates);
  }
  if (!manifest.mean.empty()) {
    text += fmt::format("\n  mean {:.4f}, standard deviation {:.4f} (red, green, blue, of 0 to 1)",
                        fmt::join(manifest.mean, " "), fmt::join(manifest.std, " "));
  }
  if (manifest.gray) {
    text += fmt::format("\n  as gray: mean {:.4f}, standard deviation {:.4f}", manifest.gray->mean,
                        manifest.gray->std);
  }
  text += fmt::format("\n  re-encoded {}, quarantined {}", format_count(manifest.num_reencoded),
                      format_count(manifest.num_quarantined));
  text += "\n  id " + manifest.id + settings_text(manifest);
  return text + class_table(manifest);
}

care::MetadataCounts count_metadata(const ShardFile& shard) {
  care::MetadataCounts counts;
  std::vector<std::byte> bytes;
  shard.scan_index([&](std::uint64_t first, std::span<const IndexRecord> records) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      bytes.resize(records[i].length_bytes);
      shard.read_sample(records[i], bytes);
      if (xxh3_64(bytes) != records[i].xxh3) {
        throw_damaged_shard(shard.path().native(),
                            fmt::format("sample {}: checksum: expected {}, found {}", first + i,
                                        hex(records[i].xxh3), hex(xxh3_64(bytes))));
      }
      counts.add(care::read_picture_metadata(bytes));
    }
  });
  return counts;
}

std::string describe_shard(const fs::path& path, ReportForm form, MetadataDepth depth) {
  const ShardFile shard = ShardFile::open(path);
  IndexSummary index;
  shard.scan_index([&](std::uint64_t, std::span<const IndexRecord> records) {
    for (const IndexRecord& record : records) index.add(record);
  });
  const std::vector<std::string> class_names = shard.read_class_names();
  const bool is_counted = depth == MetadataDepth::kCounted;
  const care::MetadataCounts metadata = is_counted ? count_metadata(shard) : care::MetadataCounts{};
  if (form == ReportForm::kText) {
    std::string text =
        fmt::format("{}: shard, {} in {}, {}\n  uuid {}\n  {}", printable(path.string()),
                    format_counted(index.num_samples, "sample", "samples"),
                    format_counted(index.num_by_class.size(), "class", "classes"),
                    format_bytes(shard.size_bytes()), shard.uuid(), index_text(index));
    if (is_counted) text += "\n  " + metadata_text(metadata);
    for (const auto& [class_idx, count] : index.num_by_class) {
      const bool is_labelled = class_idx < class_names.size();
      text += fmt::format("\n  {}: {}",
                          is_labelled ? printable(class_names[class_idx]) : "without a label",
                          format_count(count));
    }
    return text;
  }
  Json json = index_json(index);
  json["kind"] = "shard";
  json["uuid"] = shard.uuid();
  json["size_bytes"] = shard.size_bytes();
  json["class_names"] = class_names;
  json["num_by_class_idx"] = Json::object();
  for (const auto& [class_idx, count] : index.num_by_class) {
    json["num_by_class_idx"][std::to_string(class_idx)] = count;
  }
  if (is_counted) json["metadata"] = metadata_json(metadata);
  return dump(json);
}

}  // namespace

std::string_view codec_name(std::uint8_t codec) {
  switch (static_cast<Codec>(codec)) {
    case Codec::kJpeg:
      return "jpeg";
    case Codec::kRaw:
      return "raw";
    case Codec::kPng:
      return "png";
  }
  return "unknown";
}

std::string describe_dataset_or_shard(const fs::path& path, ReportForm form, MetadataDepth depth) {
  if (fs::is_regular_file(path)) return describe_shard(path, form, depth);
  const Dataset dataset = Dataset::open(path);
  return form == ReportForm::kText ? dataset_text(dataset, depth) : dataset_json(dataset, depth);
}

}  // namespace penstock::tools
