// One random sample through the transform: every vector unit against the pixel-by-pixel way, and that
// against the twin in double precision.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <stdexcept>

#include "augment/augment_config.h"
#include "streamer/core/draws.h"
#include "streamer/core/sample_transform.h"
#include "tests/augment/fuzz/guarded_memory.h"

namespace penstock::augment {

/// What a trial found wrong.
struct TrialFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What is drawn for one trial.
struct SampleTrial {
  AugmentConfig config;
  BatchSpec spec;
  SampleInfo info;
  std::uint32_t picture_channels = 3;
  Draws::Place place;
};

/// How far the values of all trials were from the twin's.
struct TwinTally {
  /// Of one way of sampling, without steps on bytes.
  struct Values {
    double num = 0;
    double num_ties = 0;    // of positions: a twin moved by a millionth of a pixel has the value
    double sum_levels = 0;  // of errors, in levels of a byte
    double worst_levels = 0;
  };
  std::array<Values, 4> by_interpolation{};  // colours that enlarge no error
  Values enlarged;                           // others; errors over what colours make of a level
  Values on_bytes;  // with steps on bytes, or means of ties: what is further apart than rounding
  std::uint64_t num_trials = 0;
  std::uint64_t num_without_twin = 0;  // too slow there
};

SampleTrial draw_sample_trial(std::mt19937_64& random);

/// Throws TrialFailure.
class SampleTrials {
 public:
  void run(const SampleTrial& trial, std::mt19937_64& random);
  const TwinTally& tally() const noexcept { return tally_; }

 private:
  GuardedMemory picture_{4u << 20};
  GuardedMemory scratch_{8u << 20};
  GuardedMemory slot_{2u << 20};
  TwinTally tally_;
};

}  // namespace penstock::augment
