// How a run is fitted to the machine: cores, memory, the budget shared by everything.
#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/temporary_folder.h"
#include "train/run/memory/memory_table.h"
#include "train/run/memory/system_memory.h"
#include "train/run/run_resolve.h"
#include "train/run/settings/core_split.h"

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(run_machine)

BOOST_AUTO_TEST_CASE(cores_are_split_by_a_fixed_rule) {
  BOOST_TEST((split_cores(1) == CoreSplit{1, 1, 1}));
  BOOST_TEST((split_cores(2) == CoreSplit{2, 1, 1}));
  BOOST_TEST((split_cores(16) == CoreSplit{16, 1, 3}));
  BOOST_TEST((split_cores(128) == CoreSplit{128, 4, 12}));
  BOOST_TEST((split_cores(2, {.threads = 1, .loader_threads = 5}) == CoreSplit{1, 1, 2}));
  BOOST_TEST((split_cores(8, {.loader_threads = 9}) == CoreSplit{8, 2, 7}));
  BOOST_TEST((split_cores(2, {.loader_threads = 256}) == CoreSplit{2, 64, 2}));
  BOOST_TEST((split_cores(2, {.loader_threads = 1}) == CoreSplit{2, 1, 1}));
  BOOST_TEST(split_cores(2).text() == "2 compute, 1 reader, 1 worker");
}

/// Files as the kernel shows them, in a folder that plays the root.
struct FakeRoot {
  tests::TemporaryFolder folder;
  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((folder.path() / path).parent_path());
    publish_file(folder.path() / path, text);
  }
};

BOOST_AUTO_TEST_CASE(the_smallest_limit_of_the_group_and_its_parents_counts) {
  FakeRoot root;
  root.put("proc/meminfo", "MemTotal:  9000000 kB\nMemAvailable:  1000000 kB\n");
  root.put("proc/self/cgroup", "0::/a/b\n");
  root.put("sys/fs/cgroup/a/memory.max", "104857600\n");
  root.put("sys/fs/cgroup/a/b/memory.max", "max\n");
  const SystemMemory memory = read_system_memory(root.folder.path());
  BOOST_TEST(memory.available_bytes == 1024000000u);
  BOOST_TEST(memory.cgroup_limit_bytes.value() == 104857600u);
  BOOST_TEST(memory.default_limit_bytes() == 80u << 20);  // 0.8 of 100 MiB
}

BOOST_AUTO_TEST_CASE(a_version_1_group_is_read_and_its_huge_number_is_no_limit) {
  FakeRoot root;
  root.put("proc/meminfo", "MemAvailable:  1000 kB\n");
  root.put("proc/self/cgroup", "5:cpu:/\n4:memory:/x\n");
  root.put("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "512000\n");
  root.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  const SystemMemory memory = read_system_memory(root.folder.path());
  BOOST_TEST(memory.cgroup_limit_bytes.value() == 512000u);
  BOOST_TEST(memory.usable_bytes() == 512000u);
}

BOOST_AUTO_TEST_CASE(without_a_group_the_machine_counts) {
  FakeRoot root;
  root.put("proc/meminfo", "MemAvailable:  5120 kB\n");
  const SystemMemory memory = read_system_memory(root.folder.path());
  BOOST_TEST(!memory.cgroup_limit_bytes.has_value());
  BOOST_TEST(memory.default_limit_bytes() == 4u << 20);
}

// The smaller of the two medians, down to a multiple of 32, within 32 and 224.
BOOST_AUTO_TEST_CASE(the_network_takes_the_smaller_median_side) {
  const auto side = [](std::uint32_t width_px, std::uint32_t height_px) {
    Manifest manifest;
    manifest.median_width_px = width_px;
    manifest.median_height_px = height_px;
    return default_image_side_px(manifest);
  };
  BOOST_TEST(side(500, 375) == 224u);
  BOOST_TEST(side(150, 130) == 128u);
  BOOST_TEST(side(95, 200) == 64u);
  BOOST_TEST(side(200, 64) == 64u);
  BOOST_TEST(side(63, 63) == 32u);
  BOOST_TEST(side(20, 300) == 32u);
  BOOST_TEST(side(0, 0) == 32u);
}

BOOST_AUTO_TEST_CASE(small_pictures_get_a_small_network) {
  BOOST_TEST(default_model(32, 32) == "small_cnn");
  BOOST_TEST(default_model(96, 96) == "small_cnn");
  BOOST_TEST(default_model(64, 128) == "resnet18");
  BOOST_TEST(default_model(128, 64) == "resnet18");
  BOOST_TEST(default_model(224, 224) == "resnet18");
}

// What is asked for stays, and decides on what is not.
BOOST_AUTO_TEST_CASE(pictures_choose_the_size_and_the_size_the_network) {
  const auto resolved = [](std::uint32_t median_px, const std::string& model,
                           std::uint32_t height_px, std::uint32_t width_px) {
    Manifest manifest;
    manifest.median_width_px = manifest.median_height_px = median_px;
    RunConfig config;
    config.model = model;
    config.image_height_px = height_px;
    config.image_width_px = width_px;
    const RunConfig run = resolve_run(config, manifest).config;
    return run.model + " at " + std::to_string(run.image_height_px) + "x" +
           std::to_string(run.image_width_px);
  };
  BOOST_TEST(resolved(100, "", 0, 0) == "small_cnn at 96x96");
  BOOST_TEST(resolved(130, "", 0, 0) == "resnet18 at 128x128");
  BOOST_TEST(resolved(2000, "", 0, 0) == "resnet18 at 224x224");
  BOOST_TEST(resolved(2000, "lenet", 0, 0) == "lenet at 224x224");
  BOOST_TEST(resolved(2000, "", 64, 96) == "small_cnn at 64x96");
  BOOST_TEST(resolved(40, "", 300, 96) == "resnet18 at 300x96");
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_with_what_was_taken_before) {
  MemoryTable table(10u << 20);
  table.draw(6u << 20, "network");
  BOOST_CHECK_EXCEPTION(table.draw(5u << 20, "loader"), Error, [](const Error& error) {
    return error.code() == ErrorCode::kOutOfMemory &&
           std::string(error.what()) ==
               "memory limit: loader: expected at most 4.0 MiB (what is left of 10.0 MiB), found "
               "5.0 MiB; needed for the loader, taken before: network 6.0 MiB";
  });
  const auto rows = table.rows();
  BOOST_REQUIRE(rows.size() == 3u);
  BOOST_TEST(rows[0].bytes == 6u << 20);
  BOOST_TEST(rows[1].what == "left");
  BOOST_TEST(rows[1].bytes == 4u << 20);
}

// The cache of the first takes all that is left, and what the second draws comes out of it.
BOOST_AUTO_TEST_CASE(what_caches_hold_is_a_row_of_its_own) {
  struct Cache final : ReclaimableMemory {
    std::uint64_t reclaim(std::uint64_t bytes) noexcept override {
      share.give_back(bytes);
      return bytes;
    }
    BudgetShare share;
  };
  MemoryTable table(10u << 20);
  const auto cache = std::make_shared<Cache>();
  const BudgetShare first = table.make("training loader", [&](MemoryBudget& budget) {
    BudgetShare share = budget.draw(6u << 20, "ring");
    cache->share = budget.draw_reclaimable(4u << 20, cache).value();
    return share;
  });
  const BudgetShare second = table.make(
      "validation loader", [](MemoryBudget& budget) { return budget.draw(3u << 20, "ring"); });
  const auto rows = table.rows();
  BOOST_REQUIRE(rows.size() == 5u);
  BOOST_TEST(rows[0].bytes == 6u << 20);
  BOOST_TEST(rows[1].bytes == 3u << 20);
  BOOST_TEST(rows[2].what == "samples kept");
  BOOST_TEST(rows[2].bytes == 1u << 20);
  BOOST_TEST(rows[3].bytes == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
