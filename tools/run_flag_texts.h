// What the help of `penstock train` says of each key of a run file that has a flag, by headings. A key without
// a text has no flag; a test finds it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::tools {

struct RunFlagText {
  std::string_view key;  // "augment.cval"
  const char* type;      // "VALUE"
  std::string description;
  const char* example;  // a value that is right, as it is typed
};

struct RunFlagGroup {
  const char* heading;
  std::vector<RunFlagText> texts;
};

/// In the order of the help.
std::span<const RunFlagGroup> run_flag_groups();

}  // namespace penstock::tools
