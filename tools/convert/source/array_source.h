// Arrays of pixels beside arrays of labels: .npy, .npz, HDF5 datasets.
#pragma once

#include <stop_token>

#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/source_request.h"

namespace penstock::convert {

/// Lists the pictures of `request.arrays`, or of the pairs that the file `request.path` holds, as
/// "x_train/00017". Classes are "0", "1", ... up to the largest label (one-hot: as many as columns),
/// texts by rising bytes, or as `class_names_file` names the numbers. Of several pairs, the names of the
/// arrays tell the splits. Findings: archive_truncated and archive_damaged (rows that are missing, those
/// of a damaged chunk, a checksum that differs), row_without_label, unknown_label.
///
/// Errors  InvalidArgument: pixels that are no uint8, no usual names, another number of labels than of
///         pictures, numbers beside texts, a fraction for a split that is given, no picture with a label;
///         those of ArrayStore::open(), label_form_of(), picture_axes_of() and read_class_names()
SourceScan scan_arrays(const SourceRequest& request, const std::stop_token& stop);

}  // namespace penstock::convert
