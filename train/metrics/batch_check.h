// Refusing a batch that cannot be measured, in one wording for all metrics.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"

namespace penstock::train {

struct BatchLength {
  std::string_view field;
  std::size_t found = 0;
  std::size_t expected = 0;
};

inline void check_batch_length(const BatchLength& length) {
  if (length.found == length.expected) return;
  throw Error(ErrorCode::kInvalidArgument, "metrics: " + std::string(length.field) + ": expected " +
                                               std::to_string(length.expected) + " values, found " +
                                               std::to_string(length.found));
}

inline void check_sample_weight(std::uint64_t sample_id, float weight) {
  if (weight >= 0 && std::isfinite(weight)) return;
  throw Error(ErrorCode::kInvalidArgument,
              "metrics: sample " + std::to_string(sample_id) +
                  ": weight: expected a finite number, 0 or more, found " +
                  number_text(static_cast<double>(weight)));
}

/// `what`: "score" or "target".
inline void check_finite_values(std::uint64_t sample_id, std::string_view what,
                                std::span<const float> values) {
  for (const float value : values) {
    if (std::isfinite(value)) continue;
    throw Error(ErrorCode::kInvalidArgument,
                "metrics: sample " + std::to_string(sample_id) + ": " + std::string(what) +
                    ": expected a finite number, found " + number_text(static_cast<double>(value)),
                "a network that has diverged has such scores: lower the learning rate, or go back "
                "to an earlier checkpoint");
  }
}

}  // namespace penstock::train
