// Finds out what a SOURCE is, and lists it: the one place that knows all kinds.
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>

#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/row_match.h"
#include "tools/convert/table/table_columns.h"

namespace penstock::convert {

/// What a user says of a source.
struct SourceRequest {
  std::filesystem::path path{};    // a folder, or a table or list of files beside it
  LayoutRequest layout{};          // of a folder without a table
  std::filesystem::path labels{};  // a table of the pictures in the folder `path`; empty: none
  TableRequest table{};
  UnlabelledRows unlabelled = UnlabelledRows::kQuarantined;
};

/// Throws NotFound or InvalidArgument for what is no source at all, at a glance.
void check_source(const SourceRequest& request);
/// The same of several, which must lie apart from each other.
void check_sources(std::span<const SourceRequest> requests);

/// Whether `inner` is `outer` or lies in it, links followed.
bool lies_within(const std::filesystem::path& inner, const std::filesystem::path& outer);

/// Lists the pictures of whatever `request` names.
///
/// Errors  those of check_source() and of the source's own kind; Stopped
SourceScan scan_source(const SourceRequest& request, const std::stop_token& stop);
/// Lists the pictures of all, as combine_scans() says.
SourceScan scan_sources(std::span<const SourceRequest> requests, const std::stop_token& stop);

}  // namespace penstock::convert
