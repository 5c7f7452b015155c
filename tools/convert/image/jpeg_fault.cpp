#include "tools/convert/image/jpeg_fault.h"

namespace penstock::convert {

ReasonCode reason_of_jpeg_text(std::string_view text) {
  const auto starts_with = [&](std::string_view head) {
    return text.substr(0, head.size()) == head;
  };
  if (starts_with("Premature end of")) return ReasonCode::kTruncated;
  if (starts_with("Unsupported JPEG process") || starts_with("Unsupported JPEG data precision") ||
      starts_with("Unsupported color conversion") || starts_with("Sorry, ")) {
    return ReasonCode::kUnsupportedJpeg;
  }
  if (text == "more than 500 scans") return ReasonCode::kManyScans;
  // "Corrupt JPEG data: found marker 0x.. instead of RST.."
  const bool is_restart = text.find("instead of RST") != std::string_view::npos;
  return is_restart ? ReasonCode::kRestartError : ReasonCode::kDamaged;
}

ReasonCode reason_of_jpeg_fault(const SampleFault& fault) {
  return fault.status == SampleStatus::kUnsupported ? ReasonCode::kUnsupportedJpeg
                                                    : reason_of_jpeg_text(fault.detail());
}

}  // namespace penstock::convert
