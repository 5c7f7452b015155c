// A disk that fills up, in two ways: files that may not grow further, and a file system without room.
// The error is clean, and with room the same command goes on.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fstream>
#include <iostream>

#include "streamer/core/error.h"
#include "tests/tools/convert/restart/killed_conversion.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using convert::ConvertPoint;

void limit_file_size(std::uint64_t max_bytes) {
  std::signal(SIGXFSZ, SIG_IGN);  // as the program does
  const rlimit limit{.rlim_cur = max_bytes, .rlim_max = RLIM_INFINITY};
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(1);
}

// In a mount namespace of the calling process, so that nobody else sees it.
bool mount_small_disk(const fs::path& folder) {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("none", folder.c_str(), "tmpfs", 0, "size=64m") == 0;
}

BOOST_FIXTURE_TEST_SUITE(full_disk, RestartPlace)

BOOST_AUTO_TEST_CASE(it_goes_on_after_every_limit_of_file_size) {
  int num_failed = 0;
  for (int step = 1; step <= 20; ++step) {
    // From 1 KiB to above the largest file, by half as much again.
    std::uint64_t max_bytes = 1024;
    for (int i = 1; i < step; ++i) max_bytes += max_bytes / 2;
    BOOST_TEST_CONTEXT("at most " << max_bytes << " bytes a file") {
      const ChildResult limited =
          convert_in_child(config, {.at_start = [&] { limit_file_size(max_bytes); }});
      if (!limited.is_done) {
        ++num_failed;
        BOOST_TEST(limited.error_code == static_cast<int>(ErrorCode::kIo));
        BOOST_TEST(limited.signal_number == 0);
        BOOST_TEST(!fs::exists(config.dataset));
        const ChildResult rest = convert_in_child(config);
        BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
        BOOST_TEST(rest.num_begun == num_shards - limited.num_journalled);
      }
      BOOST_CHECK(contents(config.dataset) == expected);
      BOOST_TEST(!fs::exists(partial()));
      fs::remove_all(config.dataset);
    }
  }
  BOOST_TEST(num_failed >= 15);
  BOOST_TEST(num_failed < 20);
}

// Only the superuser mounts.
BOOST_AUTO_TEST_CASE(it_goes_on_when_a_full_disk_has_room_again) {
  const fs::path disk = folder.path() / "disk";
  fs::create_directory(disk);
  config.dataset = disk / "ds";
  bool is_skipped = false;
  for (const std::uint64_t at_shard : {std::uint64_t{0}, std::uint64_t{2}, num_shards - 1}) {
    const fs::path copied = folder.path() / "copied";
    const ChildResult result = convert_in_child(
        config,
        {.at_start =
             [&] {
               if (!mount_small_disk(disk)) ::_exit(0);
               const ChildResult full = convert_in_child(
                   config, {.at_point = [&](ConvertPoint here, std::uint64_t num_before) {
                     if (here != ConvertPoint::kShardFilled || num_before != at_shard) return;
                     std::ofstream filler(disk / "filler", std::ios::binary);
                     const std::string block(1u << 16, 'x');
                     while (filler.write(block.data(), static_cast<std::streamsize>(block.size()))
                                .flush()) {
                     }
                   }});
               BOOST_TEST(full.error_code == static_cast<int>(ErrorCode::kIo));
               const std::string what = full.what;
               BOOST_TEST(what.find("No space left on device") != std::string::npos, what);
               if (full.num_journalled > 0) {
                 const std::string hint = full.hint;
                 BOOST_TEST(hint.find("the same command goes on from there") != std::string::npos,
                            hint);
               }
               fs::remove(disk / "filler");
             },
         .at_point =
             [&](ConvertPoint here, std::uint64_t) {
               if (here == ConvertPoint::kPublished) fs::copy(config.dataset, copied);
             }});
    if (!result.is_done && result.what.empty()) {
      is_skipped = true;
      break;
    }
    BOOST_REQUIRE_MESSAGE(result.is_done, result.what);
    BOOST_CHECK(contents(copied) == expected);
    fs::remove_all(copied);
  }
  if (is_skipped) std::cout << "SKIPPED: a file system of its own needs the right to mount\n";
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
