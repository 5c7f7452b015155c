// Files that could not become samples, why, and the list that a user reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::convert {

inline constexpr const char* kQuarantineName = "quarantine.csv";

/// Why a file, or a row of a table, is no sample. The names are stable: they stand in quarantine.csv.
enum class ReasonCode : std::uint8_t {
  kEmptyFile,
  kUnreadable,         // the operating system refused to read it
  kFileTooLarge,       // more bytes than a sample may have
  kNotAPicture,        // no picture format that is known by its first bytes
  kUnsupportedFormat,  // a known format that this build does not read
  kTooManyPixels,      // above --max-pixels by its header
  kTruncated,          // a JPEG that ends too early
  kDamaged,            // does not decode
  kUnsupportedJpeg,    // a kind of JPEG that libjpeg-turbo does not read
  // Of tables of pictures.
  kRowWithoutLabel,
  kRowWithoutImage,  // no file, or several, under the path of a row
  kImageWithoutRow,
  kRowRepeated,  // another row before it names the same picture
  kUnsafePath,   // absolute, or leading out of the folder
};

std::string_view reason_code_name(ReasonCode code);

struct QuarantineEntry {
  std::string path;  // relative to the source, as bytes
  ReasonCode reason = ReasonCode::kDamaged;
  std::uint64_t size_bytes = 0;
  std::string detail;  // the decoder's own words
};

/// Lays out the list as CSV with the header `path,reason,bytes,detail`, sorted by path. Control
/// characters and bytes that are no UTF-8 are written as \xNN.
std::string quarantine_csv(std::vector<QuarantineEntry> entries);

std::map<std::string, std::uint64_t> count_by_reason(const std::vector<QuarantineEntry>& entries);

}  // namespace penstock::convert
