// gzip, decompressed by zlib itself: libarchive (3.6) does not compare gzip's checksum, and of bare
// pixels nothing else would tell that a bit has turned.
#pragma once

#include <memory>

#include "tools/convert/source/byte_stream.h"

namespace penstock::convert {

/// Decompresses all gzip members of `file`, one after another. What follows the last one and is no
/// gzip member is passed over, as gzip does.
///
/// Source  zlib.h 1.2.13, inflateInit2 (windowBits + 16); RFC 1952 section 2.2
std::unique_ptr<ByteStream> open_gzip_stream(std::unique_ptr<ByteStream> file);

}  // namespace penstock::convert
