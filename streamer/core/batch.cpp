#include "streamer/core/batch.h"

#include "streamer/core/range_check.h"

namespace penstock {
void BatchSpec::validate() const {
  check_range({"batch", "batch", batch, 1, 1u << 20});
  check_range({"batch", "height_px", height_px, 1, 1u << 14});
  check_range({"batch", "width_px", width_px, 1, 1u << 14});
  if (channels != 1 && channels != 3) {
    refuse_setting({"batch", "channels", "1 or 3", std::to_string(channels)});
  }
  // Numbers that are no enumerator: from a cast, or from memory that was never set.
  const auto check_kind = [](std::string_view field, auto kind, auto last) {
    check_range(
        {"batch", field, static_cast<std::uint64_t>(kind), 0, static_cast<std::uint64_t>(last)});
  };
  check_kind("element", element, ElementType::kFloat32);
  check_kind("layout", layout, PixelLayout::kNhwc);
  check_kind("label_form", label_form, LabelForm::kTargets);
  if (label_form == LabelForm::kTargets)
    check_range({"batch", "num_targets", num_targets, 1, 1u << 20});
  if (crop_bytes % kCropAlignment != 0) {
    refuse_setting({"batch", "crop_bytes", "a multiple of " + std::to_string(kCropAlignment),
                    std::to_string(crop_bytes)});
  }
}

}  // namespace penstock
