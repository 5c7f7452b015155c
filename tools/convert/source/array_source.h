// Arrays of pixels beside arrays of labels: .npy, .npz, HDF5 datasets.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "tools/convert/source/array_form.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/raw_pictures.h"
#include "tools/convert/source/source_request.h"

namespace penstock::convert {

/// How the pictures of an array lie in it.
struct PictureAxes {
  RawShape shape{};
  PixelOrder order = PixelOrder::kInterleaved;
};

/// Tells height, width and channels from [n, h, w], [n, h, w, 1 or 3] and [n, 1 or 3, h, w]; with
/// kBySize, the axis of 1 or 3 is that of the channels. `where` names the array in messages.
///
/// Errors  InvalidArgument: other shapes, sides of 0 or above 65,535, both axes of 1 or 3, an axis asked
///         for that is neither
PictureAxes picture_axes_of(const ArrayForm& form, ChannelAxis channel_axis,
                            const std::string& where);

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
