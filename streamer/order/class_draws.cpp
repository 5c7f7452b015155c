#include "streamer/order/class_draws.h"

#include <algorithm>
#include <numeric>

#include "streamer/core/draws.h"
#include "streamer/core/range_check.h"

namespace penstock {
namespace {

// Maps 64 random bits to 0 .. size - 1. The bias is below size / 2^64.
std::uint64_t scaled(std::uint32_t high, std::uint32_t low, std::uint64_t size) noexcept {
  __extension__ using Wide = unsigned __int128;
  const std::uint64_t bits = static_cast<std::uint64_t>(high) << 32 | low;
  return static_cast<std::uint64_t>(Wide{bits} * size >> 64);
}

}  // namespace

ClassDraws::ClassDraws(const Config& config) {
  // Counting sort. Entry c + 1 counts class c, then says where it ends.
  std::vector<std::uint64_t> ends(std::size_t{config.num_classes} + 1, 0);
  for (std::uint64_t id = 0; id < config.num_samples; ++id) {
    const std::uint32_t class_idx = config.class_of(id);
    if (class_idx < config.num_classes) ++ends[class_idx + 1];
  }
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  if (ends.back() == 0) {
    refuse_setting({.owner = "loader",
                    .field = "order",
                    .expected = "samples with a class, to draw them class-balanced",
                    .found = "none"});
  }
  class_begins_ = ends;
  sample_ids_.resize(ends.back());
  for (std::uint64_t id = 0; id < config.num_samples; ++id) {
    const std::uint32_t class_idx = config.class_of(id);
    if (class_idx < config.num_classes) {
      sample_ids_[ends[class_idx]++] = static_cast<std::uint32_t>(id);
    }
  }
  // A class without samples begins where the next one does.
  class_begins_.erase(std::unique(class_begins_.begin(), class_begins_.end()), class_begins_.end());
}

std::uint64_t ClassDraws::price_bytes(std::uint64_t num_samples,
                                      std::uint32_t num_classes) noexcept {
  // Twice the classes: while the table is made.
  return num_samples * sizeof(std::uint32_t) +
         2 * (std::uint64_t{num_classes} + 1) * sizeof(std::uint64_t);
}

std::uint64_t ClassDraws::sample_for(const DrawPlace& place) const noexcept {
  const Draws draws({.seed = place.seed,
                     .epoch = place.epoch,
                     .position = place.position,
                     .purpose = DrawPurpose::kDraw});
  const PhiloxCounter words = draws.block(0);
  const std::uint64_t class_nr = scaled(words[1], words[0], class_begins_.size() - 1);
  const std::uint64_t begin = class_begins_[class_nr];
  return sample_ids_[begin + scaled(words[3], words[2], class_begins_[class_nr + 1] - begin)];
}

}  // namespace penstock
