#include "tests/tools/convert/restart/killed_conversion.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <new>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/convert_report.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using convert::ConvertPoint;

// What the child tells, in memory that both processes see.
struct Shared {
  std::atomic<std::uint64_t> num_begun = 0;
  std::atomic<std::uint64_t> num_journalled = 0;
  bool is_done = false;
  int error_code = -1;
  char what[2048] = {};
  char hint[512] = {};
  char report[8192] = {};
};

class SharedMemory {
 public:
  SharedMemory() {
    void* const memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    shared_ = new (memory) Shared;
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() { ::munmap(shared_, sizeof(Shared)); }
  Shared* operator->() const { return shared_; }

 private:
  Shared* shared_ = nullptr;
};

class ChildObserver final : public convert::ConvertObserver {
 public:
  ChildObserver(const ChildHooks& hooks, const SharedMemory& shared)
      : hooks_(hooks), shared_(shared) {}

  void notice(const std::string&) override {}
  void progress(const convert::ConvertProgress& progress) override {
    if (hooks_.at_picture) hooks_.at_picture(progress.num_done);
    if (hooks_.stops_at && hooks_.stops_at(progress.num_done)) stop.request_stop();
  }
  void reached(ConvertPoint point) override {
    if (point == ConvertPoint::kShardBegun) ++shared_->num_begun;
    if (point == ConvertPoint::kShardJournalled) ++shared_->num_journalled;
    const std::uint64_t num_before = num_reached_[static_cast<std::size_t>(point)]++;
    if (hooks_.at_point) hooks_.at_point(point, num_before);
  }

  std::stop_source stop;

 private:
  const ChildHooks& hooks_;
  const SharedMemory& shared_;
  std::atomic<std::uint64_t> num_reached_[static_cast<std::size_t>(ConvertPoint::kPublished) + 1] =
      {};
};

void run_child(const convert::ConvertConfig& config, const ChildHooks& hooks,
               const SharedMemory& shared) {
  try {
    if (hooks.at_start) hooks.at_start();
    ChildObserver observer(hooks, shared);
    convert::ConvertSummary summary =
        convert::convert_folder(config, observer, observer.stop.get_token());
    // What may differ.
    summary.elapsed = {};
    summary.num_shards_kept = 0;
    std::strncpy(shared->report, convert::summary_json(summary).c_str(),
                 sizeof(Shared::report) - 1);
    shared->is_done = true;
  } catch (const Error& error) {
    shared->error_code = static_cast<int>(error.code());
    std::strncpy(shared->what, error.what(), sizeof(Shared::what) - 1);
    std::strncpy(shared->hint, error.hint().c_str(), sizeof(Shared::hint) - 1);
  } catch (const std::exception& error) {
    std::strncpy(shared->what, error.what(), sizeof(Shared::what) - 1);
  }
  ::_exit(0);
}

}  // namespace

// Comments (ITU T.81, B.2.4.5) hold what no decoder looks at.
std::vector<std::byte> padded_jpeg(std::uint32_t seed, std::size_t num_comments) {
  const std::vector<std::byte> plain = picture_jpeg({.seed = seed});
  std::vector<std::byte> jpeg(plain.begin(), plain.begin() + 2);
  constexpr std::size_t kLength = 60'000;
  for (std::size_t i = 0; i < num_comments; ++i) {
    jpeg.push_back(std::byte{0xFF});
    jpeg.push_back(std::byte{0xFE});
    jpeg.push_back(static_cast<std::byte>(kLength >> 8));
    jpeg.push_back(static_cast<std::byte>(kLength & 0xFF));
    for (std::size_t k = 2; k < kLength; ++k) {
      jpeg.push_back(static_cast<std::byte>((seed * 31 + k * 7 + i) % 251));
    }
  }
  jpeg.insert(jpeg.end(), plain.begin() + 2, plain.end());
  return jpeg;
}

void write_mixed_source(const fs::path& source) {
  for (std::uint32_t i = 0; i < 8; ++i) {
    const std::string name = std::to_string(i) + ".jpg";
    write_file(source / "cat" / name, std::span<const std::byte>(padded_jpeg(i, 8)));
    write_file(source / "dog" / name, std::span<const std::byte>(padded_jpeg(100 + i, 7)));
  }
  for (std::uint32_t i = 0; i < 12; ++i) {
    write_picture(source / "dog" / ("small" + std::to_string(i) + ".jpg"),
                  {.height_px = 20, .seed = i});
  }
  write_picture(source / "cat/progressive.jpg", {.jpeg = {.is_progressive = true}});
  // Netpbm, pgm(5): 4 x 4, gray.
  write_file(source / "cat/gray.pgm", std::string("P5 4 4 255\n") + "0123456789abcdef");
  write_file(source / "cat/empty.jpg", "");
  for (int i = 0; i < 2; ++i) {
    const std::vector<std::byte> whole = picture_jpeg({.seed = 77});
    write_file(source / "cat" / ("cut" + std::to_string(i) + ".jpg"),
               std::span(whole).first(whole.size() * 3 / 4));
  }
  write_file(source / "dog/n\xe4mlich.jpg", "no picture");
  write_file(source / "dog/notes.txt", "text");
}

fs::path quick_disk() {
  return fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
}

RestartPlace::RestartPlace() {
  config = {.source = folder.path() / "photos",
            .dataset = folder.path() / "whole",
            .split = {.validation_fraction = 0.25, .test_fraction = {}},
            .shard_size_bytes = 1u << 20,
            .num_jobs = 2,
            .several_scans = convert::SeveralScans::kRewritten,
            .near_duplicate_bits = 7};
  config.policies.set("truncated=fix");
  // The two that end too early have the same bytes: one of them goes.
  config.policies.set("duplicate_within_class=quarantine");
  config.policies.set("duplicate_across_splits=quarantine");
  write_mixed_source(config.source);
  num_files = 35;
  const ChildResult whole = convert_in_child(config);
  BOOST_REQUIRE_MESSAGE(whole.is_done, whole.what);
  expected = contents(config.dataset);
  num_shards = whole.num_begun;
  report = whole.report;
  BOOST_REQUIRE(num_shards >= 6u);
  // The manifest, quarantine.csv, fixed.csv, duplicates.csv.
  BOOST_REQUIRE(expected.size() == num_shards + 4);
  for (const char* reason : {",duplicate_within_class,", ",near_duplicate_across_splits,"}) {
    BOOST_REQUIRE(contains(expected.at("duplicates.csv"), reason));
  }
  config.dataset = folder.path() / "ds";
}

ChildResult convert_in_child(const convert::ConvertConfig& config, const ChildHooks& hooks,
                             std::uint64_t kill_after_us) {
  const SharedMemory shared;
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) run_child(config, hooks, shared);
  if (kill_after_us > 0) {
    ::usleep(static_cast<useconds_t>(kill_after_us));
    ::kill(child, SIGKILL);
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  return {.signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
          .is_done = shared->is_done,
          .error_code = shared->error_code,
          .what = shared->what,
          .hint = shared->hint,
          .report = shared->report,
          .num_begun = shared->num_begun,
          .num_journalled = shared->num_journalled};
}

void kill_self() {
  ::kill(::getpid(), SIGKILL);
  while (true) ::pause();
}

}  // namespace penstock::tests
