// Repair of a folder whose files changed names, were copied, or were left by a repair that was killed.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/shard/shard_file.h"
#include "tests/contains.h"
#include "tests/tools/care/cared_dataset.h"
#include "tests/tools/care/killed_call.h"
#include "tools/care/repair_job.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using Files = std::map<std::string, std::string>;
using tests::files_below;
using tests::FileSystemKind;
using tests::is_killed_at_call;

RepairSummary repair(const fs::path& dataset, OldFiles old_files = OldFiles::kKept,
                     RepairMode mode = RepairMode::kRepair) {
  return repair_dataset({.dataset = dataset, .mode = mode, .old_files = old_files},
                        tests::no_progress, {});
}

// Every shard is flushed many times over.
fs::path quick_disk() {
  return fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
}

struct DatasetFolder {
  void swap(const char* a, const char* b) const {
    fs::rename(path / a, path / "x");
    fs::rename(path / b, path / a);
    fs::rename(path / "x", path / b);
  }
  bool is_whole() const {
    return check_dataset({.dataset = path, .num_jobs = 2}, tests::no_progress, {}).is_whole();
  }
  void write(const Files& files) const {
    fs::remove_all(path);
    for (const auto& [name, bytes] : files) tests::write_file(path / name, bytes);
  }
  std::uint64_t num_samples(const char* shard) const {
    return ShardFile::open(path / shard).num_samples();
  }
  void convert(const convert::SplitRequest& split) {
    tests::SilentObserver observer;
    convert::ConvertConfig config{.source = folder.path() / "photos", .dataset = path};
    config.num_jobs = 1;
    config.shard_size_bytes = 1u << 20;
    config.split = split;
    convert::convert_folder(config, observer, {});
    before = files_below(path);
  }

  tests::TemporaryFolder folder{quick_disk()};
  fs::path path = folder.path() / "photos.ds";
  Files before;
};

// Three shards for training and one for validation: what lies behind a picture's end is kept, so that few fill one.
struct Fixture : DatasetFolder {
  explicit Fixture(std::uint32_t first_seed = 0) {
    for (std::uint32_t i = 0; i < 20; ++i) {
      std::vector<std::byte> bytes = tests::picture_jpeg({.seed = first_seed + i});
      bytes.resize(200'000 + i);
      tests::write_file(
          folder.path() / "photos" / (i % 2 == 0 ? "cat" : "dog") / (std::to_string(i) + ".jpg"),
          std::span<const std::byte>(bytes));
    }
    convert({.validation_fraction = 0.2, .test_fraction = {}, .seed = 0});
    BOOST_REQUIRE(before.contains("train-00002.h5"));
    BOOST_REQUIRE(before.contains("validation-00000.h5"));
  }
};

// One small shard of each split.
struct SmallDataset : DatasetFolder {
  SmallDataset() {
    tests::write_cats_and_dogs(folder.path() / "photos", 12);
    convert({.validation_fraction = 0.3, .test_fraction = 0.3, .seed = 0});
    BOOST_REQUIRE(before.size() == 4u);
  }
};

BOOST_FIXTURE_TEST_SUITE(repair_names, Fixture)

BOOST_AUTO_TEST_CASE(
    shards_that_were_swapped_get_their_names_back_and_no_sample_changes_its_split) {
  for (const char* other : {"validation-00000.h5", "train-00000.h5"}) {
    swap("train-00001.h5", other);
    BOOST_TEST(!is_whole());
    const Files swapped = files_below(path);
    const RepairSummary dry = repair(path, OldFiles::kKept, RepairMode::kDryRun);
    BOOST_TEST(!dry.is_whole());
    BOOST_TEST((files_below(path) == swapped));
    const RepairSummary summary = repair(path);
    BOOST_TEST(summary.renamed.size() == 2u);
    BOOST_TEST(summary.shards.empty());
    BOOST_TEST(summary.num_samples == 20u);
    BOOST_TEST((files_below(path) == before));
  }
}

// Three in a ring, one of them known by its HDF5 metadata alone.
BOOST_AUTO_TEST_CASE(a_ring_of_names_is_undone_where_a_header_is_gone_too) {
  swap("train-00000.h5", "train-00001.h5");
  swap("train-00001.h5", "validation-00000.h5");
  fixtures::flip_byte(path / "train-00001.h5", 100);
  const RepairSummary summary = repair(path, OldFiles::kRemoved);
  BOOST_TEST(summary.renamed.size() == 3u);
  BOOST_TEST(summary.num_dropped() == 0u);
  BOOST_TEST((files_below(path) == before));
}

BOOST_AUTO_TEST_CASE(a_shard_under_another_name_is_taken_back) {
  fs::rename(path / "train-00001.h5", path / "other.h5");
  const RepairSummary summary = repair(path);
  BOOST_REQUIRE(summary.renamed.size() == 1u);
  BOOST_TEST(summary.renamed[0].from == "other.h5");
  BOOST_TEST((files_below(path) == before));

  // Its place is taken by what is no shard.
  fs::rename(path / "train-00001.h5", path / "other.h5");
  tests::write_file(path / "train-00001.h5", "no shard");
  repair(path);
  Files expected = before;
  expected["train-00001.h5.damaged"] = "no shard";
  BOOST_TEST((files_below(path) == expected));
}

BOOST_AUTO_TEST_CASE(a_shard_of_another_split_that_nobody_names_is_refused) {
  const Fixture other(500);
  tests::write_file(path / "train-00001.h5", other.before.at("validation-00000.h5"));
  const Files mixed = files_below(path);
  BOOST_CHECK_EXCEPTION(repair(path), Error, [](const Error& error) {
    BOOST_TEST(tests::contains(error.what(),
                               "expected a shard of split \"train\" (dataset.json), found one of "
                               "\"validation\""));
    return error.code() == ErrorCode::kCorruptData && !error.hint().empty();
  });
  BOOST_TEST((files_below(path) == mixed));
}

BOOST_AUTO_TEST_CASE(a_copy_of_a_shard_is_left_out_by_name_and_stays) {
  const std::string id = read_manifest(path).id;
  fs::copy_file(path / "train-00001.h5", path / "train-00009.h5");
  fs::remove(path / kManifestName);
  const RepairSummary summary = repair(path);
  BOOST_TEST(summary.num_samples == 20u);
  BOOST_TEST(read_manifest(path).id == id);
  BOOST_TEST(std::ranges::count(summary.notes,
                                "train-00009.h5: the same shard as train-00001.h5: left out, and "
                                "left where it is") == 1);
  BOOST_TEST(read_text_file(path / "train-00009.h5") == before.at("train-00001.h5"));

  // With a manifest, and over another shard, which is lost.
  const std::uint64_t num_lost = num_samples("train-00002.h5");
  fs::rename(path / "train-00009.h5", path / "train-00002.h5");
  const RepairSummary over = repair(path);
  BOOST_TEST(over.num_samples == 20u - num_lost);
  BOOST_TEST(over.num_dropped() == num_lost);
  BOOST_TEST(read_text_file(path / "train-00002.h5") == before.at("train-00001.h5"));
  BOOST_TEST(is_whole());
}

BOOST_AUTO_TEST_CASE(of_two_copies_the_one_with_more_samples_stays) {
  fs::copy_file(path / "train-00001.h5", path / "train-00009.h5");
  fixtures::flip_byte(path / "train-00001.h5", 16384 + 5);  // its first sample
  fs::remove(path / kManifestName);
  const RepairSummary summary = repair(path);
  BOOST_TEST(summary.num_samples == 20u);
  BOOST_TEST(summary.num_dropped() == 0u);
  BOOST_TEST(is_whole());
}

// As a repair without second names leaves it when it is killed before the new file takes the name.
BOOST_AUTO_TEST_CASE(what_a_repair_wrote_before_it_was_killed_takes_its_place) {
  fixtures::flip_byte(path / "train-00001.h5", 16384 + 5);
  const Files damaged = files_below(path);
  repair(path);
  const Files expected = files_below(path);
  const std::string repaired = expected.at("train-00001.h5");
  for (const bool knows_the_old_one : {true, false}) {
    write(damaged);
    fs::rename(path / "train-00001.h5", path / "train-00001.h5.damaged");
    tests::write_file(path / "train-00001.h5.repaired", repaired);
    Files end = expected;
    if (!knows_the_old_one) {
      fs::remove(path / "train-00001.h5.damaged");
      end.erase("train-00001.h5.damaged");
    }
    repair(path);
    BOOST_TEST((files_below(path) == end));
  }
}

BOOST_FIXTURE_TEST_CASE(it_may_be_killed_at_any_call_that_publishes_or_removes, SmallDataset) {
  swap("train-00000.h5", "validation-00000.h5");
  fixtures::flip_byte(path / "validation-00000.h5", 16384 + 5);  // a sample for training
  fixtures::flip_byte(path / "train-00000.h5", 4096 + 20);       // the superblock
  fixtures::truncate_file(path / "test-00000.h5", 5000);         // all of it
  const Files damaged = files_below(path);
  Files without_manifest = damaged;
  fixtures::flip_byte(path / kManifestName, 60);
  without_manifest[kManifestName] = read_text_file(path / kManifestName);
  struct Case {
    const Files& start;
    OldFiles old_files;
    FileSystemKind kind;
  };
  for (const Case& one : {Case{damaged, OldFiles::kKept, FileSystemKind::kAsItIs},
                          Case{damaged, OldFiles::kKept, FileSystemKind::kPlainRenames},
                          Case{damaged, OldFiles::kRemoved, FileSystemKind::kAsItIs},
                          Case{without_manifest, OldFiles::kKept, FileSystemKind::kAsItIs}}) {
    write(one.start);
    repair(path, one.old_files);
    BOOST_TEST(is_whole());
    const Files expected = files_below(path);
    std::uint64_t call = 0;
    while (true) {
      write(one.start);
      if (!is_killed_at_call(call, one.kind, [&] { repair(path, one.old_files); })) break;
      repair(path, one.old_files);
      BOOST_TEST((files_below(path) == expected), "killed before call " << call);
      ++call;
    }
    BOOST_TEST((files_below(path) == expected));
    BOOST_TEST(call > 8u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
