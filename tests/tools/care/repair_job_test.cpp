#include "tools/care/repair_job.h"

#include <hdf5.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/hdf5_survey.h"
#include "streamer/shard/shard_header.h"
#include "tests/contains.h"
#include "tests/tools/care/cared_dataset.h"
#include "tools/care/change_report.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tests::CaredDataset;
using tests::files_below;

RepairSummary repair(const fs::path& dataset, RepairMode mode = RepairMode::kRepair,
                     OldFiles old_files = OldFiles::kRemoved) {
  return repair_dataset({.dataset = dataset, .mode = mode, .old_files = old_files},
                        tests::no_progress, {});
}

std::uint64_t section_offset(const std::string& shard, const char* name) {
  const auto* const begin = reinterpret_cast<const std::byte*>(shard.data());
  return parse_shard_header(std::span<const std::byte, 4096>(begin, kShardHeaderBytes), "test")
      .find(name)
      ->offset_bytes;
}

BOOST_AUTO_TEST_SUITE(repair_job)

BOOST_AUTO_TEST_CASE(a_whole_dataset_is_left_alone) {
  const CaredDataset dataset;
  const auto before = files_below(dataset.path());
  BOOST_TEST(repair(dataset.path()).is_whole());
  BOOST_TEST((files_below(dataset.path()) == before));
}

// Nothing of a sample is lost in these, so the files of before come back to the last byte: what the
// conversion wrote is the expected value.
BOOST_AUTO_TEST_CASE(header_metadata_page_checksums_and_manifest_come_back_byte_for_byte) {
  const CaredDataset dataset;
  const auto before = files_below(dataset.path());
  const std::string& shard = before.at("train-00000.h5");
  const std::uint64_t page_sums = section_offset(shard, "index_page_xxh3");
  struct Case {
    const char* what;
    std::uint64_t at;
  };
  for (const Case& one :
       {Case{"header's magic", 0}, Case{"header's table", 200}, Case{"header's checksum", 4090},
        Case{"superblock", 4096 + 20}, Case{"page checksum", page_sums}}) {
    fixtures::flip_byte(dataset.train(), one.at);
    BOOST_TEST(!dataset.check().is_whole(), one.what);
    const RepairSummary summary = repair(dataset.path());
    BOOST_TEST(summary.shards.size() == 1u, one.what);
    BOOST_TEST(summary.num_samples == 16u, one.what);
    BOOST_TEST((files_below(dataset.path()) == before), one.what);
  }
  // More than the header: the whole block, as a tool without user blocks leaves it.
  std::string without_header = shard;
  without_header.replace(0, 4096, std::string(4096, '\0'));
  tests::write_file(dataset.train(), without_header);
  repair(dataset.path());
  BOOST_TEST((files_below(dataset.path()) == before));
}

BOOST_AUTO_TEST_CASE(a_damaged_sample_is_dropped_by_name_and_the_rest_is_whole) {
  const CaredDataset dataset;
  const DatasetSplit split = Dataset::open(dataset.path()).split("train");
  const std::string name = split.read_name(3);
  const std::string old_bytes = read_text_file(dataset.train());
  fixtures::flip_byte(dataset.train(), split.record(3).offset_bytes + 5);
  const std::string damaged_bytes = read_text_file(dataset.train());
  const RepairSummary summary = repair(dataset.path(), RepairMode::kRepair, OldFiles::kKept);
  BOOST_REQUIRE(summary.dropped.size() == 1u);
  BOOST_TEST(summary.dropped[0].name == name);
  BOOST_REQUIRE(summary.shards.size() == 1u);
  BOOST_TEST(summary.shards[0].num_dropped == 1u);
  BOOST_TEST(summary.shards[0].kept_as == "train-00000.h5.damaged");
  BOOST_TEST(read_text_file(dataset.path() / "train-00000.h5.damaged") == damaged_bytes);
  BOOST_TEST(dataset.check(CheckReach::kDecoded).is_whole());

  // The same as converting without that file.
  fs::remove(dataset.source() / name);
  tests::convert_quietly(dataset.source(), dataset.folder() / "fresh.ds");
  const Manifest expected = read_manifest(dataset.folder() / "fresh.ds");
  const Manifest found = read_manifest(dataset.path());
  BOOST_TEST(found.id == expected.id);  // shards and statistics
  BOOST_TEST((found.pixel_totals == expected.pixel_totals));
  BOOST_TEST(!found.sample_bytes.has_value());  // of the one that is gone it is not known
  BOOST_TEST(summary.lost_facts.size() == 2u);  // and whether it was a copy
}

BOOST_AUTO_TEST_CASE(a_damaged_index_page_costs_its_samples_only) {
  const CaredDataset dataset(60);  // more than one page of 64
  const std::string shard = read_text_file(dataset.train());
  const std::uint64_t num_train = Dataset::open(dataset.path()).split("train").num_samples();
  BOOST_REQUIRE(num_train > 64u);
  fixtures::flip_byte(dataset.train(), section_offset(shard, "index") + 20);
  const RepairSummary summary = repair(dataset.path());
  BOOST_TEST(summary.dropped.size() == 64u);
  BOOST_TEST(summary.num_samples == 120u - 64u);
  BOOST_TEST(dataset.check(CheckReach::kDecoded).is_whole());
}

// Without a header the index alone tells where records count from.
BOOST_AUTO_TEST_CASE(a_damaged_record_costs_its_page_alone_where_the_header_is_gone_too) {
  const CaredDataset dataset(60);
  const std::string shard = read_text_file(dataset.train());
  const std::uint64_t num_train = Dataset::open(dataset.path()).split("train").num_samples();
  for (const std::uint64_t record : {std::uint64_t{70}, std::uint64_t{3}}) {
    std::string bent = shard;
    bent.replace(0, 4096, std::string(4096, '\0'));
    bent.replace(section_offset(shard, "index") + record * 64, 8, std::string("\1\0\0\0\0\0\0", 8));
    tests::write_file(dataset.train(), bent);
    const RepairSummary dry = repair(dataset.path(), RepairMode::kDryRun);
    BOOST_TEST(dry.dropped.size() == (record == 70 ? num_train - 64 : 64));
  }
}

// As h5repack does it, without a user block: all parts lie elsewhere.
void write_copy_by_hdf5(const fs::path& from, const fs::path& to) {
  const hid_t old_file = H5Fopen(from.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t new_file = H5Fcreate(to.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT);
  for (const char* name : {"names", "index", "class_names", "index_page_xxh3", "images"}) {
    BOOST_REQUIRE(H5Ocopy(old_file, name, new_file, name, H5P_DEFAULT, H5P_DEFAULT) >= 0);
  }
  BOOST_REQUIRE(H5Fclose(new_file) >= 0);
  BOOST_REQUIRE(H5Fclose(old_file) >= 0);
}

BOOST_AUTO_TEST_CASE(a_damaged_page_of_a_rewritten_file_costs_its_samples_only) {
  const CaredDataset dataset(60);
  const std::uint64_t num_train = Dataset::open(dataset.path()).split("train").num_samples();
  const fs::path copy = dataset.folder() / "copy.h5";
  write_copy_by_hdf5(dataset.train(), copy);
  fs::rename(copy, dataset.train());
  BOOST_TEST(survey_hdf5(dataset.train()).find("images")->offset_bytes != 16384u);
  BOOST_TEST(repair(dataset.path(), RepairMode::kDryRun).num_dropped() == 0u);

  // Neither the first sample nor the last is where these say.
  const std::string moved = read_text_file(dataset.train());
  const std::uint64_t index = survey_hdf5(dataset.train()).find("index")->offset_bytes;
  std::string bent = moved;
  bent.replace(index + 70 * 64, 8, std::string("\1\0\0\0\0\0\0\0", 8));
  bent.replace(index + (num_train - 1) * 64, 8, std::string("\0\0\0\0\0\0\0\1", 8));
  tests::write_file(dataset.train(), bent);
  BOOST_TEST(repair(dataset.path(), RepairMode::kDryRun).dropped.size() == num_train - 64);

  tests::write_file(dataset.train(), moved);
  fixtures::flip_byte(dataset.train(), index + 20);  // the page of the first sample
  const RepairSummary summary = repair(dataset.path());
  BOOST_TEST(summary.dropped.size() == 64u);
  BOOST_TEST(summary.shards.at(0).num_kept == num_train - 64);
  BOOST_TEST(dataset.check(CheckReach::kDecoded).is_whole());
}

BOOST_AUTO_TEST_CASE(a_manifest_is_made_anew_from_the_shards) {
  const CaredDataset dataset;
  const Manifest before = read_manifest(dataset.path());
  for (const bool is_gone : {true, false}) {
    if (is_gone) {
      fs::remove(dataset.path() / kManifestName);
    } else {
      fixtures::flip_byte(dataset.path() / kManifestName, 60);
    }
    const RepairSummary summary = repair(dataset.path());
    BOOST_TEST(summary.is_manifest_new);
    BOOST_TEST(summary.lost_facts.size() == 4u);
    BOOST_TEST(tests::contains(repair_text(summary, {.dataset = dataset.path()}),
                               "no longer known: the settings of the conversion"));
    const Manifest after = read_manifest(dataset.path());
    BOOST_TEST(after.id == before.id);  // classes, splits, shards, statistics
    BOOST_TEST((after.pixel_totals == before.pixel_totals));
    BOOST_TEST(after.largest.decode_scratch_bytes == before.largest.decode_scratch_bytes);
    BOOST_TEST(after.median_width_px == before.median_width_px);
    BOOST_TEST(dataset.check(CheckReach::kDecoded).is_whole());
  }
}

BOOST_AUTO_TEST_CASE(a_shard_that_is_gone_is_left_out_of_the_manifest) {
  const CaredDataset dataset;
  const std::uint64_t num_gone = Dataset::open(dataset.path()).split("validation").num_samples();
  fs::remove(dataset.path() / "validation-00000.h5");
  const RepairSummary summary = repair(dataset.path());
  BOOST_REQUIRE(summary.shards.size() == 1u);
  BOOST_TEST(summary.shards[0].num_kept == 0u);
  BOOST_TEST(summary.num_dropped() == num_gone);
  const std::string text = repair_text(summary, {.dataset = dataset.path()});
  BOOST_TEST(tests::contains(text, "validation-00000.h5: nothing of it can be saved, " +
                                       std::to_string(num_gone) + " dropped"));
  BOOST_TEST(tests::contains(text, "samples, " + std::to_string(num_gone) + " dropped"));
  BOOST_TEST(read_manifest(dataset.path()).splits.size() == 1u);
  BOOST_TEST(dataset.check().is_whole());
}

BOOST_AUTO_TEST_CASE(names_without_a_checksum_that_holds_are_left_out) {
  const CaredDataset dataset;
  const std::string shard = read_text_file(dataset.train());
  fixtures::flip_byte(dataset.train(), section_offset(shard, "names") + 1);
  const RepairSummary summary = repair(dataset.path());
  BOOST_TEST(summary.num_samples == 16u);
  BOOST_REQUIRE(!summary.notes.empty());
  BOOST_TEST(tests::contains(summary.notes[0], "names"));
  BOOST_TEST(dataset.check().is_whole());
  BOOST_TEST(Dataset::open(dataset.path()).split("train").read_name(0) == "");
}

BOOST_AUTO_TEST_CASE(a_dry_run_changes_nothing_and_tells_the_same) {
  const CaredDataset dataset;
  fixtures::flip_byte(dataset.train(), 16384 + 5);
  const auto before = files_below(dataset.path());
  const RepairSummary dry = repair(dataset.path(), RepairMode::kDryRun);
  BOOST_TEST((files_below(dataset.path()) == before));
  const RepairSummary wet = repair(dataset.path());
  BOOST_TEST(dry.num_samples == wet.num_samples);
  BOOST_TEST(dry.dropped.size() == wet.dropped.size());
}

BOOST_AUTO_TEST_CASE(progress_is_of_the_bytes_that_are_written_anew) {
  const CaredDataset dataset;
  const std::uint64_t train_bytes = fs::file_size(dataset.train());
  fixtures::flip_byte(dataset.train(), 16384 + 5);
  std::vector<CheckProgress> heard;
  repair_dataset({.dataset = dataset.path()},
                 [&](const CheckProgress& progress) {
                   if (progress.num_samples == 0) heard.push_back(progress);  // else of decoding
                 },
                 {});
  BOOST_REQUIRE(heard.size() == 1u);
  BOOST_TEST(heard[0].done_bytes == train_bytes);
  BOOST_TEST(heard[0].total_bytes == train_bytes);
  BOOST_TEST(heard[0].elapsed.count() > 0);
}

BOOST_AUTO_TEST_CASE(what_is_no_file_under_a_shards_name_is_refused_with_what_to_do) {
  const CaredDataset dataset;
  fs::remove(dataset.train());
  fs::create_directory(dataset.train());
  for (const bool is_pipe : {false, true}) {
    BOOST_CHECK_EXCEPTION(repair(dataset.path()), Error, [](const Error& error) {
      return error.code() == ErrorCode::kInvalidArgument &&
             error.hint() == "move it away, then repair again";
    });
    fs::remove(dataset.train());
    if (!is_pipe) BOOST_REQUIRE(::mkfifo(dataset.train().c_str(), 0600) == 0);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_saved_at_all_is_an_error_and_stays) {
  const CaredDataset dataset;
  for (const char* name : {"train-00000.h5", "validation-00000.h5"}) {
    fixtures::truncate_file(dataset.path() / name, 5000);
  }
  const auto before = files_below(dataset.path());
  BOOST_CHECK_EXCEPTION(repair(dataset.path()), Error, [](const Error& error) {
    return error.code() == ErrorCode::kCorruptData && !error.hint().empty();
  });
  BOOST_TEST((files_below(dataset.path()) == before));
  const tests::TemporaryFolder empty;
  BOOST_CHECK_EXCEPTION(repair(empty.path()), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
