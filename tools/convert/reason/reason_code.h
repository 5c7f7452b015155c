// Everything that can be odd about a picture, a file or a folder: one code each, with a stable name,
// what it means, what is done about it by default and what else may be done. One table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace penstock::convert {

/// In the order of the table; the names are stable (quarantine.csv, --on, --json), numbers are not.
enum class ReasonCode : std::uint8_t {
  // No picture comes of it.
  kEmptyFile,
  kUnreadable,         // the operating system refused to read it
  kFileTooLarge,       // more bytes than a sample may have
  kAboveMemory,        // decoding it takes more than --memory allows one picture
  kNotAPicture,        // no picture format that is known by its first bytes
  kUnsupportedFormat,  // a known format that this build does not read
  kUnsupportedJpeg,    // a kind of JPEG that libjpeg-turbo does not read
  kZeroSides,
  kDecompressionBomb,  // declares more than its data can unfold to
  // No picture comes of it but by a fix that loses something.
  kTooManyPixels,  // above --max-pixels by its header
  kTruncated,      // ends too early
  kRestartError,   // a JPEG whose restart markers are not in order
  kBadCrc,         // a PNG with a chunk whose checksum is wrong
  kDamaged,        // does not decode
  // Decodes, and is stored as something else.
  kCmyk,
  kYcck,
  kOtherFormat,
  kTransparency,
  kSixteenBit,
  kAnimated,
  kMissingEnd,
  kManyScans,
  kLargeCoefficients,
  // Decodes, and is stored as it is.
  kProgressive,
  kArithmetic,
  kMissingHuffmanTables,
  kBytesAfterEnd,
  kSecondPicture,
  kExifOrientation,
  kGrayscale,
  kAdobeRgb,
  kRgbComponentIds,
  kOddSubsampling,
  kManyMarkers,
  kInterlaced,
  kFewBits,
  kWideGamut,
  kWrongExtension,
  kOnePixelSide,
  kExtremeShape,
  kConstant,
  // What else lies in folders.
  kText,
  kSystemFile,
  kHiddenFile,
  kSymlink,
  kSpecialFile,
  kOutsideClasses,
  // Names.
  kControlInName,
  kDashName,
  kNotUtf8Name,
  kLongName,
  kTwinName,
  // Classes.
  kEmptyClass,
  kOneClass,
  kClassesDiffer,
  // The same content twice.
  kDuplicateWithinClass,
  kDuplicateAcrossClasses,
  kDuplicateAcrossSplits,
  // Other content that looks alike; with --near-duplicates.
  kNearDuplicateWithinClass,
  kNearDuplicateAcrossClasses,
  kNearDuplicateAcrossSplits,
  // What a source holds, and cannot be listed.
  kUnsafePath,        // of a member or a row: absolute, leading out of the folder, or none
  kDuplicateName,     // a member that a later one of the same name replaces
  kArchiveLink,       // a link inside an archive; not followed
  kSparseMember,      // a member with holes, whose bytes do not lie in one piece
  kArchiveTruncated,  // an archive or a batch that ends too early
  kArchiveDamaged,    // an archive or a batch that fails in its middle, or its checksum
  kFailedChecksum,    // bare pixels out of one, which nothing else checks
  kRowWithoutLabel,
  kRowWithoutImage,  // no file, or several, under the path of a row
  kImageWithoutRow,
  kRowRepeated,   // another row before it names the same picture
  kUnknownSplit,  // a row whose split has none of the usual names
  kUnknownLabel,  // a label that no class has, or can have
};

/// What is done about it.
enum class Policy : std::uint8_t {
  kKeep,        // nothing: it is counted
  kFix,         // it is stored otherwise, as the reason's meaning says
  kQuarantine,  // no sample; listed in quarantine.csv
  kStop,        // the conversion ends, naming it
  kSkip,        // for what was meant as no picture: left out, counted, not listed
};
inline constexpr std::size_t kNumPolicies = 5;

struct ReasonInfo {
  ReasonCode code;
  std::string_view name;
  std::string_view meaning;  // for users; says what "fix" does where that is allowed
  Policy default_policy;
  std::uint8_t allowed;  // bit 1 << policy

  constexpr bool allows(Policy policy) const noexcept {
    return (allowed >> static_cast<unsigned>(policy) & 1u) != 0;
  }
};

inline constexpr std::size_t kNumReasons = static_cast<std::size_t>(ReasonCode::kUnknownLabel) + 1;

/// All reasons, each at the place of its code.
std::span<const ReasonInfo, kNumReasons> all_reasons() noexcept;
const ReasonInfo& reason_info(ReasonCode code) noexcept;

std::string_view reason_code_name(ReasonCode code);
std::optional<ReasonCode> find_reason(std::string_view name);

std::string_view policy_name(Policy policy);
std::optional<Policy> find_policy(std::string_view name);

}  // namespace penstock::convert
