// Numbers of a line of figures, which has to stay JSON whatever came out.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>

namespace penstock::tests {

/// In 12 digits; `null` for infinity and for what is no number, which JSON has no words for.
inline std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof(text), "%.12g", value);
  return text;
}

}  // namespace penstock::tests
