#include "streamer/pipeline/loader_memory.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_memory)

BOOST_AUTO_TEST_CASE(what_is_left_and_what_is_needed_are_told_apart) {
  const MemoryBudget budget(1024);
  BOOST_CHECK_EXCEPTION(work_bytes({}, {.costliest_bytes = 1025}, budget), Error, [](const Error& error) {
    return std::string(error.what()) ==
           "memory limit: samples in flight: expected at least 1025 B (the costliest sample of "
           "the split), found 1024 B left of 1.0 KiB";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
