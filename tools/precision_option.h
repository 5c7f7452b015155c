// --precision TYPE, as `evaluate`, `predict` and `bench train` take it.
#pragma once

#include <optional>
#include <string>

#include "train/backend/compute_type.h"

namespace CLI {
class App;
}

namespace penstock::tools {

/// Another word is refused with InvalidArgument. `choice` outlives the parsing; `otherwise` is what the help
/// says of a line without the flag.
void add_precision_option(CLI::App& command, std::optional<train::ComputeType>& choice,
                          const std::string& otherwise);

}  // namespace penstock::tools
