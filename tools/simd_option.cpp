#include "tools/simd_option.h"

#include <string>

#include "augment/simd_target.h"
#include "tools/command.h"

namespace penstock::tools {

void add_simd_option(CLI::App& command) {
  add_value(command,
            {"--simd", "NAME",
             "Vector unit of the augmentation, as `penstock info` names them; same bytes (auto)"},
            [](const std::string& text) { augment::force_simd_target(text); });
}

}  // namespace penstock::tools
