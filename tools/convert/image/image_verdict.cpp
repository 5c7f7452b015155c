#include "tools/convert/image/image_verdict.h"

#include <fmt/core.h>

#include <utility>

#include "streamer/core/error.h"

namespace penstock::convert {

ImageVerdict quarantined(ReasonCode reason, std::string detail) {
  ImageVerdict verdict;
  verdict.fate = FileFate::kQuarantined;
  verdict.reason = reason;
  verdict.detail = std::move(detail);
  verdict.reasons.add(reason);
  return verdict;
}

void apply_policies(ImageVerdict& verdict, const ReasonPolicies& policies) {
  if (!is_stored(verdict.fate)) return;
  const auto forbidden = policies.first_with(Policy::kQuarantine, verdict.reasons);
  if (!forbidden) return;
  ImageVerdict other = quarantined(*forbidden, "");
  other.reasons.add(verdict.reasons);
  verdict = std::move(other);
}

std::string sides_text(std::uint64_t width_px, std::uint64_t height_px) {
  return fmt::format("{} x {}", width_px, height_px);
}

void check_decode_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: decode: on request");
}

}  // namespace penstock::convert
