// Patterns of names, as shells have them: `*` stands for any characters, `?` for one.
#pragma once

#include <string_view>

namespace penstock::train {

/// Whether the whole of `name` follows `pattern`. A `*` crosses dots: "layer4.*" takes in
/// "layer4.0.conv1.weight".
bool matches_glob(std::string_view pattern, std::string_view name) noexcept;

}  // namespace penstock::train
