// What is odd about the names of pictures: each alone, and beside the others.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tools/convert/reason/reason_set.h"
#include "tools/convert/source/picture_list.h"

namespace penstock::convert {

/// Reasons of one path, relative, '/' between names.
ReasonSet reasons_of_name(std::string_view path);

/// The names of one list, with twins found.
class NameReasons {
 public:
  /// Cost  a look at every name; 16 bytes a picture while it looks
  explicit NameReasons(const PictureList& pictures);

  ReasonSet of(std::uint32_t picture_idx, std::string_view path) const;

 private:
  std::vector<std::uint32_t> twins_;  // sorted
};

}  // namespace penstock::convert
