// What happens to a shard while it is open, seen from the sample that is read.
#include "streamer/read/sample_reader.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <fstream>

#include "streamer/core/error.h"
#include "streamer/read/decoder_set.h"
#include "streamer/read/run_layout.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;

struct OpenDataset {
  tests::TemporaryFolder folder;
  DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(10)).split("train");
  fs::path path = folder.path() / "d" / "train-00000.h5";

  // Whether the sample's bytes are those stored.
  bool read(std::uint64_t sample_id) const {
    SampleTask task;
    task.record = split.record(sample_id);
    task.shard = &split.shard_of(sample_id);
    task.info.sample_id = sample_id;
    task.request.region = {0, 0, task.record.width_px, task.record.height_px};
    task.price = decode_price(stored_info(task.record), task.request);
    const SampleRun run{.tasks = {&task, 1}};
    std::vector<std::byte> block(run_layout(run.tasks).total_bytes());
    StreamHasher hasher;
    read_run(run, block, hasher, {});
    return task.fault.status != SampleStatus::kChecksumMismatch;
  }
  void overwrite(std::uint64_t offset_bytes, std::uint64_t length_bytes) const {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(offset_bytes));
    file << std::string(length_bytes, '\xA5');
  }
  // A write within the clock tick of the last leaves the same time behind: 4 ms on most kernels.
  void date_forward() const {
    fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(5));
  }
  void expect(std::uint64_t sample_id, const std::string& message) const {
    BOOST_CHECK_EXCEPTION(read(sample_id), Error, [&](const Error& error) {
      BOOST_TEST(error.what() == "sample " + std::to_string(sample_id) + " at offset " +
                                     std::to_string(split.record(sample_id).offset_bytes) +
                                     ": shard: " + path.native() + ": " + message);
      BOOST_TEST(!error.hint().empty());
      return error.code() == ErrorCode::kCorruptData;
    });
  }
  std::string changed(std::uint64_t before, std::uint64_t after) const {
    return "expected the file as it was opened, " + std::to_string(before) +
           " bytes, found it written to since, " + std::to_string(after) + " bytes";
  }
};

BOOST_FIXTURE_TEST_SUITE(sample_reader, OpenDataset)

BOOST_AUTO_TEST_CASE(a_bit_that_flipped_before_opening_is_the_samples_own_fault) {
  const IndexRecord record = split.record(4);
  overwrite(record.offset_bytes + 10, 1);
  split = Dataset::open(folder.path() / "d").split("train");
  BOOST_TEST(!read(4));
  BOOST_TEST(read(3));
}

BOOST_AUTO_TEST_CASE(a_cut_file_is_told_with_sample_offset_and_what_is_left) {
  const IndexRecord record = split.record(7);
  fs::resize_file(path, record.offset_bytes + 5);
  expect(7, "expected " + std::to_string(record.length_bytes) + " bytes at offset " +
                std::to_string(record.offset_bytes) + ", found 5 before the end of the file");
  BOOST_TEST(read(6));  // whole before the cut
}

BOOST_AUTO_TEST_CASE(a_file_cut_and_grown_again_is_told_from_a_damaged_sample) {
  const std::uint64_t size = fs::file_size(path);
  fs::resize_file(path, split.record(7).offset_bytes);
  fs::resize_file(path, size);
  date_forward();
  expect(7, changed(size, size));
}

BOOST_AUTO_TEST_CASE(a_file_rewritten_in_place_is_told_where_its_bytes_differ) {
  const std::uint64_t size = fs::file_size(path);
  overwrite(split.record(2).offset_bytes, split.record(2).length_bytes);
  date_forward();
  expect(2, changed(size, size));
  BOOST_TEST(read(3));  // the same bytes as before: nothing is lost
}

BOOST_AUTO_TEST_CASE(a_file_that_grows_is_told_where_its_bytes_differ) {
  const std::uint64_t size = fs::file_size(path);
  overwrite(split.record(2).offset_bytes, 1);
  fs::resize_file(path, size + 100);
  expect(2, changed(size, size + 100));
}

BOOST_AUTO_TEST_CASE(a_file_renamed_over_or_removed_is_read_to_its_end) {
  const fs::path other = folder.path() / "other";
  std::ofstream(other) << "not a shard";
  fs::rename(other, path);
  for (std::uint64_t id = 0; id < 10; ++id) BOOST_TEST(read(id));
  fs::remove(path);
  for (std::uint64_t id = 0; id < 10; ++id) BOOST_TEST(read(id));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
