#include "tools/sample_report.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/picture_metadata.h"
#include "tools/care/sample_file.h"
#include "tools/index_summary.h"
#include "tools/shard_report.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// A sample that was found, and what is known of it beside its record.
struct FoundSample {
  IndexRecord record;
  std::string shard;
  std::string name;
  std::string class_name;  // empty: without a label
  std::vector<std::byte> stored;
};

std::string class_name_of(const std::vector<std::string>& names, const IndexRecord& record) {
  return record.class_idx == kUnlabelled ? std::string() : names.at(record.class_idx);
}

FoundSample find_in_shard(const SampleChoice& choice) {
  const ShardFile shard = ShardFile::open(choice.path);
  if (choice.sample_idx >= shard.num_samples()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("shard: {}: sample: expected 0 to {}, found {}", choice.path.native(),
                            shard.num_samples() - 1, choice.sample_idx),
                "samples are counted from 0");
  }
  IndexPage page;
  shard.read_index_page(choice.sample_idx / kRecordsPerPage, page);
  FoundSample found{.record = page[choice.sample_idx % kRecordsPerPage],
                    .shard = choice.path.filename().native(),
                    .name = shard.read_name(choice.sample_idx),
                    .class_name = {},
                    .stored = {}};
  found.class_name = class_name_of(shard.read_class_names(), found.record);
  found.stored = read_verified(shard, found.record, choice.sample_idx);
  return found;
}

FoundSample find_in_dataset(const SampleChoice& choice) {
  const Dataset dataset = Dataset::open(choice.path);
  const std::string split =
      choice.split.empty() ? dataset.manifest().splits.at(0).name : choice.split;
  const DatasetSplit open = dataset.split(split);
  const StoredSample sample = open.sample(choice.sample_idx);
  return {.record = sample.record(),
          .shard = sample.shard().path().filename().native(),
          .name = open.read_name(choice.sample_idx),
          .class_name = class_name_of(dataset.manifest().class_names, sample.record()),
          .stored = sample.read_bytes()};
}

std::vector<std::string> words_of(const care::PictureMetadata& metadata) {
  std::vector<std::string> words;
  if (metadata.has_exif) words.emplace_back("exif");
  if (metadata.has_gps) words.emplace_back("gps");
  if (metadata.has_xmp) words.emplace_back("xmp");
  if (metadata.has_iptc) words.emplace_back("iptc");
  if (metadata.has_colour_profile) words.emplace_back("colour_profile");
  if (metadata.has_text) words.emplace_back("text");
  return words;
}

std::string text_of(const SampleChoice& choice, const FoundSample& found) {
  const IndexRecord& record = found.record;
  const auto words = words_of(care::read_picture_metadata(found.stored));
  std::string text = fmt::format(
      "sample {}: {}\n  class       {}\n  shard       {}, {} bytes at {}, xxh3 {}\n"
      "  picture     {}, {} x {} px, {} components, subsampling {} x {}, orientation {}{}\n"
      "  carries     {}",
      choice.sample_idx, found.name.empty() ? "(no name)" : printable(found.name),
      record.class_idx == kUnlabelled
          ? "none"
          : fmt::format("{} ({})", printable(found.class_name), record.class_idx),
      printable(found.shard), record.length_bytes, record.offset_bytes, hex(record.xxh3),
      codec_name(record.codec), record.width_px, record.height_px, record.components,
      record.subsampling_x, record.subsampling_y, record.orientation,
      (record.flags & kFlagProgressive) != 0 ? ", several scans" : "",
      words.empty() ? "no metadata" : fmt::format("{}", fmt::join(words, ", ")));
  if (!choice.out.empty()) text += "\n  written to  " + printable_path(choice.out);
  return text;
}

std::string json_of(const SampleChoice& choice, const FoundSample& found) {
  const IndexRecord& record = found.record;
  const bool is_labelled = record.class_idx != kUnlabelled;
  const Json json{{"kind", "sample"},
                  {"path", choice.path.string()},
                  {"sample", choice.sample_idx},
                  {"name", found.name},
                  {"class_idx", is_labelled ? Json(record.class_idx) : Json(nullptr)},
                  {"class_name", is_labelled ? Json(found.class_name) : Json(nullptr)},
                  {"shard", found.shard},
                  {"offset_bytes", record.offset_bytes},
                  {"length_bytes", record.length_bytes},
                  {"xxh3", hex(record.xxh3)},
                  {"codec", codec_name(record.codec)},
                  {"width_px", record.width_px},
                  {"height_px", record.height_px},
                  {"components", record.components},
                  {"subsampling_x", record.subsampling_x},
                  {"subsampling_y", record.subsampling_y},
                  {"orientation", record.orientation},
                  {"is_progressive", (record.flags & kFlagProgressive) != 0},
                  {"status", record.status},
                  {"metadata", words_of(care::read_picture_metadata(found.stored))},
                  {"out", choice.out.empty() ? Json(nullptr) : Json(choice.out.string())}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string describe_sample(const SampleChoice& choice, ReportForm form) {
  const FoundSample found =
      is_shard_file(choice.path) ? find_in_shard(choice) : find_in_dataset(choice);
  if (!choice.out.empty()) {
    const std::vector<std::byte> file = care::sample_as_file(found.record, found.stored);
    publish_file(choice.out, {reinterpret_cast<const char*>(file.data()), file.size()});
  }
  return form == ReportForm::kText ? text_of(choice, found) : json_of(choice, found);
}

}  // namespace penstock::tools
