// What became of one picture: kept as it is, re-encoded, or not a sample and why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/shard/shard_format.h"
#include "tools/convert/image/luma_cells.h"
#include "tools/convert/image/pixel_sums.h"
#include "tools/convert/reason/reason_policies.h"

namespace penstock::convert {

enum class FileFate : std::uint8_t {
  kKept,         // bytes are stored as they are: a JPEG, bare pixels
  kReencoded,    // another picture, stored as JPEG
  kRewritten,    // a JPEG or PNG in other bytes that decode to the same pixels, or turned ones
  kQuarantined,  // meant as a picture, and none
  kSkippedText,  // text that does not pretend to be a picture
};

struct ImageVerdict {
  FileFate fate = FileFate::kQuarantined;
  ReasonCode reason = ReasonCode::kDamaged;  // when quarantined, or when `loss` is not empty
  std::string detail;                        // when quarantined: the decoder's own words
  ReasonSet reasons;                         // all that it has, whatever becomes of it
  ReasonSet mended;                          // those of them for which it is stored otherwise
  std::string loss;                          // what a fix has cost, for fixed.csv; mostly nothing
  bool is_resized = false;
  /// Whether what is stored shows other pixels than the file: encoded with a loss, resized, in gray, on
  /// a background, cut to 8 bits.
  bool is_lossy = false;
  /// When stored: all but offset, checksum and class.
  IndexRecord record;
  /// What the loader's decoder needs beside the pixels, at full size.
  std::uint64_t decode_scratch_bytes = 0;
  PixelSums sums;
  LumaCells luma_cells;              // as stored, not turned; where they are taken
  bool is_optimized = false;         // one scan before and after, with restart markers now
  std::uint64_t stripped_bytes = 0;  // what strip_jpeg() or strip_png() took out
  std::vector<std::byte> reencoded;  // the bytes to be stored, when they are not the file's own
};

/// Whether bytes are stored that are not the file's own.
constexpr bool is_made_anew(FileFate fate) noexcept {
  return fate == FileFate::kReencoded || fate == FileFate::kRewritten;
}

constexpr bool is_stored(FileFate fate) noexcept {
  return fate == FileFate::kKept || is_made_anew(fate);
}

ImageVerdict quarantined(ReasonCode reason, std::string detail);

/// Quarantines what would be stored, where one of its reasons is not to be.
void apply_policies(ImageVerdict& verdict, const ReasonPolicies& policies);

/// "640 x 480", for `detail` and `loss`.
std::string sides_text(std::uint64_t width_px, std::uint64_t height_px);

/// Throws Stopped where that is asked for.
void check_decode_stop(const std::stop_token& stop);

}  // namespace penstock::convert
