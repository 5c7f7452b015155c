// Whether a SOURCE can be one, at a glance.
#pragma once

#include <span>

#include "tools/convert/source/source_request.h"

namespace penstock::convert {

/// Throws NotFound or InvalidArgument for what is no source at all, at a glance.
void check_source(const SourceRequest& request);
/// The same of several, which must lie apart from each other and heed the options between them.
void check_sources(std::span<const SourceRequest> requests);

}  // namespace penstock::convert
