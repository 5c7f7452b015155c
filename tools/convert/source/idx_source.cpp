#include "tools/convert/source/idx_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "tools/convert/ascii_case.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/source/class_name_file.h"
#include "tools/convert/source/class_names.h"
#include "tools/convert/source/left_out.h"
#include "tools/convert/source/path_parts.h"
#include "tools/convert/source/raw_pictures.h"
#include "tools/convert/source/split_in_path.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

// Opening more files than this to see what they are would cost something.
constexpr std::size_t kMaxFiles = 64;

constexpr std::uint32_t kLabelsMagic = 0x801;    // unsigned bytes, one dimension
constexpr std::uint32_t kPicturesMagic = 0x803;  // three

std::uint32_t number_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<std::uint32_t>(bytes[at + i]);
  return value;
}

std::optional<IdxHeader> read_header(const StoredFiles& files, std::uint32_t file_idx) {
  std::array<std::byte, 16> first{};
  const std::size_t num_read = files.store->read_at(file_idx, 0, first);
  return parse_idx_header(std::span(first).first(num_read));
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.rfind(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

// MNIST's test files are called t10k.
std::optional<SplitKind> split_of(std::string_view path) {
  const std::string name = ascii_lower(last_name(path));
  if (name.starts_with("t10k")) return SplitKind::kTest;
  return split_in_path(name);
}

struct IdxFile {
  std::uint32_t file_idx = 0;
  std::uint64_t num_items = 0;  // that are there
  IdxHeader header{};
};

class IdxScan {
 public:
  IdxScan(StoredFiles files, const SourceRequest& request, const std::stop_token& stop)
      : files_(std::move(files)), request_(request), stop_(stop) {}

  SourceScan run() {
    find_files();
    pair_up();
    name_classes();
    for (const Pair& pair : pairs_) list(pair);
    report_labels_alone();
    if (scan_.pictures.empty() || scan_.class_names.empty()) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("source: {}: expected IDX pictures with labels beside them, found none",
                      files_.where),
          "name the folder that holds train-images-idx3-ubyte and train-labels-idx1-ubyte");
    }
    scan_.description = "IDX files";
    scan_.settings = {{"layout", "idx"}};
    hand_over_left_out(files_.scan, scan_);
    hand_over_faults();
    scan_.files = std::move(files_.read_files);
    scan_.source = raw_pictures(std::move(files_.store), std::move(records_));
    return std::move(scan_);
  }

 private:
  struct Pair {
    IdxFile pictures;
    std::vector<std::byte> labels;
    std::string failed_checksum;  // of one of both
  };

  bool keeps_unlabelled() const { return request_.unlabelled == UnlabelledRows::kKept; }

  const std::string& path(const IdxFile& file) const {
    return files_.scan.files[file.file_idx].path;
  }

  void find(const IdxFile& file, ReasonCode reason, std::string detail,
            std::uint64_t num_pictures = 1) {
    scan_.findings.push_back({.path = path(file),
                              .reason = reason,
                              .size_bytes = files_.scan.files[file.file_idx].size_bytes,
                              .detail = std::move(detail),
                              .num_pictures = num_pictures});
  }

  std::string failed_checksum(const IdxFile& file) const {
    return std::string(files_.store->failed_checksum(file.file_idx));
  }

  // Of a compressed file that ends early, rows tell which pictures are lost.
  void hand_over_faults() {
    for (QuarantineEntry& fault : files_.findings) {
      const bool is_told = std::ranges::any_of(scan_.findings, [&](const QuarantineEntry& row) {
        return row.path == fault.path || row.path + ".gz" == fault.path;
      });
      if (is_told && fault.reason == ReasonCode::kArchiveTruncated) fault.num_pictures = 0;
      scan_.findings.push_back(std::move(fault));
    }
  }

  void find_files() {
    for (std::uint32_t i = 0; i < files_.scan.files.size(); ++i) {
      IdxFile file{.file_idx = i};
      const std::optional<IdxHeader> header = read_header(files_, i);
      if (!header) {
        const bool claims_to_be = path(file).find("-idx") != std::string::npos;
        if (claims_to_be) find(file, ReasonCode::kArchiveDamaged, "no IDX file of bytes begins so");
        if (!claims_to_be) leave_outside(scan_, path(file), files_.scan.files[i].size_bytes);
        continue;
      }
      file.header = *header;
      const std::uint64_t size_bytes = files_.scan.files[i].size_bytes;
      const std::uint64_t data_bytes = size_bytes - std::min(size_bytes, header->header_bytes());
      file.num_items =
          std::min<std::uint64_t>(header->num_items, data_bytes / header->item_bytes());
      if (file.num_items < header->num_items) {
        // A picture that only lacks its label is told of by its name.
        find(file,
             failed_checksum(file).empty() ? ReasonCode::kArchiveTruncated
                                           : ReasonCode::kArchiveDamaged,
             fmt::format("{} of {} {}", file.num_items, header->num_items,
                         header->has_pictures ? "pictures" : "labels"),
             header->has_pictures ? header->num_items - file.num_items : 0);
      }
      (header->has_pictures ? pictures_ : labels_).push_back(file);
    }
  }

  void pair_up() {
    for (const IdxFile& pictures : pictures_) {
      const std::string wanted = labels_file_name(path(pictures));
      const auto labels =
          std::ranges::find_if(labels_, [&](const IdxFile& file) { return path(file) == wanted; });
      if (labels == labels_.end() && keeps_unlabelled()) {
        pairs_.push_back({pictures, {}, failed_checksum(pictures)});
        continue;
      }
      if (labels == labels_.end()) {
        find(pictures, ReasonCode::kRowWithoutLabel, fmt::format("no {} beside it", wanted),
             pictures.num_items);
        continue;
      }
      check_counts(pictures, *labels);
      std::string failed = failed_checksum(pictures);
      if (failed.empty()) failed = failed_checksum(*labels);
      pairs_.push_back({pictures, read_labels(*labels), std::move(failed)});
      report_missing_labels(pairs_.back());
      labels_.erase(labels);
    }
  }

  std::vector<std::byte> read_labels(const IdxFile& file) const {
    std::vector<std::byte> labels(file.num_items);
    labels.resize(files_.store->read_at(file.file_idx, file.header.header_bytes(), labels));
    return labels;
  }

  // As both say; a file that is cut short says how many there were.
  void check_counts(const IdxFile& pictures, const IdxFile& labels) const {
    if (pictures.header.num_items == labels.header.num_items) return;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("labels: {}: expected {} labels, one for each picture of {}, found {}",
                            tools::printable(path(labels)), pictures.header.num_items,
                            tools::printable(path(pictures)), labels.header.num_items),
                "which labels belong to which pictures cannot be told: check both files");
  }

  // Of a file of labels that is cut short.
  void report_missing_labels(const Pair& pair) {
    const std::uint64_t num_labels = pair.labels.size();
    if (keeps_unlabelled() || pair.pictures.num_items <= num_labels) return;
    const std::uint64_t num_missing = pair.pictures.num_items - num_labels;
    scan_.findings.push_back({.path = record_name(path(pair.pictures), num_labels),
                              .reason = ReasonCode::kRowWithoutLabel,
                              .size_bytes = num_missing * pair.pictures.header.item_bytes(),
                              .detail = and_behind(num_missing, ""),
                              .num_pictures = num_missing});
  }

  void report_labels_alone() {
    for (const IdxFile& file : labels_) {
      find(file, ReasonCode::kRowWithoutImage, "no pictures beside it", file.num_items);
    }
  }

  void name_classes() {
    if (!request_.class_names_file.empty()) {
      scan_.class_names = names_by_index(read_class_names(request_.class_names_file));
      return;
    }
    std::uint32_t num_classes = 0;
    for (const Pair& pair : pairs_) {
      for (const std::byte label : pair.labels) {
        num_classes = std::max(num_classes, static_cast<std::uint32_t>(label) + 1);
      }
    }
    scan_.class_names = numbered_class_names(num_classes);
  }

  void list(const Pair& pair) {
    const IdxHeader& header = pair.pictures.header;
    const std::optional<SplitKind> split = split_of(path(pair.pictures));
    const auto records_idx = static_cast<std::uint32_t>(records_.size());
    records_.push_back(
        {.file_idx = pair.pictures.file_idx,
         .first_bytes = header.header_bytes(),
         .stride_bytes = header.item_bytes(),
         .shape = {.height_px = header.height_px, .width_px = header.width_px, .channels = 1},
         .failed_checksum = pair.failed_checksum});
    const std::uint64_t num_pictures =
        keeps_unlabelled() ? pair.pictures.num_items
                           : std::min<std::uint64_t>(pair.pictures.num_items, pair.labels.size());
    for (std::uint64_t i = 0; i < num_pictures; ++i) {
      if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
      const std::string name = record_name(path(pair.pictures), i);
      const std::uint32_t label =
          i < pair.labels.size() ? static_cast<std::uint32_t>(pair.labels[i]) : kUnlabelled;
      if (label != kUnlabelled && label >= scan_.class_names.size()) {
        scan_.findings.push_back({.path = name,
                                  .reason = ReasonCode::kUnknownLabel,
                                  .size_bytes = header.item_bytes(),
                                  .detail = std::to_string(label)});
        continue;
      }
      scan_.pictures.add({.name = name,
                          .size_bytes = header.item_bytes(),
                          .place = raw_place(records_idx, static_cast<std::uint32_t>(i)),
                          .class_idx = label,
                          .split = split});
    }
  }

  StoredFiles files_;
  SourceRequest request_;
  std::stop_token stop_;
  std::vector<IdxFile> pictures_;
  std::vector<IdxFile> labels_;  // those without a pair, once pairs are made
  std::vector<Pair> pairs_;
  std::vector<RawRecords> records_;
  SourceScan scan_;
};

}  // namespace

std::string idx_fault(std::span<const std::byte> first_bytes) {
  if (first_bytes.size() < 16) return fmt::format("a header of {} bytes", first_bytes.size());
  const std::uint32_t magic = number_at(first_bytes, 0);
  if (magic != kPicturesMagic) {
    return fmt::format("0x{:08x} as its first number, not 0x{:08x}", magic, kPicturesMagic);
  }
  return fmt::format("pictures of {} x {} px", number_at(first_bytes, 12),
                     number_at(first_bytes, 8));
}

std::optional<IdxHeader> parse_idx_header(std::span<const std::byte> first_bytes) noexcept {
  if (first_bytes.size() < 8) return std::nullopt;
  if (number_at(first_bytes, 0) == kLabelsMagic)
    return IdxHeader{.num_items = number_at(first_bytes, 4)};
  if (number_at(first_bytes, 0) != kPicturesMagic || first_bytes.size() < 16) return std::nullopt;
  const IdxHeader header{.num_items = number_at(first_bytes, 4),
                         .height_px = number_at(first_bytes, 8),
                         .width_px = number_at(first_bytes, 12),
                         .has_pictures = true};
  // As large as any file that is looked at; more is no picture.
  if (header.item_bytes() == 0 || header.item_bytes() > kMaxFileBytes) return std::nullopt;
  return header;
}

std::string labels_file_name(const std::string& pictures) {
  return replaced(replaced(pictures, "images", "labels"), "idx3", "idx1");
}

bool is_idx(const StoredFiles& files) {
  if (files.scan.files.size() > kMaxFiles) return false;
  for (std::uint32_t i = 0; i < files.scan.files.size(); ++i) {
    const std::optional<IdxHeader> header = read_header(files, i);
    if (header && header->has_pictures) return true;
  }
  return false;
}

SourceScan scan_idx(StoredFiles files, const SourceRequest& request, const std::stop_token& stop) {
  return IdxScan(std::move(files), request, stop).run();
}

}  // namespace penstock::convert
