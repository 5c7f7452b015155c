// Markers of a JPEG stream: the byte behind 0xFF.
// Source  ITU-T T.81, table B.1
#pragma once

#include <cstdint>

namespace penstock::jpeg {

enum Marker : std::uint32_t {
  kTem = 0x01,
  kSof0 = 0xC0,
  kSof1 = 0xC1,
  kDht = 0xC4,
  kJpg = 0xC8,
  kDac = 0xCC,
  kSof15 = 0xCF,
  kRst0 = 0xD0,
  kRst7 = 0xD7,
  kSoi = 0xD8,
  kEoi = 0xD9,
  kSos = 0xDA,
  kDqt = 0xDB,
  kDri = 0xDD,
  kApp0 = 0xE0,
  kApp1 = 0xE1,   // EXIF, XMP
  kApp2 = 0xE2,   // ICC profile
  kApp13 = 0xED,  // IPTC
  kApp14 = 0xEE,  // Adobe
  kApp15 = 0xEF,
  kCom = 0xFE,
};

}  // namespace penstock::jpeg
