#include "tools/convert/quarantine.h"

#include <algorithm>

#include "streamer/core/csv_field.h"
#include "tools/terminal.h"

namespace penstock::convert {

std::string_view reason_code_name(ReasonCode code) {
  switch (code) {
    case ReasonCode::kEmptyFile:
      return "empty_file";
    case ReasonCode::kUnreadable:
      return "unreadable";
    case ReasonCode::kFileTooLarge:
      return "file_too_large";
    case ReasonCode::kNotAPicture:
      return "not_a_picture";
    case ReasonCode::kUnsupportedFormat:
      return "unsupported_format";
    case ReasonCode::kTooManyPixels:
      return "too_many_pixels";
    case ReasonCode::kTruncated:
      return "truncated";
    case ReasonCode::kDamaged:
      return "damaged";
    case ReasonCode::kUnsupportedJpeg:
      return "unsupported_jpeg";
    case ReasonCode::kRowWithoutLabel:
      return "row_without_label";
    case ReasonCode::kRowWithoutImage:
      return "row_without_image";
    case ReasonCode::kImageWithoutRow:
      return "image_without_row";
    case ReasonCode::kRowRepeated:
      return "row_repeated";
    case ReasonCode::kUnsafePath:
      return "unsafe_path";
  }
  return "unknown";
}

std::string quarantine_csv(std::vector<QuarantineEntry> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const QuarantineEntry& a, const QuarantineEntry& b) { return a.path < b.path; });
  std::string csv = "path,reason,bytes,detail\n";
  for (const QuarantineEntry& entry : entries) {
    csv += csv_field(tools::printable(entry.path));
    csv += ',';
    csv += reason_code_name(entry.reason);
    csv += ',';
    csv += std::to_string(entry.size_bytes);
    csv += ',';
    csv += csv_field(tools::printable(entry.detail));
    csv += '\n';
  }
  return csv;
}

std::map<std::string, std::uint64_t> count_by_reason(const std::vector<QuarantineEntry>& entries) {
  std::map<std::string, std::uint64_t> counts;
  for (const QuarantineEntry& entry : entries) {
    ++counts[std::string(reason_code_name(entry.reason))];
  }
  return counts;
}

}  // namespace penstock::convert
