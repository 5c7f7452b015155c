#include "streamer/read/reader_pool.h"

#include <boost/test/unit_test.hpp>
#include <future>
#include <optional>
#include <stdexcept>

#include "streamer/read/work_arena.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(reader_pool)

BOOST_AUTO_TEST_CASE(what_the_receiver_of_a_run_throws_is_handed_over) {
  MemoryBudget budget(1 << 20);
  const WorkArena arena(4096, budget);
  std::promise<std::exception_ptr> error;
  std::optional<ReaderPool> pool;
  pool.emplace(
      1, arena,
      ReaderPool::Callbacks{
          .on_read = [](const SampleRun&) { throw std::runtime_error("no room for it"); },
          .on_error = [&](std::exception_ptr thrown) { error.set_value(std::move(thrown)); }});
  pool->push({.batch_seq = 3});  // a run without samples reads nothing
  const std::exception_ptr thrown = error.get_future().get();
  // Its thread lets go of the error by libstdc++'s counter, which ThreadSanitizer does not see.
  pool.reset();
  BOOST_CHECK_EXCEPTION(
      std::rethrow_exception(thrown), std::runtime_error,
      [](const std::runtime_error& e) { return std::string(e.what()) == "no room for it"; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
