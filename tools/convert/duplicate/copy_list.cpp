#include "tools/convert/duplicate/copy_list.h"

#include <fmt/core.h>

#include <span>

#include "streamer/core/batch.h"
#include "streamer/core/csv_field.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kBlockBytes = 64u << 10;

std::string field(std::string_view text) {
  return csv_field(tools::printable(std::string(text)));
}

}  // namespace

std::string copy_row(const CopyFinding& finding, unsigned distance_bits,
                     const PictureList& pictures, const std::vector<std::string>& class_names) {
  const ListedPicture picture = pictures[finding.picture_idx];
  const ListedPicture other = pictures[finding.other_idx];
  const auto class_field = [&](std::uint32_t class_idx) {
    return class_idx == kUnlabelled ? std::string() : field(class_names[class_idx]);
  };
  return fmt::format("{},{},{},{},{},{},{},{},{},{}\n", field(picture.name),
                     reason_code_name(finding.reason), split_name(*picture.split),
                     class_field(picture.class_idx), picture.size_bytes, field(other.name),
                     split_name(*other.split), class_field(other.class_idx), distance_bits,
                     finding.is_dropped ? "quarantined" : "kept");
}

void CopyList::add(std::string_view row) {
  if (!file_) {
    std::filesystem::remove(path_);  // of a conversion that was cut short here
    file_ = create_new_file(path_);
    block_ = kDuplicatesHeader;
  }
  block_ += row;
  if (block_.size() >= kBlockBytes) write();
}

void CopyList::finish() {
  if (!file_) return;
  write();
  sync_file(file_, path_);
}

void CopyList::write() {
  write_at(file_, written_bytes_, std::as_bytes(std::span(block_)), path_);
  written_bytes_ += block_.size();
  block_.clear();
}

}  // namespace penstock::convert
