#include "streamer/core/batch.h"

#include "streamer/core/error.h"

namespace penstock {
namespace {

void check_range(const char* field, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  if (value >= low && value <= high) return;
  throw Error(ErrorCode::kInvalidArgument, std::string("batch: ") + field + ": expected " +
                                               std::to_string(low) + " to " + std::to_string(high) +
                                               ", found " + std::to_string(value));
}

}  // namespace

void BatchSpec::validate() const {
  check_range("batch", batch, 1, 1u << 20);
  check_range("height_px", height_px, 1, 1u << 14);
  check_range("width_px", width_px, 1, 1u << 14);
  if (channels != 1 && channels != 3) {
    throw Error(ErrorCode::kInvalidArgument,
                "batch: channels: expected 1 or 3, found " + std::to_string(channels));
  }
  if (label_form == LabelForm::kTargets) check_range("num_targets", num_targets, 1, 1u << 20);
}

}  // namespace penstock
