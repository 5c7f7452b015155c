#include "tools/convert/source/unused_choices.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "tools/convert/source/source_kind.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

[[noreturn]] void refuse(const std::string& message, std::string hint) {
  throw Error(ErrorCode::kInvalidArgument, message, std::move(hint));
}

// What its classes come from, each source says.
void check_layout_is_used(const SourceRequest& request, const std::vector<NamedScan>& scans) {
  const auto has_folders = [](const NamedScan& one) {
    const auto layout = one.scan.settings.find("layout");
    return layout != one.scan.settings.end() &&
           (layout->second == "class_folders" || layout->second == "split_folders");
  };
  if (!request.layout.asks_for_folders() || std::ranges::any_of(scans, has_folders)) return;
  refuse(fmt::format("layout: {}: expected classes from folders, found a source of labels",
                     where_of(request)),
         "leave --layout and --class-depth out");
}

// A text whose first line does not name the columns is read as a list, which has none.
void check_columns_are_used(const SourceRequest& request, const std::vector<NamedScan>& scans) {
  const auto has_columns = [](const NamedScan& one) {
    const auto layout = one.scan.settings.find("layout");
    return layout != one.scan.settings.end() && layout->second == "table";
  };
  if (!request.table.names_columns() || std::ranges::any_of(scans, has_columns)) return;
  refuse(fmt::format("table: {}: expected a table to read columns of, found a list",
                     tools::printable_path(request.labels.empty() ? request.path : request.labels)),
         "name the columns in the first line of the table");
}

// Known from the scan alone: whose label it is, the source says in its settings.
void check_label_is_used(const SourceRequest& request, const std::vector<NamedScan>& scans) {
  const auto has_choice = [](const NamedScan& one) { return one.scan.settings.contains("label"); };
  if (!request.label || std::ranges::any_of(scans, has_choice)) return;
  refuse(fmt::format("--label: {}: expected CIFAR-100, which has two labels, found a source with "
                     "one",
                     where_of(request)),
         "leave --label out");
}

}  // namespace

void check_options_are_used(std::span<const SourceRequest> requests) {
  const SourceRequest& first = requests.front();
  const std::string where = where_of(first);
  if (first.layout.asks_for_folders() && std::ranges::all_of(requests, is_table)) {
    refuse(fmt::format("layout: {}: expected classes from folders, found a table of them", where),
           "leave --layout and --class-depth out");
  }
  const TableRequest& table = first.table;
  if (table.names_columns() && std::ranges::none_of(requests, is_table)) {
    refuse(fmt::format(
               "table: {}: expected a table to read columns of, found {}", where,
               std::filesystem::is_directory(first.path) ? "a folder" : "an archive or a batch"),
           "--labels FILE names the table");
  }
}

void check_choices_are_used(std::span<const SourceRequest> requests) {
  const SourceRequest& first = requests.front();
  const bool chooses =
      !first.classes.empty() || first.fraction || first.dataset_splits != DatasetSplits::kKept;
  if (chooses && std::ranges::none_of(requests, is_dataset)) {
    refuse(fmt::format("--classes, --fraction, --split-anew: {}: expected a dataset, found another "
                       "source",
                       where_of(first)),
           "convert it first, then choose from the dataset");
  }
  if (first.channel_axis != ChannelAxis::kBySize && std::ranges::none_of(requests, is_arrays)) {
    refuse(
        fmt::format("--channels-first, --channels-last: {}: expected arrays, found another source",
                    where_of(first)),
        "leave it out");
  }
}

void check_scans_use(const SourceRequest& first, const std::vector<NamedScan>& scans) {
  check_layout_is_used(first, scans);
  check_label_is_used(first, scans);
  check_columns_are_used(first, scans);
}

}  // namespace penstock::convert
