#include "tools/convert/source/array_source.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/source/array_classes.h"
#include "tools/convert/source/opened_pairs.h"
#include "tools/convert/source/raw_pictures.h"

namespace penstock::convert {
namespace {

// Names of pictures begin with that of their array, which is one of a kind.
std::string different_name(const std::string& name, std::set<std::string>& taken) {
  std::string different = name;
  for (int i = 2; !taken.insert(different).second; ++i) different = fmt::format("{}-{}", name, i);
  return different;
}

class ArrayScan {
 public:
  ArrayScan(const SourceRequest& request, const std::stop_token& stop)
      : request_(request), stop_(stop) {}

  SourceScan run() {
    arrays_ = open_pairs(request_, stop_);
    scan_.findings = std::move(arrays_.findings);
    classes_ = find_array_classes(arrays_, request_.class_names_file, stop_);
    for (const OpenedPair& pair : arrays_.pairs) list(pair);
    if (scan_.pictures.empty()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("source: {}: expected a picture with a label, found none",
                              arrays_.images(arrays_.pairs[0]).where),
                  "look at the labels: are they those of these pictures?");
    }
    scan_.description = "arrays";
    scan_.settings = {{"layout", "arrays"}};
    if (arrays_.has_four_sides()) scan_.settings["channels"] = channels_text();
    scan_.class_names = std::move(classes_.names);
    scan_.files = arrays_.store->take_files();
    scan_.names_are_numbers = true;
    scan_.source = raw_pictures(std::move(arrays_.store), std::move(records_));
    return std::move(scan_);
  }

 private:
  std::string channels_text() const {
    std::set<std::string> orders;
    for (const OpenedPair& pair : arrays_.pairs) {
      if (arrays_.images(pair).form.shape.size() != 4) continue;
      orders.insert(pair.axes.order == PixelOrder::kPlanar ? "first" : "last");
    }
    return fmt::format("{}", fmt::join(orders, ", "));
  }

  bool keeps_unlabelled() const { return request_.unlabelled == UnlabelledRows::kKept; }

  void list(const OpenedPair& pair) {
    const OpenArray& pixels = arrays_.images(pair);
    const std::uint64_t size_bytes = pixels.form.row_bytes();
    const auto records_idx = static_cast<std::uint32_t>(records_.size());
    const OpenArray& named = arrays_.labels(pair);
    report_array(pixels, Role::kPixels);
    report_array(named, Role::kLabels);
    records_.push_back({.file_idx = pair.images_idx,
                        .first_bytes = 0,
                        .stride_bytes = size_bytes,
                        .shape = pair.axes.shape,
                        .order = pair.axes.order,
                        .failed_checksum = pixels.failed_checksum.empty()
                                               ? named.failed_checksum
                                               : pixels.failed_checksum});
    const std::string name = different_name(pixels.name, taken_names_);
    const auto add = [&](std::uint64_t row, std::uint32_t class_idx) {
      scan_.pictures.add({.name = record_name(name, row),
                          .size_bytes = size_bytes,
                          .place = raw_place(records_idx, static_cast<std::uint32_t>(row)),
                          .class_idx = class_idx,
                          .split = pair.split});
    };
    const auto find = [&](std::uint64_t row, ReasonCode reason, std::string detail,
                          std::uint64_t num_rows = 1) {
      scan_.findings.push_back({.path = record_name(name, row),
                                .reason = reason,
                                .size_bytes = num_rows * size_bytes,
                                .detail = std::move(detail),
                                .num_pictures = num_rows});
    };
    const std::vector<LostRows> lost = rows_lost(pixels, named);
    for (const LostRows& rows : lost) {
      find(rows.first_row, ReasonCode::kArchiveDamaged, and_behind(rows.num_rows, rows.why),
           rows.num_rows);
    }
    auto next_lost = lost.begin();
    const auto take = [&](std::uint64_t row, const LabelValue& label) {
      if (row >= pixels.num_whole_rows) return;  // a finding of the array says so
      while (next_lost != lost.end() && next_lost->first_row + next_lost->num_rows <= row) {
        ++next_lost;
      }
      if (next_lost != lost.end() && next_lost->first_row <= row) return;
      const auto found = classes_.class_of(label);
      if (const auto* const class_idx = std::get_if<std::uint32_t>(&found)) {
        return add(row, *class_idx);
      }
      const LabelFault& fault = std::get<LabelFault>(found);
      if (fault.reason == ReasonCode::kRowWithoutLabel && keeps_unlabelled()) {
        return add(row, kUnlabelled);
      }
      find(row, fault.reason, fault.detail);
    };
    read_labels(*arrays_.store, pair.labels_idx, stop_, take);
    const std::uint64_t num_labels = named.num_whole_rows;
    if (keeps_unlabelled()) {
      for (std::uint64_t row = num_labels; row < pixels.num_whole_rows; ++row)
        add(row, kUnlabelled);
    } else if (num_labels < pixels.num_whole_rows) {
      const std::uint64_t num_rows = pixels.num_whole_rows - num_labels;
      find(num_labels, ReasonCode::kRowWithoutLabel, and_behind(num_rows, ""), num_rows);
    }
  }

  enum class Role : std::uint8_t { kPixels, kLabels };

  // What is wrong with an array as a whole. Rows that lack a label alone are told of by their names.
  void report_array(const OpenArray& array, Role role) {
    const auto find = [&](ReasonCode reason, std::string detail, std::uint64_t num_rows) {
      scan_.findings.push_back({.path = array.where,
                                .reason = reason,
                                .size_bytes = array.form.num_rows() * array.form.row_bytes(),
                                .detail = std::move(detail),
                                .num_pictures = num_rows});
    };
    if (!array.failed_checksum.empty()) {
      find(ReasonCode::kArchiveDamaged, array.failed_checksum, 0);
    }
    if (!array.cut) return;
    const std::uint64_t num_rows = array.form.num_rows();
    find(array.cut->reason,
         fmt::format("{} of {} rows{}{}", array.num_whole_rows, num_rows,
                     array.cut->detail.empty() ? "" : ": ", array.cut->detail),
         role == Role::kPixels ? num_rows - array.num_whole_rows : 0);
  }

  // Among rows that both arrays have, those that one of them has lost.
  static std::vector<LostRows> rows_lost(const OpenArray& pixels, const OpenArray& labels) {
    std::vector<LostRows> all = pixels.lost_rows;
    all.insert(all.end(), labels.lost_rows.begin(), labels.lost_rows.end());
    std::ranges::sort(all, {}, &LostRows::first_row);
    const std::uint64_t end_row = std::min(pixels.num_whole_rows, labels.num_whole_rows);
    std::vector<LostRows> apart;
    std::uint64_t begin = 0;  // behind those taken
    for (LostRows& rows : all) {
      const std::uint64_t end = std::min(rows.first_row + rows.num_rows, end_row);
      begin = std::max(begin, rows.first_row);
      if (begin >= end) continue;
      apart.push_back({.first_row = begin, .num_rows = end - begin, .why = std::move(rows.why)});
      begin = end;
    }
    return apart;
  }

  const SourceRequest& request_;
  const std::stop_token& stop_;
  OpenedPairs arrays_;
  ArrayClasses classes_;
  std::set<std::string> taken_names_;
  std::vector<RawRecords> records_;
  SourceScan scan_;
};

}  // namespace

SourceScan scan_arrays(const SourceRequest& request, const std::stop_token& stop) {
  return ArrayScan(request, stop).run();
}

}  // namespace penstock::convert
