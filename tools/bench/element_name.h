// How results call the elements of a batch.
#pragma once

#include <string_view>

#include "streamer/core/batch.h"

namespace penstock::tools::bench {

inline std::string_view element_name(ElementType element) {
  switch (element) {
    case ElementType::kUint8:
      return "uint8";
    case ElementType::kFloat16:
      return "float16";
    case ElementType::kBfloat16:
      return "bfloat16";
    case ElementType::kFloat32:
      return "float32";
  }
  return "float32";
}

}  // namespace penstock::tools::bench
