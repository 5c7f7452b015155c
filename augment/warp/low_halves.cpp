#include "augment/warp/low_halves.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/warp/low_halves.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Nothing is overwritten before it has been read.
HWY_ATTR void gather_low_halves_of(float* values, std::size_t num_values) {
  const hn::ScalableTag<std::uint32_t> d;
  const hn::Rebind<std::uint16_t, decltype(d)> d_half;
  const auto* const from = reinterpret_cast<const std::byte*>(values);
  auto* const to = reinterpret_cast<std::byte*>(values);
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= num_values; i += lanes) {
    const auto words = hn::LoadU(d, reinterpret_cast<const std::uint32_t*>(from + 4 * i));
    hn::StoreU(hn::TruncateTo(d_half, words), d_half, reinterpret_cast<std::uint16_t*>(to + 2 * i));
  }
  for (; i < num_values; ++i) {
    float value;
    std::memcpy(&value, from + 4 * i, sizeof value);
    const std::int16_t half = low_half(value);
    std::memcpy(to + 2 * i, &half, sizeof half);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {

HWY_EXPORT(gather_low_halves_of);

void gather_low_halves(float* values, std::size_t num_values) noexcept {
  HWY_DYNAMIC_DISPATCH(gather_low_halves_of)(values, num_values);
}

}  // namespace penstock::augment
#endif
