#include "tools/convert/source/left_out.h"

#include <array>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/convert/image/image_format.h"
#include "tools/convert/source/source_fault.h"

namespace penstock::convert {

void hand_over_left_out(FolderScan& files, SourceScan& scan) {
  scan.skipped = files.skipped;
  for (PassedOverFile& file : files.passed_over) {
    scan.passed_over.push_back(
        {.path = std::move(file.path), .reason = file.reason, .size_bytes = file.size_bytes});
  }
  files.passed_over.clear();
  for (const UnreadableFolder& folder : files.unreadable_folders) {
    scan.findings.push_back({.path = folder.path + "/",
                             .reason = ReasonCode::kUnreadable,
                             .size_bytes = 0,
                             .detail = folder.why});
  }
}

void leave_outside(SourceScan& scan, std::string path, std::uint64_t size_bytes) {
  ++scan.num_outside;
  scan.passed_over.push_back(
      {.path = std::move(path), .reason = ReasonCode::kOutsideClasses, .size_bytes = size_bytes});
}

bool may_be_picture(const std::filesystem::path& path) {
  std::array<std::byte, 512> start{};
  try {
    const UniqueFd file = open_for_reading(path);
    const std::size_t num_bytes = read_at(file, 0, start, path);
    const ImageFormat format = detect_format(std::span(start).first(num_bytes));
    return format != ImageFormat::kUnknown && format != ImageFormat::kText &&
           format != ImageFormat::kZip && format != ImageFormat::kPdf;
  } catch (const Error& error) {
    if (error.os_error() != 0 && !concerns_one_path(error.os_error())) throw;
    return true;
  }
}

void add_left_out(const FolderScan& others, FolderScan& files) {
  files.skipped.num_hidden += others.skipped.num_hidden;
  files.skipped.num_system += others.skipped.num_system;
  files.skipped.num_symlinks += others.skipped.num_symlinks;
  files.skipped.num_special += others.skipped.num_special;
  files.passed_over.insert(files.passed_over.end(), others.passed_over.begin(),
                           others.passed_over.end());
  files.unreadable_folders.insert(files.unreadable_folders.end(), others.unreadable_folders.begin(),
                                  others.unreadable_folders.end());
}

}  // namespace penstock::convert
