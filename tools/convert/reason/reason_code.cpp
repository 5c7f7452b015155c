#include "tools/convert/reason/reason_code.h"

#include <algorithm>
#include <array>

namespace penstock::convert {
namespace {

constexpr std::uint8_t bit(Policy policy) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(policy));
}

constexpr std::uint8_t kLost = bit(Policy::kQuarantine) | bit(Policy::kStop);
constexpr std::uint8_t kMended = kLost | bit(Policy::kFix);
constexpr std::uint8_t kFine = kLost | bit(Policy::kKeep);
constexpr std::uint8_t kChoice = kFine | bit(Policy::kFix);
constexpr std::uint8_t kNoPicture = kLost | bit(Policy::kSkip);
constexpr std::uint8_t kOfClasses = bit(Policy::kKeep) | bit(Policy::kStop);

using enum ReasonCode;
using enum Policy;

constexpr std::array<ReasonInfo, kNumReasons> kReasons{{
    {kEmptyFile, "empty_file", "a file of no bytes", kQuarantine, kLost},
    {kUnreadable, "unreadable", "a file or folder that may not be read", kQuarantine, kLost},
    {kFileTooLarge, "file_too_large", "a file above 1 GiB", kQuarantine, kLost},
    {kAboveMemory, "above_memory", "a picture that takes more than half of --memory to decode",
     kQuarantine, kLost},
    {kNotAPicture, "not_a_picture", "no picture format by its first bytes", kQuarantine, kLost},
    {kUnsupportedFormat, "unsupported_format",
     "a format that this build does not read: HEIF, AVIF, JPEG XL, JPEG 2000, SVG, PDF, "
     "samples in floating point",
     kQuarantine, kLost},
    {kUnsupportedJpeg, "unsupported_jpeg",
     "a JPEG that libjpeg-turbo does not read: lossless, 12 bit, hierarchical, two components",
     kQuarantine, kLost},
    {kZeroSides, "zero_sides", "a header that declares no rows or no columns", kQuarantine, kLost},
    {kDecompressionBomb, "decompression_bomb",
     "a header that declares more pixels than its data can unfold to", kQuarantine, kLost},
    {kTooManyPixels, "too_many_pixels",
     "above --max-pixels by its header; fix: a JPEG is scaled down while it is read, and listed in "
     "fixed.csv",
     kQuarantine, kMended},
    {kTruncated, "truncated",
     "ends too early; fix: a JPEG is stored with gray where the rest was, and listed in fixed.csv",
     kQuarantine, kMended},
    {kRestartError, "restart_error",
     "a JPEG whose restart markers are out of order; fix: stored as libjpeg guesses it, and listed "
     "in fixed.csv",
     kQuarantine, kMended},
    {kBadCrc, "bad_crc",
     "a PNG with a wrong checksum; fix: stored if its data unfolds all the same, and listed in "
     "fixed.csv",
     kQuarantine, kMended},
    {kDamaged, "damaged",
     "does not decode; fix: a JPEG is stored as libjpeg guesses it, and listed in fixed.csv",
     kQuarantine, kMended},
    {kCmyk, "cmyk", "a JPEG of four inks; fix: RGB, Adobe's inversion undone", kFix, kMended},
    {kYcck, "ycck", "a JPEG of four inks, three of them as luma and chroma; fix: RGB", kFix,
     kMended},
    {kOtherFormat, "other_format",
     "PNG, BMP, TIFF, WebP, PNM or GIF; fix: JPEG of quality 95, 4:4:4", kFix, kMended},
    {kTransparency, "transparency", "alpha, or a transparent colour; fix: laid onto --background",
     kFix, kMended},
    {kSixteenBit, "sixteen_bit", "16 bits a sample; fix: rounded to 8", kFix, kMended},
    {kAnimated, "animated", "several pictures in a PNG, TIFF, WebP or GIF; fix: the first one",
     kFix, kMended},
    {kMissingEnd, "missing_end", "a PNG or GIF with all of its pixels and no end; fix: it is ended",
     kFix, kMended},
    {kManyScans, "many_scans", "a JPEG in more than 100 scans; fix: baseline of the same pixels",
     kFix, kChoice},
    {kLargeCoefficients, "large_coefficients",
     "a JPEG in several scans whose coefficients take more than --max-coefficients to decode; fix: "
     "baseline of the same pixels",
     kFix, kChoice},
    {kProgressive, "progressive",
     "a JPEG in several scans; fix: baseline of the same pixels (--optimize-crops)", kKeep,
     kChoice},
    {kArithmetic, "arithmetic", "a JPEG in arithmetic code; fix: baseline of the same pixels",
     kKeep, kChoice},
    {kMissingHuffmanTables, "missing_huffman_tables",
     "a JPEG without its tables, as in Motion JPEG; fix: the standard ones are written in", kKeep,
     kChoice},
    {kBytesAfterEnd, "bytes_after_end", "a JPEG with bytes behind its end; fix: cut off", kKeep,
     kChoice},
    {kSecondPicture, "second_picture", "a JPEG with another behind it; fix: cut off", kKeep,
     kChoice},
    {kExifOrientation, "exif_orientation",
     "a camera held otherwise; keep: told in the index, and the loader turns; fix: pixels turned",
     kKeep, kChoice},
    {kGrayscale, "grayscale", "one channel", kKeep, kFine},
    {kAdobeRgb, "adobe_rgb", "a JPEG that stores red, green and blue, by Adobe's marker", kKeep,
     kFine},
    {kRgbComponentIds, "rgb_component_ids",
     "a JPEG that stores red, green and blue, by the names of its components", kKeep, kFine},
    {kOddSubsampling, "odd_subsampling",
     "a JPEG with other sampling factors than 4:4:4, 4:2:2, 4:2:0, 4:4:0 and 4:1:1", kKeep, kFine},
    {kManyMarkers, "many_markers", "a JPEG with more than 1000 segments before its data", kKeep,
     kFine},
    {kInterlaced, "interlaced", "a PNG in seven passes, a GIF in four", kKeep, kFine},
    {kFewBits, "few_bits", "fewer than 8 bits a sample", kKeep, kFine},
    {kWideGamut, "wide_gamut",
     "a colour profile wider than sRGB, such as Display P3; pixels are taken as sRGB all the same",
     kKeep, kFine},
    {kWrongExtension, "wrong_extension", "a name that claims another picture format", kKeep, kFine},
    {kOnePixelSide, "one_pixel_side", "a side of one pixel", kKeep, kFine},
    {kExtremeShape, "extreme_shape", "a side more than 100 times the other", kKeep, kFine},
    {kConstant, "constant", "all pixels are the same", kKeep, kFine},
    {kText, "text", "text that does not claim to be a picture", kSkip, kNoPicture},
    {kSystemFile, "system_file", ".DS_Store, Thumbs.db, desktop.ini, ._* and __MACOSX", kSkip,
     kNoPicture},
    {kHiddenFile, "hidden_file", "a name with a leading dot", kSkip, kNoPicture},
    {kSymlink, "symlink", "a symbolic link; never followed", kSkip, kNoPicture},
    {kSpecialFile, "special_file", "a FIFO, socket or device; never opened", kSkip, kNoPicture},
    {kOutsideClasses, "outside_classes", "a file in no class folder", kSkip, kNoPicture},
    {kControlInName, "control_in_name", "a newline, tab or other control character in a path",
     kKeep, kFine},
    {kDashName, "dash_name", "a name that starts with a dash", kKeep, kFine},
    {kNotUtf8Name, "not_utf8_name", "a path that is no UTF-8", kKeep, kFine},
    {kLongName, "long_name", "a name of 255 bytes, the longest that file systems take", kKeep,
     kFine},
    {kTwinName, "twin_name",
     "paths that differ in case or Unicode normalisation alone: other systems mix them up", kKeep,
     kFine},
    {kEmptyClass, "empty_class", "a class folder without files; it keeps its index", kKeep,
     kOfClasses},
    {kOneClass, "one_class", "a single class: nothing to tell apart", kKeep, kOfClasses},
    {kClassesDiffer, "classes_differ", "splits with different class folders", kStop,
     bit(Policy::kStop)},
    {kDuplicateWithinClass, "duplicate_within_class",
     "the same bytes as another picture of its class and split", kKeep, kFine},
    {kDuplicateAcrossClasses, "duplicate_across_classes",
     "the same bytes as a picture of another class", kKeep, kFine},
    {kDuplicateAcrossSplits, "duplicate_across_splits",
     "the same bytes as a picture of another split; test counts as the first, then validation",
     kKeep, kFine},
    {kNearDuplicateWithinClass, "near_duplicate_within_class",
     "looks like another picture of its class and split (--near-duplicates)", kKeep, bit(kKeep)},
    {kNearDuplicateAcrossClasses, "near_duplicate_across_classes",
     "looks like a picture of another class (--near-duplicates)", kKeep, bit(kKeep)},
    {kNearDuplicateAcrossSplits, "near_duplicate_across_splits",
     "looks like a picture of another split (--near-duplicates); test counts as the first, then "
     "validation",
     kKeep, bit(kKeep)},
    {kUnsafePath, "unsafe_path",
     "a member or a row whose path is absolute, leads out of the source or is none", kQuarantine,
     kLost},
    {kDuplicateName, "duplicate_name",
     "a member of an archive that a later one of the same name replaces", kQuarantine, kLost},
    {kArchiveLink, "archive_link",
     "a symbolic link inside an archive; a hard one to no whole member before it", kQuarantine,
     kLost},
    {kSparseMember, "sparse_member", "a member of an archive that is stored with holes",
     kQuarantine, kLost},
    {kArchiveTruncated, "archive_truncated",
     "an archive or a batch that ends too early; what was whole before is taken", kQuarantine,
     kLost},
    {kArchiveDamaged, "archive_damaged",
     "an archive or a batch that fails in its middle or its checksum", kQuarantine, kLost},
    {kFailedChecksum, "failed_checksum",
     "bare pixels, or the label of them, from a file whose checksum failed; keep: stored unchecked",
     kQuarantine, kFine},
    {kRowWithoutLabel, "row_without_label",
     "a row, or a key of a WebDataset, without a label; keep: a sample of no class", kQuarantine,
     kLost | bit(Policy::kKeep)},
    {kRowWithoutImage, "row_without_image", "a row, or a key of a WebDataset, without its picture",
     kQuarantine, kLost},
    {kImageWithoutRow, "image_without_row", "a picture that no row, or no array of labels, names",
     kQuarantine, kLost},
    {kRowRepeated, "row_repeated", "a row whose picture an earlier row names", kQuarantine, kLost},
    {kUnknownSplit, "unknown_split",
     "a row whose split is none of train, val, valid, validation, test, testing", kQuarantine,
     kLost},
    {kUnknownLabel, "unknown_label",
     "a label that no class has, or one above 4,096 bytes or with a zero byte", kQuarantine, kLost},
}};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kNumReasons; ++i) {
    const ReasonInfo& info = kReasons[i];
    if (static_cast<std::size_t>(info.code) != i || !info.allows(info.default_policy)) return false;
  }
  return true;
}
static_assert(is_in_order(),
              "each reason stands at the place of its code, with a default it allows");

constexpr std::array<std::string_view, kNumPolicies> kPolicyNames{"keep", "fix", "quarantine",
                                                                  "stop", "skip"};

}  // namespace

std::span<const ReasonInfo, kNumReasons> all_reasons() noexcept {
  return kReasons;
}

const ReasonInfo& reason_info(ReasonCode code) noexcept {
  return kReasons[static_cast<std::size_t>(code)];
}

std::string_view reason_code_name(ReasonCode code) {
  return reason_info(code).name;
}

std::optional<ReasonCode> find_reason(std::string_view name) {
  for (const ReasonInfo& info : kReasons) {
    if (info.name == name) return info.code;
  }
  return std::nullopt;
}

std::string_view policy_name(Policy policy) {
  return kPolicyNames[static_cast<std::size_t>(policy)];
}

std::optional<Policy> find_policy(std::string_view name) {
  const auto* const found = std::find(kPolicyNames.begin(), kPolicyNames.end(), name);
  if (found == kPolicyNames.end()) return std::nullopt;
  return static_cast<Policy>(found - kPolicyNames.begin());
}

}  // namespace penstock::convert
