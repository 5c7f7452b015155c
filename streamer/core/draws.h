// Random draws as pure functions of (seed, epoch, position, purpose): nothing is stored, nothing
// depends on which thread asks or when.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "streamer/core/philox.h"

namespace penstock {

/// What a draw is for. Append only: a number once given decides the bytes of old runs.
enum class DrawPurpose : std::uint16_t {
  kOrder = 0,   // the epoch's permutation
  kSample = 1,  // augmentation of one sample
  kBatch = 2,   // mixing within a batch
  kTrain = 3,   // dropout, initial weights
  kDraw = 4,    // which sample a position gets, when sampling with replacement
  kSubset = 5,  // which samples a fraction of a split keeps
  kUser = 1000  // user code counts on from here: user_purpose()
};

/// Returns the purpose of a user's own draws, 0 to 64,535. Purposes are independent of each other
/// and of the engine's: each transform of one's own takes another number, and within it each value
/// another block or slot. Then a chain's order and its other transforms change none of its draws.
constexpr DrawPurpose user_purpose(std::uint16_t number) noexcept {
  return static_cast<DrawPurpose>(static_cast<std::uint16_t>(DrawPurpose::kUser) + number);
}

/// Hands out the draws of one (seed, epoch, position, purpose), by block number.
///
/// Counter  words 0-1: position in the epoch, word 2: epoch, word 3: purpose << 16 | block
/// Key      the seed, low word first
/// Threads  a value; copy it freely
class Draws {
 public:
  struct Place {
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;
    std::uint64_t position = 0;
    DrawPurpose purpose = DrawPurpose::kSample;
  };

  constexpr explicit Draws(Place place) noexcept : place_(place) {}

  constexpr const Place& place() const noexcept { return place_; }

  /// Returns the same place for another purpose.
  constexpr Draws with_purpose(DrawPurpose purpose) const noexcept {
    Place place = place_;
    place.purpose = purpose;
    return Draws(place);
  }

  /// Returns four independent 32-bit words.
  constexpr PhiloxCounter block(std::uint16_t block_idx) const noexcept {
    return philox4x32_10(
        {static_cast<std::uint32_t>(place_.position),
         static_cast<std::uint32_t>(place_.position >> 32), place_.epoch,
         static_cast<std::uint32_t>(place_.purpose) << 16 | static_cast<std::uint32_t>(block_idx)},
        {static_cast<std::uint32_t>(place_.seed), static_cast<std::uint32_t>(place_.seed >> 32)});
  }

  /// Returns a double in [0, 1) made of 53 bits; two per block, `slot` 0 or 1.
  constexpr double uniform(std::uint16_t block_idx, unsigned slot = 0) const noexcept {
    const PhiloxCounter words = block(block_idx);
    const std::uint64_t bits =
        static_cast<std::uint64_t>(words[2 * slot + 1]) << 32 | words[2 * slot];
    return static_cast<double>(bits >> 11) * 0x1p-53;
  }

 private:
  Place place_;
};

}  // namespace penstock
