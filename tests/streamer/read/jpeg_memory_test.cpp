#include "streamer/read/jpeg_memory.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdio>

#include <jpeglib.h>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(jpeg_memory)

// jmemmgr.c of libjpeg-turbo 2.1.5 aligns to 32 bytes, and its SSE2 code loads rows as aligned.
BOOST_AUTO_TEST_CASE(memory_is_aligned_wherever_the_lent_bytes_begin) {
  alignas(64) std::array<std::byte, 8192> scratch;
  jpeg_decompress_struct cinfo{};
  jpeg_error_mgr error{};
  cinfo.err = jpeg_std_error(&error);
  jpeg_create_decompress(&cinfo);
  auto* const common = reinterpret_cast<j_common_ptr>(&cinfo);
  JpegMemory memory;
  memory.attach(cinfo);
  for (std::size_t offset = 0; offset < 64; ++offset) {
    memory.lend(std::span(scratch).subspan(offset));
    const void* small = cinfo.mem->alloc_small(common, JPOOL_IMAGE, 10);
    const JSAMPARRAY rows = cinfo.mem->alloc_sarray(common, JPOOL_IMAGE, 100, 3);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(small) % 64 == 0u);
    for (int y = 0; y < 3; ++y) BOOST_TEST(reinterpret_cast<std::uintptr_t>(rows[y]) % 64 == 0u);
    BOOST_TEST(memory.used_bytes() <= scratch.size() - offset);
  }
  memory.detach(cinfo);
  jpeg_destroy_decompress(&cinfo);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
