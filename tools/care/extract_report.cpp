#include "tools/care/extract_report.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <nlohmann/json.hpp>
#include <span>

#include "streamer/core/memory_budget.h"
#include "tools/care/check_report.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

using Json = nlohmann::ordered_json;
using tools::format_counted;
using tools::printable;

// A text names as many as fit a line.
std::span<const std::string> first_of(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 10;
  return std::span(names).first(std::min(names.size(), kMost));
}

}  // namespace

std::string extract_text(const ExtractSummary& summary, const std::string& folder) {
  std::string text;
  for (const Damage& damage : summary.damage) text += "left out: " + damage_text(damage) + "\n";
  for (const RenamedSample& renamed : summary.renamed) {
    text += fmt::format("renamed: {}: written as {}\n", printable(renamed.name),
                        printable(renamed.file));
  }
  text += fmt::format("{}: {}, {}, {}", printable(folder),
                      format_counted(summary.num_files, "file", "files"),
                      format_bytes(summary.written_bytes), tools::format_duration(summary.elapsed));
  const auto add = [&](std::uint64_t count, const char* what) {
    if (count > 0) text += fmt::format("\n  {} {}", format_counted(count, "file", "files"), what);
  };
  add(summary.num_raw_as_png, "of raw pixels, as PNG");
  add(summary.num_other_format,
      "in another format than the name says: re-encoded by conversion, or called so in the source");
  add(summary.num_orientation_told, "with an EXIF orientation that only the dataset's index said");
  add(summary.num_unnamed, "numbered: the dataset keeps no names");
  if (!summary.empty_classes.empty()) {
    text += fmt::format(
        "\n  {} without a file ({}), {}",
        format_counted(summary.empty_classes.size(), "class", "classes"),
        printable(fmt::format("{}", fmt::join(first_of(summary.empty_classes), ", "))),
        summary.has_empty_folders ? "kept as empty folders" : "which no folder or row keeps");
  }
  if (summary.has_labels_file) text += "\n  labels.csv says the classes, which the paths do not";
  return text;
}

std::string extract_json(const ExtractSummary& summary, const std::string& folder) {
  Json renamed = Json::array();
  for (const RenamedSample& one : summary.renamed) {
    renamed.push_back({{"name", printable(one.name)}, {"file", printable(one.file)}});
  }
  const Json json{{"folder", folder},
                  {"num_files", summary.num_files},
                  {"written_bytes", summary.written_bytes},
                  {"num_raw_as_png", summary.num_raw_as_png},
                  {"num_other_format", summary.num_other_format},
                  {"num_orientation_told", summary.num_orientation_told},
                  {"num_unnamed", summary.num_unnamed},
                  {"has_labels_file", summary.has_labels_file},
                  {"empty_classes", summary.empty_classes},
                  {"has_empty_folders", summary.has_empty_folders},
                  {"renamed", renamed},
                  {"num_lost", summary.num_lost},
                  {"left_out", Json::parse(damage_json(summary.damage))},
                  {"elapsed_s", summary.elapsed.count()}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace penstock::care
