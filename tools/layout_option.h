// --layout, as `convert` and `add` take it.
#pragma once

#include "tools/convert/source/dataset_layout.h"

namespace CLI {
class App;
}

namespace penstock::tools {

/// Another word is refused with InvalidArgument. `choice` outlives the parsing.
void add_layout_option(CLI::App& command, convert::LayoutChoice& choice);

}  // namespace penstock::tools
