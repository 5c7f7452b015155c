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
#include "tools/convert/image/image_format.h"
#include "tools/convert/image/jpeg_file.h"
#include "tools/convert/image/pixel_sums.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/source_picture.h"

namespace penstock::convert {

enum class FileFate : std::uint8_t {
  kKept,         // bytes are stored as they are: a JPEG, bare pixels
  kReencoded,    // another picture, stored as JPEG
  kRewritten,    // a JPEG of several scans, stored as a baseline one of the same pixels
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

/// Whether the name of a file claims a picture.
bool has_picture_extension(std::string_view path);

/// What the decoder's fault means for a file. Never kUnreadable or kFileTooLarge.
ReasonCode reason_of_jpeg_fault(const SampleFault& fault);

/// Whether bytes are stored that are not the file's own.
constexpr bool is_made_anew(FileFate fate) noexcept {
  return fate == FileFate::kReencoded || fate == FileFate::kRewritten;
}

constexpr bool is_stored(FileFate fate) noexcept {
  return fate == FileFate::kKept || is_made_anew(fate);
}

/// What becomes of a JPEG of several scans (progressive), which the loader decodes from a memory of
/// all its coefficients.
enum class SeveralScans : std::uint8_t {
  kKept,
  kRewritten,  // where that changes no pixel; else kept
};

enum class CheckDepth : std::uint8_t {
  kDecode,  // every picture is decoded as the loader would
  kHeader,  // a JPEG to be kept is taken at its word, by somebody who decodes it next
};

/// Checks files. Decodes with the loader's own decoder, so what passes here is read there.
///
/// Threads  one per thread: it keeps its buffers
class ImageChecker {
 public:
  explicit ImageChecker(std::uint64_t max_px, CheckDepth depth = CheckDepth::kDecode,
                        SeveralScans several_scans = SeveralScans::kKept)
      : max_px_(max_px), depth_(depth), several_scans_(several_scans) {}

  /// Bytes that re-encoding takes beside the file, by what its header declares; 0 for what is kept
  /// or refused. An upper bound but for what the codec libraries keep for themselves.
  std::uint64_t reencoding_bytes(std::span<const std::byte> file);

  /// `path` only tells whether text was meant as a picture. With kHeader, a picture that is kept
  /// has no sums and no scratch. Throws Stopped, Internal.
  ImageVerdict check(std::span<const std::byte> file, std::string_view path,
                     const std::stop_token& stop);
  /// The same of what a source has read: bare pixels are kept as they are.
  ImageVerdict check(const SourcePicture& picture, std::string_view path,
                     const std::stop_token& stop);

 private:
  ImageVerdict check_jpeg(std::span<const std::byte> jpeg, const std::stop_token& stop);
  ImageVerdict check_foreign(std::span<const std::byte> file, const std::stop_token& stop);
  ImageVerdict keep_jpeg(std::span<const std::byte> jpeg, const JpegHeader& header,
                         const std::stop_token& stop);
  static ImageVerdict keep_raw(std::span<const std::byte> pixels, const RawShape& shape);
  // Returns `kept` where it cannot be rewritten.
  ImageVerdict rewrite(std::span<const std::byte> jpeg, ImageVerdict kept,
                       const std::stop_token& stop);
  ImageVerdict reencode(const DecodeOutcome& outcome, const std::stop_token& stop);

  bool is_within_limit(const DeclaredSize& size) const noexcept;

  std::uint64_t max_px_;
  CheckDepth depth_;
  SeveralScans several_scans_;
  JpegDecoder decoder_;
  std::vector<std::byte> pixels_;
  std::vector<std::byte> scratch_;
  ImageView decoded_;  // what keep_jpeg() has decoded last, in pixels_
};

}  // namespace penstock::convert
