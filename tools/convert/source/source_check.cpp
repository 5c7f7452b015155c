#include "tools/convert/source/source_check.h"

#include <fmt/core.h>

#include <filesystem>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "tools/convert/source/source_kind.h"
#include "tools/convert/source/unused_choices.h"
#include "tools/named_folder.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

[[noreturn]] void refuse(const std::string& message, std::string hint) {
  throw Error(ErrorCode::kInvalidArgument, message, std::move(hint));
}

void check_labels(const fs::path& labels) {
  if (!fs::exists(labels)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("labels: {}: expected a table of paths and labels, found nothing",
                            printable_path(labels)),
                "the path is relative to the working folder, not to SOURCE");
  }
  if (is_text(labels)) return;
  refuse(fmt::format("labels: {}: expected a table or a list of text, found a file of another kind",
                     printable_path(labels)),
         "--labels FILE: path,label on each line");
}

}  // namespace

void check_source(const SourceRequest& request) {
  const fs::path& source = request.path;
  if (source.empty() && !request.arrays.empty()) return;  // opening them says more
  const fs::file_status status = fs::status(source);
  if (!fs::exists(status)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("source: {}: expected a folder of pictures, found nothing",
                            printable_path(source)),
                "check the path: penstock convert SOURCE DATASET");
  }
  const bool is_folder = fs::is_directory(status);
  if (!is_folder && !fs::is_regular_file(status)) {
    refuse_source(source, "a special file");
  }
  if (!is_folder && !request.labels.empty()) {
    refuse(fmt::format("source: {}: expected a folder for the table {}, found a file",
                       printable_path(source), printable_path(request.labels)),
           "name the folder that the table's paths are relative to");
  }
  if (!request.labels.empty() && is_dataset(request)) {
    refuse(fmt::format("source: {}: expected a folder for the table {}, found a dataset",
                       printable_path(source), printable_path(request.labels)),
           "leave --labels out: the dataset has its own");
  }
  if (!request.labels.empty()) check_labels(request.labels);
  if (!is_folder) static_cast<void>(kind_of_file(source));
  if (request.layout.choice == LayoutChoice::kFlat && !is_table(request)) {
    refuse(fmt::format("layout: {}: expected a table of labels for a flat folder, found none",
                       printable_path(source)),
           "--labels FILE");
  }
}

void check_sources(std::span<const SourceRequest> requests) {
  for (const SourceRequest& request : requests) check_source(request);
  check_options_are_used(requests);
  for (const SourceRequest& one : requests) {
    for (const SourceRequest& other : requests) {
      if (&one == &other || !tools::lies_within(one.path, other.path)) continue;
      refuse(fmt::format("source: {}: expected a place outside of {}, found one inside",
                         printable_path(one.path), printable_path(other.path)),
             "name each picture's source once");
    }
  }
}

}  // namespace penstock::convert
