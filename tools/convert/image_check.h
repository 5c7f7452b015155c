// Decides about one file by decoding it: kept as it is, re-encoded, or not a sample and why. Knows
// bytes, not files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/read/jpeg_decoder.h"
#include "streamer/shard/shard_format.h"
#include "tools/convert/jpeg_file.h"
#include "tools/convert/pixel_sums.h"
#include "tools/convert/quarantine.h"

namespace penstock::convert {

enum class FileFate : std::uint8_t {
  kKept,         // a JPEG whose bytes are stored as they are
  kReencoded,    // another picture, stored as JPEG
  kQuarantined,  // meant as a picture, and none
  kSkippedText,  // text that does not pretend to be a picture
};

struct ImageVerdict {
  FileFate fate = FileFate::kQuarantined;
  ReasonCode reason = ReasonCode::kDamaged;  // when quarantined
  std::string detail;                        // when quarantined: the decoder's own words
  /// When stored: all but offset, checksum and class.
  IndexRecord record;
  /// What the loader's decoder needs beside the pixels, at full size.
  std::uint64_t decode_scratch_bytes = 0;
  PixelSums sums;
  std::vector<std::byte> reencoded;  // the bytes to be stored, when they are not the file's own
};

/// Largest file that is looked at: far above any photograph, far below a sample's 4 GiB.
inline constexpr std::uint64_t kMaxFileBytes = 1ull << 30;

/// Checks files. Decodes with the loader's own decoder, so what passes here is read there.
///
/// Threads  one per thread: it keeps its buffers
class ImageChecker {
 public:
  explicit ImageChecker(std::uint64_t max_px) : max_px_(max_px) {}

  /// `path` only tells whether text was meant as a picture. Throws Stopped, Internal.
  ImageVerdict check(std::span<const std::byte> file, std::string_view path,
                     const std::stop_token& stop);

 private:
  ImageVerdict check_jpeg(std::span<const std::byte> jpeg, const std::stop_token& stop);
  ImageVerdict check_foreign(std::span<const std::byte> file, const std::stop_token& stop);
  ImageVerdict keep_jpeg(std::span<const std::byte> jpeg, const JpegHeader& header,
                         const std::stop_token& stop);
  ImageVerdict reencode(const DecodeOutcome& outcome, const std::stop_token& stop);

  std::uint64_t max_px_;
  JpegDecoder decoder_;
  std::vector<std::byte> pixels_;
  std::vector<std::byte> scratch_;
};

}  // namespace penstock::convert
