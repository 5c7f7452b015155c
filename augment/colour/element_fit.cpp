#include "augment/colour/element_fit.h"

#include <cmath>
#include <string>
#include <string_view>

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::augment {
namespace {

constexpr double kMostFloat16 = 65504;  // its largest finite value

void check_uint8(std::string_view field, bool holds, std::string_view expected, double found) {
  if (holds) return;
  refuse_setting({"augment", field, std::string(expected) + " with uint8 batches",
                  number_text(found), "let the consumer normalise, or take ElementType::kFloat32"});
}

// A uint8 batch holds pixels: a normalisation would be left undone in silence.
void check_all_uint8(const AugmentConfig& config) {
  for (std::size_t c = 0; c < 3; ++c) {
    const std::string place = "[" + std::to_string(c) + "]";
    check_uint8("mean" + place, config.mean[c] == 0, "0", config.mean[c]);
    check_uint8("std" + place, config.std[c] == 1, "1", config.std[c]);
  }
  check_uint8("random_erasing_value",
              config.random_erasing_value >= 0 && config.random_erasing_value <= 255, "0 to 255",
              config.random_erasing_value);
}

void check_float16(std::string_view field, double largest) {
  if (std::abs(largest) <= kMostFloat16) return;
  refuse_setting({"augment", field, "values of at most 65504 in float16 batches",
                  number_text(largest), "take ElementType::kBfloat16 or ElementType::kFloat32"});
}

void check_all_float16(const AugmentConfig& config, std::uint32_t channels) {
  for (std::size_t c = 0; c < channels; ++c) {
    const std::string place = "[" + std::to_string(c) + "]";
    check_float16("mean" + place, -config.mean[c] / config.std[c]);
    check_float16("std" + place, (255 * config.rescale - config.mean[c]) / config.std[c]);
  }
  check_float16("random_erasing_value", config.random_erasing_value);
}

}  // namespace

void check_element_fits(const AugmentConfig& config, const BatchSpec& spec) {
  if (spec.element == ElementType::kUint8) check_all_uint8(config);
  if (spec.element == ElementType::kFloat16) check_all_float16(config, spec.channels);
}

}  // namespace penstock::augment
