#include "tools/augment_text.h"

#include "train/graph/toml_table.h"
#include "train/run/settings/run_keys.h"

namespace penstock::tools {

std::string augment_text(const train::RunConfig& config) {
  train::RunConfig none;
  none.augment = {};
  std::string text;
  for (const train::RunKey& key : train::run_keys()) {
    if (key.table() != "augment") continue;
    const auto value = key.write(config);
    if (!value) continue;
    const std::string written = train::format_toml(*value);
    if (written == train::format_toml(*key.write(none))) continue;
    if (!text.empty()) text += ", ";
    text.append(key.name_in_table()).append(" ").append(written);
  }
  return text.empty() ? "none" : text;
}

}  // namespace penstock::tools
