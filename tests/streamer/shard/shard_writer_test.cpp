#include "streamer/shard/shard_writer.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "streamer/core/error.h"
#include "tests/allocation_ceiling.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::Bytes;
using tests::ShardMaker;

struct Fixture {
  tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "train-00000.h5";
};

bool is_invalid(const Error& error) {
  return error.code() == ErrorCode::kInvalidArgument;
}

BOOST_FIXTURE_TEST_SUITE(shard_writer, Fixture)

BOOST_AUTO_TEST_CASE(two_writers_give_the_same_bytes) {
  const ShardMaker maker{.num_samples = 100};
  const ManifestShard first = maker.write(path);
  ::sleep(1);  // HDF5's time stamps, were they stored, count in seconds
  const ManifestShard second = maker.write(folder.path() / "b.h5");
  BOOST_TEST(first.uuid == second.uuid);
  BOOST_TEST((tests::read_bytes(path) == tests::read_bytes(folder.path() / "b.h5")));
}

BOOST_AUTO_TEST_CASE(the_uuid_follows_contents_names_and_split) {
  const std::string base = ShardMaker{}.write(path).uuid;
  BOOST_TEST(base.size() == 32u);
  BOOST_TEST(ShardMaker{.num_samples = 4}.write(folder.path() / "b").uuid != base);
  BOOST_TEST(ShardMaker{.store_names = false}.write(folder.path() / "c").uuid != base);
  BOOST_TEST(ShardMaker{.split = "test"}.write(folder.path() / "d").uuid != base);
}

BOOST_AUTO_TEST_CASE(nothing_is_there_until_finish) {
  {
    ShardWriter writer(path, ShardMaker{}.config());
    BOOST_TEST(!std::filesystem::exists(path));
    BOOST_TEST(tests::count_entries(folder.path()) == 1u);  // the temporary file
  }
  BOOST_TEST(tests::count_entries(folder.path()) == 0u);
}

BOOST_AUTO_TEST_CASE(a_temporary_file_of_a_killed_process_is_replaced) {
  tests::write_bytes(path.native() + ".tmp", Bytes(100000, std::byte{0xAB}));
  ShardMaker{}.write(path);
  ShardMaker{}.write(folder.path() / "b.h5");
  BOOST_TEST((tests::read_bytes(path) == tests::read_bytes(folder.path() / "b.h5")));
  BOOST_TEST(tests::count_entries(folder.path()) == 2u);
}

BOOST_AUTO_TEST_CASE(an_existing_shard_is_not_overwritten) {
  ShardMaker{}.write(path);
  BOOST_CHECK_EXCEPTION(ShardMaker{}.write(path), Error, [](const Error& error) {
    return error.code() == ErrorCode::kAlreadyExists;
  });
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  const ShardWriterConfig good = ShardMaker{}.config();
  const auto expect = [](ShardWriterConfig config, const std::string& text) {
    BOOST_CHECK_EXCEPTION(config.validate(), Error, [&](const Error& error) {
      return is_invalid(error) && error.what() == text;
    });
  };
  ShardWriterConfig config = good;
  config.num_samples = 0;
  expect(config, "shard writer: num_samples: expected 1 to 1099511627776, found 0");
  config = good;
  config.payload_bytes = 2;
  expect(config, "shard writer: payload_bytes: expected 3 to 1152921504606846976, found 2");
  config = good;
  config.split = "";
  expect(config, "shard writer: split: length in bytes: expected 1 to 63, found 0");
  config = good;
  config.class_names = {};
  expect(config, "shard writer: class_names: count: expected 1 to 16777216, found 0");
  config = good;
  config.class_names = {"a", ""};
  expect(config, "shard writer: class_names: length in bytes: expected 1 to 4096, found 0");
  BOOST_CHECK_NO_THROW(good.validate());
}

// The index of 2^19 samples is 32 MiB: it grows as they come.
BOOST_AUTO_TEST_CASE(a_promise_of_many_samples_costs_no_memory_until_they_come) {
  const std::uint64_t many = 1u << 19;
  const tests::AllocationCeiling ceiling(16u << 20);
  ShardWriter writer(path, {.split = "train",
                            .class_names = {"circle", "ring"},
                            .num_samples = many,
                            .payload_bytes = many});
  BOOST_CHECK_EXCEPTION(writer.finish(), Error, is_invalid);
}

BOOST_AUTO_TEST_CASE(samples_that_break_the_promise_are_refused) {
  const Bytes three(3), ten(10);
  const IndexRecord record{.class_idx = 0, .width_px = 1, .height_px = 1, .codec = 1};
  ShardWriterConfig config = ShardMaker{.num_samples = 1}.config();
  const auto add = [&](const IndexRecord& with, std::span<const std::byte> bytes,
                       const std::string& name = "a") {
    ShardWriter(path, config).add({.encoded = bytes, .record = with, .name = name});
  };
  BOOST_CHECK_NO_THROW(add(record, three));
  BOOST_CHECK_EXCEPTION(add(record, {}), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(add(record, ten), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(add(record, three, std::string("a\0b", 3)), Error, is_invalid);
  IndexRecord other = record;
  other.class_idx = 2;
  BOOST_CHECK_EXCEPTION(add(other, three), Error, is_invalid);
  other = record;
  other.width_px = 0;
  BOOST_CHECK_EXCEPTION(add(other, three), Error, is_invalid);

  ShardWriter writer(path, config);
  BOOST_CHECK_EXCEPTION(writer.finish(), Error, is_invalid);
  writer.add({.encoded = three, .record = record, .name = "a"});
  BOOST_CHECK_EXCEPTION(writer.add({.encoded = three, .record = record, .name = "b"}), Error,
                        is_invalid);
}

// Without a free descriptor the folder cannot be opened to be flushed: the last step of finish().
BOOST_AUTO_TEST_CASE(a_shard_whose_name_may_not_last_is_taken_back) {
  const ShardMaker maker{.num_samples = 1};
  ShardWriter writer(path, maker.config());
  const Bytes encoded = tests::sample_bytes(0, 3);
  writer.add({.encoded = encoded,
              .record = {.class_idx = 0, .width_px = 1, .height_px = 1, .codec = 1},
              .name = "a"});
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  std::string what;
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  try {
    writer.finish();
  } catch (const Error& error) {
    what = error.what();
  }
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  BOOST_TEST(what.starts_with("open folder: " + folder.path().native() + ": "));
  BOOST_TEST(tests::count_entries(folder.path()) == 0u);
}

// Runs `work` in a child that may write files of at most `limit_bytes`, and returns its exit code.
template <class Work>
int run_with_file_limit(rlim_t limit_bytes, Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);  // writes then fail with EFBIG
    const rlimit limit{limit_bytes, limit_bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

BOOST_AUTO_TEST_CASE(a_full_disk_gives_a_typed_error_and_leaves_nothing) {
  const ShardMaker maker{.num_samples = 100};
  maker.write(path);
  const std::uint64_t whole = std::filesystem::file_size(path);
  std::filesystem::remove(path);
  const auto write = [&] {
    try {
      maker.write(path);
      return 0;
    } catch (const Error& error) {
      return error.code() == ErrorCode::kIo ? 10 : 11;
    }
  };
  for (std::uint64_t limit = 0; limit < whole; limit += 4096) {
    BOOST_TEST(run_with_file_limit(limit, write) == 10);
    BOOST_TEST(tests::count_entries(folder.path()) == 0u);
  }
  BOOST_TEST(run_with_file_limit(whole, write) == 0);
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
