#include "tools/convert/write/convert_memory.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

struct Fixture {
  explicit Fixture(std::uint32_t num_pictures = 100) {
    for (std::uint32_t i = 0; i < num_pictures; ++i) {
      const std::string name = "class/picture_" + std::to_string(i) + ".jpg";
      scan.pictures.add({.name = name, .size_bytes = 1000, .split = SplitKind::kTrain});
    }
    scan.class_names = {"class"};
    shards = plan_shards(scan.pictures, 0, 256 * kMiB);
  }
  ConvertMemory plan(std::uint64_t limit_bytes, unsigned num_jobs) const {
    return plan_memory(limit_bytes, num_jobs, scan, shards);
  }

  SourceScan scan;
  std::vector<ShardPlan> shards;
};

BOOST_AUTO_TEST_SUITE(convert_memory)

BOOST_AUTO_TEST_CASE(the_parts_add_up_to_the_limit) {
  const ConvertMemory memory = Fixture().plan(300 * kMiB, 4);
  BOOST_TEST(memory.list_bytes + memory.shard_bytes + memory.fixed_bytes + memory.worker_bytes +
                 memory.pool_bytes ==
             300 * kMiB);
  BOOST_TEST(memory.num_jobs == 4u);
}

// Else the same files would be quarantined with one number of jobs and kept with another.
BOOST_AUTO_TEST_CASE(what_one_picture_may_take_does_not_depend_on_the_jobs) {
  const Fixture fixture;
  for (const unsigned num_jobs : {1u, 2u, 16u, 1000u}) {
    const ConvertMemory memory = fixture.plan(256 * kMiB, num_jobs);
    BOOST_TEST(memory.one_picture_bytes == 128 * kMiB);
    BOOST_TEST(memory.pool_bytes >= memory.one_picture_bytes);
    BOOST_TEST(memory.num_jobs <= num_jobs);
  }
  BOOST_TEST(fixture.plan(256 * kMiB, 1000).num_jobs < 1000u);
}

BOOST_AUTO_TEST_CASE(what_is_held_beside_the_list_counts_as_the_list) {
  Fixture fixture;
  const std::uint64_t before = fixture.plan(256 * kMiB, 1).list_bytes;
  fixture.scan.held_bytes = 10 * kMiB;
  BOOST_TEST(fixture.plan(256 * kMiB, 1).list_bytes == before + 10 * kMiB);
}

BOOST_AUTO_TEST_CASE(a_list_too_long_for_the_limit_is_refused_with_the_sum) {
  const Fixture fixture(400'000);
  BOOST_CHECK_EXCEPTION(fixture.plan(100 * kMiB, 2), Error, [&](const Error& error) {
    BOOST_TEST(std::string(error.what()).starts_with("memory: limit: expected at least "));
    BOOST_TEST(std::string(error.what()).find("a list of 400000 pictures") != std::string::npos);
    // What the hint says suffices.
    const std::string hint = error.hint();
    BOOST_TEST(hint.starts_with("--memory "));
    BOOST_CHECK_NO_THROW(fixture.plan(std::stoull(hint.substr(9)) * kMiB, 2));
    return error.code() == ErrorCode::kOutOfMemory;
  });
}

// Else a user would be told two numbers, one after the other.
BOOST_AUTO_TEST_CASE(the_least_that_a_conversion_takes_suffices_for_a_small_source) {
  BOOST_CHECK_NO_THROW(Fixture(60).plan(kLeastMemoryBytes, 8));
  BOOST_CHECK_NO_THROW(Fixture(1000).plan(kLeastMemoryBytes, 8));
  // And it is not far above that.
  BOOST_CHECK_THROW(Fixture(60).plan(kLeastMemoryBytes - 2 * kMiB, 8), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
