// WebDataset: rows in tar archives. The members of a row have one path up to the first dot of the last
// name ("000/0017.jpg", "000/0017.cls"); what follows the dot says what each is.
#pragma once

#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/source_request.h"
#include "tools/convert/source/stored_files.h"

namespace penstock::convert {

/// Whether the members are rows: a picture has a .cls beside it, or every picture has a .json.
bool is_webdataset(const FolderScan& scan);

/// Lists the rows. A row's label is its .cls, else "label", "class" or "cls" of its .json: an index or
/// a name. Where every label is an index, classes are numbered (named by `class_names_file`, if one is
/// given); else labels are names, sorted by bytes. A row of several pictures gives its first, by
/// extension; the others count as outside. Rows without a label or without a picture are findings, of
/// the latter each picture of another name ("0.left.jpg" in row "0"). A split is taken from the archives'
/// names (split_in_path), else drawn.
///
/// Errors  InvalidArgument: no row is whole, a fraction beside a split that names give; Io; those of
///         read_class_names()
/// Source  WebDataset, "The WebDataset Format" (github.com/webdataset/webdataset), and
///         webdataset/tariterators.py, base_plus_ext()
SourceScan scan_webdataset(StoredFiles files, const SourceRequest& request);

}  // namespace penstock::convert
