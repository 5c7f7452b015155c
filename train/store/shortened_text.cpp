#include "train/store/shortened_text.h"

namespace penstock::train {

std::string shortened(std::string_view text) {
  if (text.size() <= kMaxShownBytes) return std::string(text);
  std::size_t end = kMaxShownBytes;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // not inside a character of UTF-8
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace penstock::train
