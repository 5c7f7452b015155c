// The folder that everything in an archive lies in.
#pragma once

#include "tools/convert/source/stored_files.h"

namespace penstock::convert {

/// Takes away a folder that everything lies in, as `tar -c photos` makes one: the names, of findings too,
/// then are those in the folder itself. One that is called as a split stays, and one that holds pictures
/// directly: it is a class.
void drop_enclosing_folder(StoredFiles& files);

}  // namespace penstock::convert
