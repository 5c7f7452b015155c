#include "tools/dataset_report.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/damaged_data.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/hdf5_survey.h"
#include "streamer/shard/shard_file.h"
#include "streamer/shard/shard_format.h"
#include "streamer/shard/shard_header.h"
#include "tools/care/picture_metadata.h"
#include "tools/convert/source/picture_extension.h"
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
  std::vector<std::uint64_t> num_by_class;  // by class index; empty classes are 0
  std::uint64_t num_unlabelled = 0;

  void add(const IndexRecord& record) {
    ++num_samples;
    encoded_bytes += record.length_bytes;
    num_progressive += (record.flags & kFlagProgressive) != 0 ? 1 : 0;
    num_turned += record.orientation != 1 ? 1 : 0;
    num_gray += record.components == 1 ? 1 : 0;
    max_width_px = std::max(max_width_px, record.width_px);
    max_height_px = std::max(max_height_px, record.height_px);
    ++num_by_codec[std::string(codec_name(record.codec))];
    if (record.class_idx == kUnlabelled) {
      ++num_unlabelled;
    } else {
      ++num_by_class.at(record.class_idx);  // within the classes, as the index was checked
    }
  }
};

Json index_json(const IndexSummary& index) {
  return {{"num_samples", index.num_samples},
          {"num_by_class", index.num_by_class},
          {"num_unlabelled", index.num_unlabelled},
          {"imbalance", convert::class_balance(index.num_by_class).imbalance()},
          {"encoded_bytes", index.encoded_bytes},
          {"num_by_codec", index.num_by_codec},
          {"num_progressive", index.num_progressive},
          {"num_gray", index.num_gray},
          {"num_turned_by_exif", index.num_turned},
          {"max_width_px", index.max_width_px},
          {"max_height_px", index.max_height_px}};
}

// "largest class 2.0 times the smallest"
std::string balance_text(const IndexSummary& index) {
  const convert::ClassBalance balance = convert::class_balance(index.num_by_class);
  if (balance.most == 0) return "no sample of any class";
  std::string text = fmt::format("largest class {:.1f} times the smallest", balance.imbalance());
  if (balance.num_empty > 0) {
    text += fmt::format(" that is not empty; {} empty",
                        format_counted(balance.num_empty, "class", "classes"));
  }
  return text;
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
    report.index.num_by_class.resize(dataset.manifest().class_names.size());
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

// "true", "0.3" and "1024" are what they say; all else is text.
Json setting_json(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  const char* const end = text.data() + text.size();
  std::uint64_t whole = 0;
  if (std::from_chars(text.data(), end, whole).ptr == end && fmt::format("{}", whole) == text) {
    return whole;
  }
  double number = 0;
  if (std::from_chars(text.data(), end, number).ptr == end && fmt::format("{}", number) == text &&
      std::isfinite(number)) {
    return number;
  }
  return text;
}

Json known_json(const std::optional<std::uint64_t>& count) {
  return count ? Json(*count) : Json(nullptr);
}

std::string dataset_json(const Dataset& dataset, MetadataDepth depth) {
  const Manifest& manifest = dataset.manifest();
  Json splits = Json::object();
  for (const SplitReport& report : read_splits(dataset, depth)) {
    Json split = index_json(report.index);
    split["size_bytes"] = report.size_bytes;
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
               {"path", dataset.folder().string()},
               {"id", manifest.id},
               {"class_names", manifest.class_names},
               {"splits", std::move(splits)}};
  json.update(Json::parse(convert::statistics_json(manifest)));
  json["num_quarantined"] = known_json(manifest.num_quarantined);
  json["num_reencoded"] = known_json(manifest.num_reencoded);
  json["conversion"] = Json::object();
  for (const auto& [name, value] : manifest.conversion) {
    json["conversion"][name] = setting_json(value);
  }
  return dump(json);
}

constexpr const char* kNoClass = "(without a label)";

std::uint64_t num_unlabelled_of(const ManifestSplit& split) {
  return std::accumulate(split.num_by_class.begin(), split.num_by_class.end(), split.num_samples,
                         std::minus<>());
}

std::string class_table(const Manifest& manifest) {
  const bool has_unlabelled = std::ranges::any_of(
      manifest.splits, [](const ManifestSplit& split) { return num_unlabelled_of(split) > 0; });
  std::size_t name_width = has_unlabelled ? std::string_view(kNoClass).size() : 5;
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
  if (!has_unlabelled) return text;
  text += fmt::format("\n  {:<{}}", kNoClass, name_width);
  for (const ManifestSplit& split : manifest.splits) {
    text += fmt::format("  {:>10}", format_count(num_unlabelled_of(split)));
  }
  return text;
}

// "re-encoded 0, quarantined 2"; empty when neither is known.
std::string counts_text(const Manifest& manifest) {
  std::vector<std::string> counts;
  const auto tell = [&](const char* what, const std::optional<std::uint64_t>& count) {
    if (count) counts.push_back(fmt::format("{} {}", what, format_count(*count)));
  };
  tell("re-encoded", manifest.num_reencoded);
  tell("quarantined", manifest.num_quarantined);
  return counts.empty() ? "" : fmt::format("\n  {}", fmt::join(counts, ", "));
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
    splits += fmt::format(
        "\n  {:<12}{:>10} {:<7}  {:>10} in {}; {}", report.split->name,
        format_count(report.split->num_samples),
        report.split->num_samples == 1 ? "sample" : "samples", format_bytes(report.size_bytes),
        format_counted(report.split->shards.size(), "shard", "shards"), index_text(report.index));
    splits += "; " + balance_text(report.index);
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
  text += counts_text(manifest);
  text += "\n  id " + manifest.id + settings_text(manifest);
  return text + class_table(manifest);
}

care::MetadataCounts count_metadata(const ShardFile& shard) {
  care::MetadataCounts counts;
  shard.scan_index([&](std::uint64_t first, std::span<const IndexRecord> records) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      counts.add(care::read_picture_metadata(read_verified(shard, records[i], first + i)));
    }
  });
  return counts;
}

// What the header and the HDF5 attributes say beside what ShardFile keeps.
struct ShardOrigin {
  std::string split;
  std::string writer;  // empty: the HDF5 metadata do not say
};

ShardOrigin read_origin(const fs::path& path) {
  ShardHeaderBytes bytes{};
  read_at(open_for_reading(path), 0, bytes, path);
  ShardOrigin origin{.split = parse_shard_header(bytes, path.native()).split, .writer = {}};
  try {
    origin.writer = survey_hdf5(path).writer;
  } catch (const Error& error) {  // the streamer reads without them
    if (error.code() != ErrorCode::kCorruptData && error.code() != ErrorCode::kUnsupported) throw;
  }
  return origin;
}

struct ShardReport {
  fs::path path;
  std::string uuid;
  std::uint64_t size_bytes = 0;
  ShardOrigin origin;
  std::vector<std::string> class_names;
  IndexSummary index;
  std::optional<care::MetadataCounts> metadata;  // when it was counted
};

ShardReport read_shard(const fs::path& path, MetadataDepth depth) {
  const ShardFile shard = ShardFile::open(path);
  ShardReport report{.path = path,
                     .uuid = shard.uuid(),
                     .size_bytes = shard.size_bytes(),
                     .origin = read_origin(path),
                     .class_names = shard.read_class_names(),
                     .index = {},
                     .metadata = {}};
  report.index.num_by_class.resize(report.class_names.size());
  shard.scan_index([&](std::uint64_t, std::span<const IndexRecord> records) {
    for (const IndexRecord& record : records) report.index.add(record);
  });
  if (depth == MetadataDepth::kCounted) report.metadata = count_metadata(shard);
  return report;
}

std::string shard_text(const ShardReport& report) {
  const IndexSummary& index = report.index;
  std::string text = fmt::format("{}: shard of split {}, {} in {}, {}",
                                 printable(report.path.string()), printable(report.origin.split),
                                 format_counted(index.num_samples, "sample", "samples"),
                                 format_counted(report.class_names.size(), "class", "classes"),
                                 format_bytes(report.size_bytes));
  text +=
      fmt::format("\n  uuid {}, format version {}, written by {}", report.uuid, kShardFormatVersion,
                  report.origin.writer.empty() ? "(not known)" : printable(report.origin.writer));
  text += "\n  " + index_text(index) + "; " + balance_text(index);
  if (report.metadata) text += "\n  " + metadata_text(*report.metadata);
  for (std::size_t i = 0; i < report.class_names.size(); ++i) {
    text += fmt::format("\n  {}: {}", printable(report.class_names[i]),
                        format_count(index.num_by_class[i]));
  }
  if (index.num_unlabelled > 0) {
    text += fmt::format("\n  {}: {}", kNoClass, format_count(index.num_unlabelled));
  }
  return text;
}

std::string shard_json(const ShardReport& report) {
  Json json = {
      {"kind", "shard"},
      {"path", report.path.string()},
      {"split", report.origin.split},
      {"uuid", report.uuid},
      {"format_version", kShardFormatVersion},
      {"writer", report.origin.writer.empty() ? Json(nullptr) : Json(report.origin.writer)},
      {"size_bytes", report.size_bytes},
      {"class_names", report.class_names}};
  json.update(index_json(report.index));
  if (report.metadata) json["metadata"] = metadata_json(*report.metadata);
  return dump(json);
}

bool has_bytes_at(const UniqueFd& file, const fs::path& path, std::uint64_t offset_bytes,
                  std::string_view expected) {
  std::string found(expected.size(), '\0');
  const auto bytes = std::as_writable_bytes(std::span(found));
  return read_at(file, offset_bytes, bytes, path) == bytes.size() && found == expected;
}

// By its name or by what it begins with, so that a damaged one is told as such.
bool looks_like_shard(const fs::path& path) {
  constexpr std::string_view kMagic(kShardMagic, sizeof kShardMagic);
  constexpr std::string_view kHdf5("\x89HDF\r\n\x1a\n", 8);
  if (path.extension() == ".h5") return true;
  const UniqueFd file = open_for_reading(path);
  return has_bytes_at(file, path, 0, kMagic) || has_bytes_at(file, path, 0, kHdf5) ||
         has_bytes_at(file, path, kShardHeaderBytes, kHdf5);
}

[[noreturn]] void refuse_other_file(const fs::path& path) {
  const std::string folder = path.has_parent_path() ? path.parent_path().native() : ".";
  std::string hint = "convert it first: penstock convert " + shell_quoted(path.native()) + " " +
                     shell_quoted(path.native() + ".penstock");
  if (path.filename() == kManifestName) {
    hint = "penstock inspect " + shell_quoted(folder);
  } else if (convert::is_named_as_picture(path.native())) {
    hint = "pictures are converted first, a folder of them at once: penstock convert " +
           shell_quoted(folder) + " DATASET";
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("inspect: {}: expected a dataset's folder or a shard, found another file",
                          printable_path(path)),
              hint);
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

bool is_shard_file(const fs::path& path) {
  if (!fs::is_regular_file(path)) return false;
  if (!looks_like_shard(path)) refuse_other_file(path);
  return true;
}

std::vector<std::byte> read_verified(const ShardFile& shard, const IndexRecord& record,
                                     std::uint64_t sample_idx) {
  std::vector<std::byte> bytes(record.length_bytes);
  shard.read_sample(record, bytes);
  const std::uint64_t found = xxh3_64(bytes);
  if (found == record.xxh3) return bytes;
  throw_damaged_shard(shard.path(), fmt::format("sample {}: checksum: expected {}, found {}",
                                                sample_idx, hex(record.xxh3), hex(found)));
}

std::string describe_dataset_or_shard(const fs::path& path, ReportForm form, MetadataDepth depth) {
  if (is_shard_file(path)) {
    const ShardReport report = read_shard(path, depth);
    return form == ReportForm::kText ? shard_text(report) : shard_json(report);
  }
  const Dataset dataset = Dataset::open(path);
  return form == ReportForm::kText ? dataset_text(dataset, depth) : dataset_json(dataset, depth);
}

}  // namespace penstock::tools
