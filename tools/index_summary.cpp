#include "tools/index_summary.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "streamer/core/batch.h"
#include "tools/convert/statistics_report.h"
#include "tools/terminal.h"

namespace penstock::tools {

using Json = nlohmann::ordered_json;

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

void IndexSummary::add(const IndexRecord& record) {
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

std::string index_json(const IndexSummary& index) {
  const Json json = {{"num_samples", index.num_samples},
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
  return json.dump();
}

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

std::string metadata_json(const care::MetadataCounts& counts) {
  const Json json = {{"num_exif", counts.num_exif},
                     {"num_gps", counts.num_gps},
                     {"num_xmp", counts.num_xmp},
                     {"num_iptc", counts.num_iptc},
                     {"num_colour_profile", counts.num_colour_profile},
                     {"num_text", counts.num_text}};
  return json.dump();
}

std::string metadata_text(const care::MetadataCounts& counts) {
  return fmt::format(
      "carry EXIF {}, of these a place (GPS) {}; XMP {}, IPTC {}, colour profile {}, "
      "text {}",
      format_count(counts.num_exif), format_count(counts.num_gps), format_count(counts.num_xmp),
      format_count(counts.num_iptc), format_count(counts.num_colour_profile),
      format_count(counts.num_text));
}

}  // namespace penstock::tools
