// What an index tells of its samples, for the reports of a dataset and of a shard.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/shard/index_record.h"
#include "tools/care/picture_metadata.h"

namespace penstock::tools {

/// What a report calls the class of samples that have none.
inline constexpr const char* kNoClass = "(without a label)";

/// "jpeg", "raw", "png"; "unknown" for a number of a later version.
std::string_view codec_name(std::uint8_t codec);

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

  explicit IndexSummary(std::size_t num_classes) : num_by_class(num_classes) {}

  void add(const IndexRecord& record);
};

/// As the text of a JSON object.
std::string index_json(const IndexSummary& index);
/// "6 jpeg, of these 0 progressive, ..."
std::string index_text(const IndexSummary& index);
/// "largest class 2.0 times the smallest"
std::string balance_text(const IndexSummary& index);

/// As the text of a JSON object.
std::string metadata_json(const care::MetadataCounts& counts);
std::string metadata_text(const care::MetadataCounts& counts);

}  // namespace penstock::tools
