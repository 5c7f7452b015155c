#include "tools/convert/source/cifar_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tools/convert/source/cifar_names.h"
#include "tools/convert/source/class_name_file.h"
#include "tools/convert/source/class_names.h"
#include "tools/convert/source/left_out.h"
#include "tools/convert/source/path_parts.h"
#include "tools/convert/source/raw_pictures.h"

namespace penstock::convert {
namespace {

constexpr std::uint64_t kPixelBytes = 3 * 32 * 32;

constexpr std::uint64_t num_label_bytes(CifarKind kind) noexcept {
  return kind == CifarKind::kCifar10 ? 1 : 2;
}

constexpr std::uint64_t record_bytes(CifarKind kind) noexcept {
  return num_label_bytes(kind) + kPixelBytes;
}

struct BatchName {
  CifarKind kind = CifarKind::kCifar10;
  SplitKind split = SplitKind::kTrain;
};

std::optional<BatchName> batch_name(std::string_view path) {
  const std::string_view name = last_name(path);
  if (name == "test_batch.bin") return BatchName{CifarKind::kCifar10, SplitKind::kTest};
  if (name == "train.bin") return BatchName{CifarKind::kCifar100, SplitKind::kTrain};
  if (name == "test.bin") return BatchName{CifarKind::kCifar100, SplitKind::kTest};
  if (name.starts_with("data_batch_") && name.ends_with(".bin")) {
    return BatchName{CifarKind::kCifar10, SplitKind::kTrain};
  }
  return std::nullopt;
}

bool is_list_of_names(std::string_view name) {
  return name == "batches.meta.txt" || name == "fine_label_names.txt" ||
         name == "coarse_label_names.txt";
}

bool is_text_beside(std::string_view path) {
  return path.ends_with(".txt") || path.ends_with(".html");
}

// The list of names beside the batches, line by line; nothing where there is none.
std::vector<std::string> names_beside(const StoredFiles& files, std::string_view list_name) {
  constexpr std::uint64_t kMaxListBytes = 1u << 20;
  for (std::uint32_t i = 0; i < files.scan.files.size(); ++i) {
    if (last_name(files.scan.files[i].path) != list_name) continue;
    const std::optional<std::string> text = read_small_file(files, i, kMaxListBytes);
    return text ? lines_of(*text) : std::vector<std::string>();
  }
  return {};
}

template <std::size_t kSize>
std::vector<std::string> as_strings(const std::array<std::string_view, kSize>& names) {
  return {names.begin(), names.end()};
}

std::vector<std::string> published_names(CifarKind kind, CifarLabel label) {
  if (kind == CifarKind::kCifar10) return as_strings(kCifar10Names);
  return label == CifarLabel::kFine ? as_strings(kCifar100FineNames)
                                    : as_strings(kCifar100CoarseNames);
}

std::vector<std::string> class_names(const StoredFiles& files, CifarKind kind,
                                     const SourceRequest& request) {
  if (!request.class_names_file.empty()) {
    return names_by_index(read_class_names(request.class_names_file));
  }
  const CifarLabel label = request.label.value_or(CifarLabel::kFine);
  std::vector<std::string> published = published_names(kind, label);
  const char* list_name = "batches.meta.txt";
  if (kind == CifarKind::kCifar100) {
    list_name = label == CifarLabel::kFine ? "fine_label_names.txt" : "coarse_label_names.txt";
  }
  std::vector<std::string> beside = names_beside(files, list_name);
  return beside.size() == published.size() && are_class_names(beside) ? beside : published;
}

class CifarScan {
 public:
  CifarScan(StoredFiles files, CifarKind kind, const SourceRequest& request,
            const std::stop_token& stop)
      : files_(std::move(files)),
        kind_(kind),
        label_at_(kind == CifarKind::kCifar100 &&
                          request.label.value_or(CifarLabel::kFine) == CifarLabel::kFine
                      ? 1
                      : 0),
        stop_(stop) {
    scan_.class_names = class_names(files_, kind, request);
  }

  SourceScan run() {
    for (std::uint32_t i = 0; i < files_.scan.files.size(); ++i) {
      const std::optional<BatchName> batch = batch_name(files_.scan.files[i].path);
      if (batch) add_batch(i, batch->split);
      if (!batch) leave(files_.scan.files[i]);
    }
    if (scan_.pictures.empty()) refuse_no_labels();
    scan_.description = kind_ == CifarKind::kCifar10 ? "CIFAR-10 batches" : "CIFAR-100 batches";
    scan_.settings = {{"layout", kind_ == CifarKind::kCifar10 ? "cifar_10" : "cifar_100"}};
    if (kind_ == CifarKind::kCifar100) {
      scan_.settings.emplace("label", label_at_ == 1 ? "fine" : "coarse");
    }
    hand_over_left_out(files_.scan, scan_);
    std::ranges::move(files_.findings, std::back_inserter(scan_.findings));
    scan_.files = std::move(files_.read_files);
    scan_.source = raw_pictures(std::move(files_.store), std::move(batches_));
    return std::move(scan_);
  }

 private:
  void leave(const ScannedFile& file) {
    if (!is_list_of_names(last_name(file.path))) leave_outside(scan_, file.path, file.size_bytes);
  }

  void add_batch(std::uint32_t file_idx, SplitKind split) {
    const ScannedFile& file = files_.scan.files[file_idx];
    const auto batch_idx = static_cast<std::uint32_t>(batches_.size());
    batches_.push_back({.file_idx = file_idx,
                        .first_bytes = num_label_bytes(kind_),
                        .stride_bytes = record_bytes(kind_),
                        .shape = {.height_px = 32, .width_px = 32, .channels = 3},
                        .order = PixelOrder::kPlanar,
                        .failed_checksum = std::string(files_.store->failed_checksum(file_idx))});
    constexpr std::uint64_t kRecordsAtOnce = 256;
    std::vector<std::byte> block(kRecordsAtOnce * record_bytes(kind_));
    const std::uint64_t num_records = file.size_bytes / record_bytes(kind_);
    for (std::uint64_t first = 0; first < num_records; first += kRecordsAtOnce) {
      if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
      const std::size_t num_read =
          files_.store->read_at(file_idx, first * record_bytes(kind_), block);
      for (std::uint64_t i = 0; (i + 1) * record_bytes(kind_) <= num_read; ++i) {
        const auto label = static_cast<std::uint32_t>(block[i * record_bytes(kind_) + label_at_]);
        add_record(file, raw_place(batch_idx, static_cast<std::uint32_t>(first + i)), label, split);
      }
    }
    report_rest(file);
  }

  void add_record(const ScannedFile& file, std::uint64_t place, std::uint32_t label,
                  SplitKind split) {
    const std::string name =
        record_name(std::string(last_name(file.path)), static_cast<std::uint32_t>(place));
    if (label >= scan_.class_names.size()) {
      scan_.findings.push_back({.path = name,
                                .reason = ReasonCode::kUnknownLabel,
                                .size_bytes = kPixelBytes,
                                .detail = std::to_string(label)});
      return;
    }
    scan_.pictures.add({.name = name,
                        .size_bytes = kPixelBytes,
                        .place = place,
                        .class_idx = label,
                        .split = split});
  }

  void report_rest(const ScannedFile& file) {
    const std::uint64_t rest_bytes = file.size_bytes % record_bytes(kind_);
    if (rest_bytes == 0 && file.size_bytes > 0) {
      scan_.whole_archives.push_back(file.path);
      return;
    }
    scan_.findings.push_back({.path = file.path,
                              .reason = ReasonCode::kArchiveTruncated,
                              .size_bytes = file.size_bytes,
                              .detail = file.size_bytes == 0
                                            ? std::string("it is empty")
                                            : fmt::format("its last record has {} of {} bytes",
                                                          rest_bytes, record_bytes(kind_))});
  }

  [[noreturn]] void refuse_no_labels() const {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("source: {}: expected records with a label below {}, found none",
                            files_.where, scan_.class_names.size()),
                "are they CIFAR batches of the binary version?");
  }

  StoredFiles files_;
  CifarKind kind_;
  std::size_t label_at_;  // in a record: CIFAR-100 has the coarse one first
  std::stop_token stop_;
  std::vector<RawRecords> batches_;
  SourceScan scan_;
};

}  // namespace

std::optional<CifarKind> find_cifar(const FolderScan& scan) {
  std::optional<CifarKind> kind;
  std::optional<std::string_view> folder;
  bool has_record = false;
  bool has_whole_batch = false;
  for (const ScannedFile& file : scan.files) {
    const std::optional<BatchName> batch = batch_name(file.path);
    if (!batch) continue;
    const std::string_view parent = folder_of(file.path);
    if ((kind && *kind != batch->kind) || (folder && *folder != parent)) return std::nullopt;
    kind = batch->kind;
    folder = parent;
    has_record = has_record || file.size_bytes >= record_bytes(*kind);
    has_whole_batch =
        has_whole_batch || (file.size_bytes > 0 && file.size_bytes % record_bytes(*kind) == 0);
  }
  if (!has_record) return std::nullopt;
  // Names alone make no batches of what lies in a class folder, or beside a million pictures.
  std::size_t num_others = 0;
  for (const ScannedFile& file : scan.files) {
    if (batch_name(file.path) || is_text_beside(file.path)) continue;
    const bool is_beside_or_above = folder->starts_with(folder_of(file.path));
    if (!has_whole_batch || !is_beside_or_above || ++num_others > kMaxOthersBeside)
      return std::nullopt;
  }
  return kind;
}

SourceScan scan_cifar(StoredFiles files, CifarKind kind, const SourceRequest& request,
                      const std::stop_token& stop) {
  return CifarScan(std::move(files), kind, request, stop).run();
}

}  // namespace penstock::convert
