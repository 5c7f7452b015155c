#include "tools/shard_report.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/damaged_data.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/hdf5_survey.h"
#include "streamer/shard/shard_format.h"
#include "streamer/shard/shard_header.h"
#include "tools/care/picture_metadata.h"
#include "tools/convert/source/picture_extension.h"
#include "tools/index_summary.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

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
  IndexSummary index{0};
  std::optional<care::MetadataCounts> metadata;  // when it was counted
};

ShardReport read_shard(const fs::path& path, MetadataDepth depth) {
  const ShardFile shard = ShardFile::open(path);
  ShardReport report{.path = path,
                     .uuid = shard.uuid(),
                     .size_bytes = shard.size_bytes(),
                     .origin = read_origin(path),
                     .class_names = shard.read_class_names(),
                     .index = IndexSummary(shard.num_classes()),
                     .metadata = {}};
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
  json.update(Json::parse(index_json(report.index)));
  if (report.metadata) json["metadata"] = Json::parse(metadata_json(*report.metadata));
  // A path may hold bytes that are no UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
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

std::string describe_shard(const fs::path& path, ReportForm form, MetadataDepth depth) {
  const ShardReport report = read_shard(path, depth);
  return form == ReportForm::kText ? shard_text(report) : shard_json(report);
}

}  // namespace penstock::tools
