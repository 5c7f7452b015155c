#include "streamer/shard/stored_sample.h"

#include <boost/test/unit_test.hpp>
#include <optional>

#include "streamer/core/error.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/dataset_writer.h"
#include "streamer/shard/shard_file.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

// Raw gray pictures of 100 x 1, two to a shard.
struct Fixture {
  Fixture() {
    DatasetWriter writer(folder.path() / "d", {.class_names = {"a"}, .shard_bytes = 200});
    for (std::size_t i = 0; i < 5; ++i) {
      const tests::Bytes bytes = tests::sample_bytes(i, 100);
      NewSample sample{.encoded = bytes};
      sample.record.width_px = 100;
      sample.record.height_px = 1;
      sample.record.codec = static_cast<std::uint8_t>(Codec::kRaw);
      sample.record.components = 1;
      writer.add("train", sample);
    }
    writer.finish();
    split = Dataset::open(folder.path() / "d").split("train");
  }

  tests::TemporaryFolder folder;
  std::optional<DatasetSplit> split;
};

BOOST_FIXTURE_TEST_SUITE(stored_sample, Fixture)

BOOST_AUTO_TEST_CASE(any_sample_is_found_by_its_number) {
  for (const std::uint64_t id : {4u, 0u, 3u, 1u, 2u}) {
    const StoredSample sample = split->sample(id);
    BOOST_TEST(sample.id() == id);
    BOOST_TEST((sample.read_bytes() == tests::sample_bytes(id, 100)));
  }
  BOOST_CHECK_EXCEPTION(split->sample(5), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) == "dataset: split train: sample: expected 0 to 4, found 5";
  });
}

BOOST_AUTO_TEST_CASE(a_sample_outlives_its_split) {
  const StoredSample sample = split->sample(3);
  split.reset();
  BOOST_TEST((sample.read_bytes() == tests::sample_bytes(3, 100)));
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_of_its_bytes_is_noticed) {
  const StoredSample sample = split->sample(2);
  const std::filesystem::path path = sample.shard().path();
  for (std::uint64_t bit = 0; bit < 800; bit += 7) {
    const std::uint64_t at = sample.record().offset_bytes + bit / 8;
    tests::flip_bit(path, at, bit % 8);
    BOOST_CHECK_EXCEPTION(sample.read_bytes(), Error, [&](const Error& error) {
      return error.code() == ErrorCode::kCorruptData &&
             std::string(error.what())
                 .starts_with("shard: " + path.native() + ": sample 2 at offset " +
                              std::to_string(sample.record().offset_bytes) +
                              ": checksum: expected");
    });
    tests::flip_bit(path, at, bit % 8);
  }
  BOOST_CHECK_NO_THROW(sample.read_bytes());
  std::filesystem::resize_file(path, sample.record().offset_bytes + 50);
  BOOST_CHECK_EXCEPTION(sample.read_bytes(), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kCorruptData; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
