// Finds out what a SOURCE is, and lists it: the one place that knows all kinds.
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>

#include "tools/convert/source/combined_source.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/source_request.h"

namespace penstock::convert {

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
SourceScan scan_sources(std::span<const SourceRequest> requests, const std::stop_token& stop,
                        SourceNames names = SourceNames::kWhereSeveral);

}  // namespace penstock::convert
