// One #include line of a source file.
#pragma once

#include <optional>
#include <string>

namespace penstock::tests {

struct Include {
  std::string name;
  bool is_quoted = false;  // "name", not <name>
};

/// What `line` includes; empty for any other line. A macro stands for itself, quoted.
std::optional<Include> included_by(const std::string& line);

}  // namespace penstock::tests
