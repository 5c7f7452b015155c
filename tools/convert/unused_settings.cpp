#include "tools/convert/unused_settings.h"

namespace penstock::convert {

std::vector<std::string> unused_settings(const ConvertConfig& config,
                                         const ConvertSummary& summary) {
  std::vector<std::string> lines;
  const auto add_if = [&](bool is_unused, const char* line) {
    if (is_unused) lines.emplace_back(line);
  };
  const EncodeSettings& encode = config.encode;
  add_if((encode.resize_short_px || encode.max_side_px) && summary.counted.num_resized == 0,
         "--resize-short, --max-side: no picture is larger");
  add_if(encode.quality &&
             summary.counted.num_reencoded_by_codec[static_cast<std::size_t>(Codec::kJpeg)] == 0,
         "--quality: no picture was encoded as JPEG; what is as coarse already stays as it is, and "
         "so do bare pixels without --codec jpeg");
  add_if(
      config.background != RgbColour{} && summary.reasons.num_fixed(ReasonCode::kTransparency) == 0,
      "--background: no picture is transparent");
  const std::uint64_t num_recoded = summary.counted.num_rewritten + summary.counted.num_optimized +
                                    summary.counted.num_in_several_scans;
  add_if(config.several_scans == SeveralScans::kRewritten && num_recoded == 0,
         "--optimize-crops: no picture is a JPEG that could gain by it");
  add_if(config.strip_metadata && summary.counted.num_stripped == 0,
         "--strip-metadata: no picture that keeps its bytes had any");
  return lines;
}

}  // namespace penstock::convert
