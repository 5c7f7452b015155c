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

#include "streamer/core/checksum.h"
#include "streamer/read/jpeg_decoder.h"
#include "streamer/shard/shard_format.h"
#include "tools/convert/image/image_format.h"
#include "tools/convert/image/jpeg_file.h"
#include "tools/convert/image/jpeg_structure.h"
#include "tools/convert/image/pixel_sums.h"
#include "tools/convert/image/rgb_colour.h"
#include "tools/convert/reason/reason_policies.h"
#include "tools/convert/source_picture.h"

namespace penstock::convert {

enum class FileFate : std::uint8_t {
  kKept,         // bytes are stored as they are: a JPEG, bare pixels
  kReencoded,    // another picture, stored as JPEG
  kRewritten,    // a JPEG stored in other bytes that decode to the same pixels, or turned ones
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
  /// When stored: all but offset, checksum and class.
  IndexRecord record;
  /// What the loader's decoder needs beside the pixels, at full size.
  std::uint64_t decode_scratch_bytes = 0;
  PixelSums sums;
  std::vector<std::byte> reencoded;  // the bytes to be stored, when they are not the file's own
};

/// Quarantines what would be stored, where one of its reasons is not to be.
void apply_policies(ImageVerdict& verdict, const ReasonPolicies& policies);

/// Adds the reasons that only sides and pixels tell to the verdict on what is stored.
void add_seen_reasons(ImageVerdict& verdict);

/// Largest file that is looked at: far above any photograph, far below a sample's 4 GiB.
inline constexpr std::uint64_t kMaxFileBytes = 1ull << 30;

/// What the decoder's fault means for a file. Never kUnreadable or kFileTooLarge.
ReasonCode reason_of_jpeg_fault(const SampleFault& fault);

/// Whether bytes are stored that are not the file's own.
constexpr bool is_made_anew(FileFate fate) noexcept {
  return fate == FileFate::kReencoded || fate == FileFate::kRewritten;
}

constexpr bool is_stored(FileFate fate) noexcept {
  return fate == FileFate::kKept || is_made_anew(fate);
}

/// What a user chose to have done about pictures that are not ordinary ones.
struct PictureFixes {
  ReasonPolicies policies{};
  RgbColour background{};
};

/// What becomes of a JPEG of several scans (progressive), which the loader decodes from a memory of
/// all its coefficients.
enum class SeveralScans : std::uint8_t {
  kKept,
  kRewritten,  // where that changes no pixel; else kept
};

enum class CheckDepth : std::uint8_t {
  kDecode,  // every picture is decoded as the loader would
  kHeader,  // a JPEG to be kept is taken at its word: nothing is decoded but what a fix makes anew
};

/// Rows that are decoded at a time, so that a picture of any height is checked in little memory and its
/// pixels are summed while they are in the cache.
inline constexpr std::uint64_t kStripBytes = 256u << 10;

/// Checks files. Decodes with the loader's own decoder, so what passes here is read there.
///
/// Threads  one per thread: it keeps its buffers
class ImageChecker {
 public:
  explicit ImageChecker(std::uint64_t max_px, CheckDepth depth = CheckDepth::kDecode,
                        SeveralScans several_scans = SeveralScans::kKept,
                        const PictureFixes& fixes = {});

  /// Bytes that re-encoding takes beside the file, by what its header declares; 0 for what is kept
  /// or refused. An upper bound but for what the codec libraries keep for themselves.
  std::uint64_t reencoding_bytes(std::span<const std::byte> file);

  /// Bytes that check() takes beside the picture: an upper bound but for what the codec libraries keep
  /// for themselves, and for a strip of rows of at most kStripBytes, or one row.
  std::uint64_t checking_bytes(const SourcePicture& picture);

  /// `path` only tells whether text was meant as a picture. With kHeader, a picture that is kept
  /// has no sums. Throws Stopped, Internal.
  ImageVerdict check(std::span<const std::byte> file, std::string_view path,
                     const std::stop_token& stop);
  /// The same of what a source has read: bare pixels are kept as they are, or are too many.
  ImageVerdict check(const SourcePicture& picture, std::string_view path,
                     const std::stop_token& stop);

 private:
  ImageVerdict check_format(ImageFormat format, std::span<const std::byte> file,
                            std::string_view path, const std::stop_token& stop);
  ImageVerdict check_jpeg(std::span<const std::byte> jpeg, const std::stop_token& stop);
  ImageVerdict check_readable_jpeg(std::span<const std::byte> jpeg, const JpegHeader& header,
                                   const JpegStructure& structure, const std::stop_token& stop);
  ImageVerdict check_foreign(ImageFormat format, std::span<const std::byte> file,
                             const std::stop_token& stop);
  ImageVerdict read_and_reencode(std::span<const std::byte> jpeg, const JpegReading& reading,
                                 const std::stop_token& stop);
  ImageVerdict scale_down(std::span<const std::byte> jpeg, const JpegHeader& header,
                          const std::stop_token& stop);
  ImageVerdict guess(std::span<const std::byte> jpeg, const JpegStructure& structure,
                     ImageVerdict damaged, const std::stop_token& stop);
  // Without a change of pixels where that can be; the verdict on what is stored instead of `jpeg`.
  ImageVerdict fix_bytes(std::span<const std::byte> jpeg, const JpegStructure& structure,
                         ImageVerdict kept, const std::stop_token& stop);
  ImageVerdict turn(std::span<const std::byte> jpeg, ImageVerdict kept,
                    const std::stop_token& stop);
  struct Reading {
    CheckDepth depth = CheckDepth::kDecode;
    bool takes_digest = false;  // of the pixels, into decoded_digest_
  };
  ImageVerdict keep_jpeg(std::span<const std::byte> jpeg, const JpegHeader& header, Reading reading,
                         const std::stop_token& stop);
  ImageVerdict keep_raw(std::span<const std::byte> pixels, const RawShape& shape) const;
  // Returns `kept` where it cannot be rewritten.
  ImageVerdict rewrite(std::span<const std::byte> jpeg, ImageVerdict kept,
                       const std::stop_token& stop);
  ImageVerdict reencode(const DecodedPixels& pixels, std::uint8_t orientation,
                        const std::stop_token& stop);

  bool is_within_limit(const DeclaredSize& size) const noexcept;
  std::uint64_t foreign_checking_bytes(ImageFormat format, std::span<const std::byte> file);
  std::uint64_t jpeg_checking_bytes(std::span<const std::byte> jpeg);
  // Whether a picture with such a fault is decoded all the same.
  bool is_tried(ReasonCode fault) const;
  // Whether a reason that a JPEG's markers tell is to be mended, so that it is decoded anyway.
  bool is_mended_by_header(const ReasonSet& reasons) const;

  std::uint64_t max_px_;
  CheckDepth depth_;
  PictureFixes fixes_;
  JpegDecoder decoder_;
  std::vector<std::byte> strip_;
  std::vector<std::byte> scratch_;
  Digest128 decoded_digest_{};  // of the pixels that keep_jpeg() took it of last
};

}  // namespace penstock::convert
