#include "streamer/read/reader_pool.h"

#include <boost/test/unit_test.hpp>
#include <future>
#include <stdexcept>

#include "streamer/read/work_arena.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(reader_pool)

BOOST_AUTO_TEST_CASE(what_the_receiver_of_a_run_throws_is_handed_over) {
  MemoryBudget budget(1 << 20);
  const WorkArena arena(4096, budget);
  std::promise<std::exception_ptr> error;
  ReaderPool pool(
      1, arena,
      {.on_decoded = [](const SampleRun&) { throw std::runtime_error("no room for it"); },
       .on_error = [&](std::exception_ptr thrown) { error.set_value(std::move(thrown)); }});
  pool.push({.batch_seq = 3});  // a run without samples reads nothing
  BOOST_CHECK_EXCEPTION(
      std::rethrow_exception(error.get_future().get()), std::runtime_error,
      [](const std::runtime_error& e) { return std::string(e.what()) == "no room for it"; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
