#include "tools/convert/conversion_settings.h"

#include <fmt/core.h>

#include "tools/convert/image/codec_versions.h"
#include "tools/convert/write/continuation.h"

namespace penstock::convert {

std::map<std::string, std::string> conversion_settings(const ConvertConfig& config,
                                                       const SplitRule& rule,
                                                       const SourceScan& scan) {
  std::map<std::string, std::string> settings = {
      {"validation_split", fmt::format("{}", rule.validation_fraction)},
      {"test_split", fmt::format("{}", rule.test_fraction)},
      {"stratify", config.split.draw == SplitDraw::kStratified ? "true" : "false"},
      {"seed", std::to_string(config.split.seed)},
      {"shard_size_bytes", std::to_string(config.shard_size_bytes)},
      {"max_pixels", std::to_string(config.max_px)},
      {"names", config.store_names ? "kept" : "left out"},
      {"optimize_crops", config.several_scans == SeveralScans::kRewritten ? "true" : "false"},
      {"max_coefficient_bytes", std::to_string(config.max_coefficient_bytes)},
      {"metadata", config.strip_metadata ? "stripped" : "kept"},
      {"codecs", codec_versions_text()},
      {"orientation", "in the index"},
      {"reencode", fmt::format("jpeg quality {} 4:4:4 on {}", kReencodeQuality,
                               colour_text(config.background))},
      {kPoliciesSetting, config.policies.changes()},
      {"statistics", config.depth == CheckDepth::kHeader
                         ? "none"
                         : "all pixels of the training split, full size"},
      {"checked", config.depth == CheckDepth::kHeader ? "headers" : "decoded"},
  };
  if (config.near_duplicate_bits) {
    settings.emplace(kNearDuplicatesSetting, std::to_string(*config.near_duplicate_bits));
  }
  settings.merge(config.encode.names_and_values());
  settings.insert(scan.settings.begin(), scan.settings.end());
  return settings;
}

}  // namespace penstock::convert
