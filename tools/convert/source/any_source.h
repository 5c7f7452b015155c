// Finds out what a SOURCE is, and lists it: the one place that knows all kinds.
#pragma once

#include <span>
#include <stop_token>

#include "tools/convert/source/combined_source.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/source_request.h"

namespace penstock::convert {

/// Lists the pictures of whatever `request` names.
///
/// Errors  those of check_source() (source_check.h) and of the source's own kind; Stopped
SourceScan scan_source(const SourceRequest& request, const std::stop_token& stop);
/// Lists the pictures of all, as combine_scans() says.
SourceScan scan_sources(std::span<const SourceRequest> requests, const std::stop_token& stop,
                        SourceNames names = SourceNames::kWhereSeveral);

}  // namespace penstock::convert
