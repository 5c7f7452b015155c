// Options of sources that would do nothing: each is a mistake, and is refused. It may stand where one of
// several sources heeds it.
#pragma once

#include <span>
#include <vector>

#include "tools/convert/source/combined_source.h"
#include "tools/convert/source/source_request.h"

namespace penstock::convert {

/// Layouts and columns, as far as what the sources are tells. Of several requests the first one's options
/// count: all have the same.
///
/// Errors  InvalidArgument; those of kind_of_file()
void check_options_are_used(std::span<const SourceRequest> requests);

/// What chooses of a source of one kind: of a dataset, of arrays. Throws as check_options_are_used() does.
void check_choices_are_used(std::span<const SourceRequest> requests);

/// What only the scans tell: layouts, columns, CIFAR's label. Throws InvalidArgument.
void check_scans_use(const SourceRequest& first, const std::vector<NamedScan>& scans);

}  // namespace penstock::convert
