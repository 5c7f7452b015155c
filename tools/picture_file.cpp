#include "tools/picture_file.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/shell_quoted.h"
#include "tools/convert/image/jpeg_fault.h"
#include "tools/library_remarks.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

using convert::FileFate;
using convert::ReasonCode;

// "expected X, found Y" for each reason; `detail` is the checker's or the decoder's own.
std::string complaint(ReasonCode reason, const std::string& detail, std::uint64_t max_px) {
  switch (reason) {
    case ReasonCode::kEmptyFile:
      return "expected a picture, found an empty file";
    case ReasonCode::kNotAPicture:
      return "expected a picture, found " +
             (detail.empty() ? std::string("no picture format that is known") : detail);
    case ReasonCode::kUnsupportedFormat:
      return "expected a picture format that this build reads, found " + detail;
    case ReasonCode::kTooManyPixels:
      return fmt::format("expected at most {} pixels and sides of at most {}, found {}",
                         format_count(max_px), format_count(convert::kMaxJpegSidePx), detail);
    case ReasonCode::kTruncated:
      return "expected a whole picture, found one cut short: " + detail;
    case ReasonCode::kUnsupportedJpeg:
      return "expected a kind of JPEG that this build reads, found another: " + detail;
    default:  // what the decoder says is all there is to say
      return "expected a picture that decodes, found: " + detail;
  }
}

std::uint64_t checked_size_bytes(const UniqueFd& file, const std::string& path) {
  const std::uint64_t size_bytes = file_size_bytes(file, path);
  if (size_bytes <= convert::kMaxFileBytes) return size_bytes;
  throw Error(ErrorCode::kCorruptData,
              fmt::format("picture: {}: expected a file of at most {}, found {}", path,
                          format_bytes(convert::kMaxFileBytes), format_bytes(size_bytes)),
              "file " + shell_quoted(path));
}

// Pixels are what counts here, not how fast they are decoded again.
convert::PictureFixes fixes_of_pixels() {
  convert::PictureFixes fixes;
  fixes.policies.set(ReasonCode::kLargeCoefficients, convert::Policy::kKeep);
  return fixes;
}

}  // namespace

PictureFiles::PictureFiles(std::uint64_t max_px, const convert::EncodeSettings& encode,
                           MemoryBudget& budget)
    : max_px_(max_px),
      budget_(budget),
      checker_({.max_px = max_px,
                .depth = convert::CheckDepth::kHeader,
                .fixes = fixes_of_pixels(),
                .encode = encode}) {}

BudgetedPicture PictureFiles::read(const std::string& path) {
  const UniqueFd file = open_for_reading(path);
  const std::uint64_t size_bytes = checked_size_bytes(file, path);
  BudgetShare share = budget_.draw(size_bytes, "reading a file");
  std::vector<std::byte> bytes(size_bytes);
  bytes.resize(read_at(file, 0, bytes, path));
  convert::ImageVerdict verdict;
  {
    const BudgetShare pixels =
        budget_.draw(checker_.reencoding_bytes(bytes), "re-encoding a picture that is no JPEG");
    const LibraryRemarksSilenced silenced;  // the one line that is printed says it better
    verdict = checker_.check(bytes, path, {});
  }
  if (verdict.fate == FileFate::kKept) {
    return {{std::move(bytes), verdict.record}, std::move(share)};
  }
  if (verdict.fate == FileFate::kReencoded) {
    bytes = {};
    share.reset();
    share = budget_.draw(verdict.reencoded.size(), "a re-encoded picture");
    return {{std::move(verdict.reencoded), verdict.record}, std::move(share)};
  }
  if (verdict.fate == FileFate::kSkippedText) refuse(path, ReasonCode::kNotAPicture, "text");
  refuse(path, verdict.reason, verdict.detail);
}

void PictureFiles::refuse_undecodable(const std::string& path, const SampleFault& fault) const {
  refuse(path, convert::reason_of_jpeg_fault(fault), std::string(fault.detail()));
}

void PictureFiles::refuse(const std::string& path, ReasonCode reason,
                          const std::string& detail) const {
  const std::string message = "picture: " + path + ": " + complaint(reason, detail, max_px_);
  const std::string hint = "file " + shell_quoted(path);
  if (reason == ReasonCode::kNotAPicture) throw NoPicture(ErrorCode::kCorruptData, message, hint);
  throw Error(ErrorCode::kCorruptData, message, hint);
}

}  // namespace penstock::tools
