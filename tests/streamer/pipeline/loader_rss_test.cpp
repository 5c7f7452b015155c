// The memory law from outside: the peak RSS of a fresh process that streams a dataset of ten times
// the limit, less its RSS at the entry of main.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "streamer/shard/dataset_writer.h"
#include "tests/sanitizer.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

// The probe and a pipe each way. Its own pages only: /proc/PID/status counts the memory of this
// program image, where wait4's ru_maxrss would count what the parent had before exec.
class Probe {
 public:
  explicit Probe(const std::vector<std::string>& arguments) {
    std::array<int, 2> to{};
    std::array<int, 2> from{};
    BOOST_REQUIRE(::pipe(to.data()) == 0 && ::pipe(from.data()) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(to[0], STDIN_FILENO);
      ::dup2(from[1], STDOUT_FILENO);
      for (const int fd : {to[0], to[1], from[0], from[1]}) ::close(fd);
      std::vector<char*> argv{const_cast<char*>(PENSTOCK_RSS_PROBE)};
      for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
      argv.push_back(nullptr);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    to_ = to[1];
    from_ = ::fdopen(from[0], "r");
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() {
    ::close(to_);
    std::fclose(from_);
    ::waitpid(pid_, nullptr, 0);
  }

  std::string read_line() {
    std::array<char, 512> line{};
    return std::fgets(line.data(), line.size(), from_) == nullptr ? "" : line.data();
  }
  void go_on() const { BOOST_REQUIRE(::write(to_, "\n", 1) == 1); }

  // A field of /proc/PID/status, in bytes.
  std::uint64_t status_bytes(const std::string& field) const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(field + ":")) return std::stoull(line.substr(field.size() + 1)) * 1024;
    }
    BOOST_FAIL("no " << field);
    return 0;
  }

 private:
  pid_t pid_ = -1;
  int to_ = -1;
  std::FILE* from_ = nullptr;
};

struct ProbeReport {
  std::uint64_t peak_bytes = 0;  // above the entry of main
  std::uint64_t num_samples = 0;
  std::uint64_t num_bad = 0;
  std::uint64_t drawn_bytes = 0;
  std::uint64_t in_flight_limit_bytes = 0;
  std::uint64_t in_flight_bytes = 0;
  std::uint64_t cached_bytes = 0;
  std::uint64_t num_cache_hits = 0;
};

struct Setting {
  std::uint64_t limit_bytes = 0;
  std::uint32_t num_threads = 1;
  std::string transform = "resize";
  std::string cache = "none";
  std::uint32_t num_epochs = 1;
  std::uint32_t batch = 32;
  std::uint32_t side_px = 64;
};

ProbeReport stream(const std::filesystem::path& dataset, const Setting& setting) {
  const std::string num_threads = std::to_string(setting.num_threads);
  Probe probe({dataset.native(), std::to_string(setting.limit_bytes), num_threads, num_threads,
               std::to_string(setting.batch), std::to_string(setting.side_px), setting.transform,
               setting.cache, std::to_string(setting.num_epochs)});
  BOOST_REQUIRE(probe.read_line() == "entered\n");
  const std::uint64_t before = probe.status_bytes("VmRSS");
  probe.go_on();
  const std::string line = probe.read_line();
  BOOST_REQUIRE_MESSAGE(line.starts_with("done "), line);
  ProbeReport report{.peak_bytes = probe.status_bytes("VmHWM") - before};
  std::istringstream(line.substr(5)) >> report.num_samples >> report.num_bad >>
      report.drawn_bytes >> report.in_flight_limit_bytes >> report.in_flight_bytes >>
      report.cached_bytes >> report.num_cache_hits;
  probe.go_on();
  return report;
}

// Baseline and progressive, 4:2:0 and 4:4:4, gray, raw, of mixed sizes: a few different ones, again
// and again until they are `total_bytes` of stored data.
void write_large_dataset(const std::filesystem::path& folder, std::uint64_t total_bytes) {
  using fixtures::ChromaSubsampling;
  std::vector<tests::SmallSample> kinds;
  for (const std::uint32_t side_px : {200u, 333u, 640u}) {
    for (const bool is_progressive : {false, true}) {
      for (const auto subsampling : {ChromaSubsampling::k420, ChromaSubsampling::k444}) {
        kinds.push_back(tests::jpeg_sample(
            side_px, side_px * 3 / 4, kinds.size(),
            {.quality = 80, .subsampling = subsampling, .is_progressive = is_progressive}));
      }
    }
    // Cheap bytes: the dataset is large, the test is not to be long.
    for (int i = 0; i < 12; ++i) kinds.push_back(tests::raw_sample(side_px, side_px, kinds.size()));
  }
  DatasetWriter writer(folder, {.class_names = {"even", "odd"}});
  std::uint64_t bytes = 0;
  const auto add = [&](const tests::SmallSample& sample) {
    writer.add("train", {.encoded = sample.encoded, .record = sample.record});
    bytes += sample.encoded.size();
  };
  // Among them photographs of 100 million pixels.
  for (const auto subsampling : {ChromaSubsampling::k420, ChromaSubsampling::k444}) {
    add(tests::low_detail_jpeg_sample(10'000, 10'000, {.subsampling = subsampling}));
  }
  for (std::size_t i = 0; bytes < total_bytes; ++i) add(kinds[i % kinds.size()]);
  writer.finish();
}

BOOST_AUTO_TEST_SUITE(loader_rss)

BOOST_AUTO_TEST_CASE(a_process_stays_within_the_limit_whatever_the_threads) {
  if (tests::kHasSanitizer) {
    std::cout << "SKIPPED: a sanitizer's memory counts as the process's\n";
    return;
  }
  constexpr std::uint64_t kMiB = 1u << 20;
  const tests::TemporaryFolder folder;
  write_large_dataset(folder.path() / "d", 10 * 64 * kMiB);
  const Setting settings[] = {{.limit_bytes = 24 * kMiB, .num_threads = 4},
                              {.limit_bytes = 64 * kMiB, .num_threads = 1},
                              {.limit_bytes = 64 * kMiB, .num_threads = 4, .transform = "augment"}};
  for (const Setting& setting : settings) {
    const std::uint64_t limit_bytes = setting.limit_bytes;
    const ProbeReport report = stream(folder.path() / "d", setting);
    BOOST_TEST_CONTEXT(setting.num_threads << " readers and workers, " << setting.transform
                                           << ", limit " << limit_bytes) {
      BOOST_TEST_MESSAGE("peak " << report.peak_bytes << " of " << limit_bytes << ", drawn "
                                 << report.drawn_bytes << ", in flight " << report.in_flight_bytes
                                 << " of " << report.in_flight_limit_bytes);
      BOOST_TEST(report.num_samples > 0u);
      BOOST_TEST(report.num_bad == 0u);
      BOOST_TEST(report.drawn_bytes <= limit_bytes);
      BOOST_TEST(report.peak_bytes <= limit_bytes);
      // The engine did use what it was given.
      BOOST_TEST(report.in_flight_bytes > report.in_flight_limit_bytes / 2);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_process_with_a_full_cache_stays_within_the_limit) {
  if (tests::kHasSanitizer) {
    std::cout << "SKIPPED: a sanitizer's memory counts as the process's\n";
    return;
  }
  const std::uint64_t limit_bytes = 64u << 20;
  const tests::TemporaryFolder folder;
  write_large_dataset(folder.path() / "d", 2 * limit_bytes);
  for (const char* cache : {"encoded", "decoded"}) {
    const ProbeReport report =
        stream(folder.path() / "d",
               {.limit_bytes = limit_bytes, .num_threads = 1, .cache = cache, .num_epochs = 2});
    BOOST_TEST_CONTEXT(cache) {
      BOOST_TEST_MESSAGE("peak " << report.peak_bytes << " of " << limit_bytes << ", drawn "
                                 << report.drawn_bytes << ", cached " << report.cached_bytes);
      BOOST_TEST(report.num_bad == 0u);
      BOOST_TEST(report.num_cache_hits > 0u);
      BOOST_TEST(report.drawn_bytes <= limit_bytes);
      BOOST_TEST(report.peak_bytes <= limit_bytes);
      // It was full, and part of what was measured.
      BOOST_TEST(report.drawn_bytes > limit_bytes * 99 / 100);
      BOOST_TEST(report.cached_bytes > limit_bytes / 4);
      BOOST_TEST(report.peak_bytes > report.cached_bytes);
    }
  }
}

// 12 GB on the disk and minutes, so by name only:
//   test_loader_memory --run_test=loader_rss/the_law_holds_at_256_mib_and_at_1_gib
BOOST_AUTO_TEST_CASE(the_law_holds_at_256_mib_and_at_1_gib, *boost::unit_test::disabled()) {
  if (tests::kHasSanitizer) {
    std::cout << "SKIPPED: a sanitizer's memory counts as the process's\n";
    return;
  }
  for (const std::uint64_t limit_bytes : {std::uint64_t{256} << 20, std::uint64_t{1} << 30}) {
    const tests::TemporaryFolder folder;
    write_large_dataset(folder.path() / "d", 10 * limit_bytes);
    for (const char* cache : {"none", "encoded", "decoded"}) {
      const ProbeReport report = stream(folder.path() / "d", {.limit_bytes = limit_bytes,
                                                              .num_threads = 4,
                                                              .transform = "augment",
                                                              .cache = cache,
                                                              .batch = 64,
                                                              .side_px = 224});
      BOOST_TEST_CONTEXT(cache) {
        std::cout << "limit " << limit_bytes << ", cache " << cache << ": peak "
                  << report.peak_bytes << ", drawn " << report.drawn_bytes << ", "
                  << report.num_samples << " samples\n";
        BOOST_TEST(report.num_bad == 0u);
        BOOST_TEST(report.drawn_bytes <= limit_bytes);
        BOOST_TEST(report.peak_bytes <= limit_bytes);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
