#include "streamer/core/host_memory.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(host_memory)

// The flags of the mapping around an address, as /proc/self/smaps lists them (proc(5)).
std::string mapping_flags(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool is_inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-') {
      is_inside = begin <= wanted && wanted < end;
    }
    if (is_inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return {};
}

bool has_huge_pages() {
  return std::filesystem::exists("/sys/kernel/mm/transparent_hugepage/enabled");
}

BOOST_AUTO_TEST_CASE(large_buffers_ask_for_huge_pages_and_small_ones_do_not,
                     *boost::unit_test::precondition([](boost::unit_test::test_unit_id) {
                       return boost::test_tools::assertion_result(has_huge_pages());
                     })) {
  const HostBuffer large(page_aligned_memory(), 8u << 20);
  const HostBuffer small(page_aligned_memory(), 64u << 10);
  BOOST_TEST(mapping_flags(large.data()).find(" hg ") != std::string::npos);
  const std::string flags = mapping_flags(small.data());
  BOOST_TEST(!flags.empty());
  BOOST_TEST(flags.find(" hg ") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_was_discarded_is_not_put_together_again) {
  const HostBuffer buffer(page_aligned_memory(), 8u << 20);
  discard_pages(buffer.bytes().subspan(4u << 20));
  BOOST_TEST(mapping_flags(buffer.data() + (6u << 20)).find(" hg ") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
