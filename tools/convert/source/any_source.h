// Finds out what a SOURCE is, and lists it: the one place that knows all kinds.
#pragma once

#include <filesystem>
#include <stop_token>

#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// What a user says of a source.
struct SourceRequest {
  std::filesystem::path path{};
  LayoutRequest layout{};
};

/// Throws NotFound or InvalidArgument for what is no source at all, at a glance.
void check_source(const SourceRequest& request);

/// Lists the pictures of whatever `request` names.
///
/// Errors  those of check_source() and of the source's own kind; Stopped
SourceScan scan_source(const SourceRequest& request, const std::stop_token& stop);

}  // namespace penstock::convert
