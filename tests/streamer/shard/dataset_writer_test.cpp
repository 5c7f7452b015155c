#include "streamer/shard/dataset_writer.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "streamer/shard/dataset.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::Bytes;

// A raw gray picture of `width_px` x 1.
NewSample sample_of(const Bytes& bytes, std::uint32_t class_idx) {
  NewSample sample{.encoded = bytes, .name = "from memory"};
  sample.record.class_idx = class_idx;
  sample.record.width_px = static_cast<std::uint32_t>(bytes.size());
  sample.record.height_px = 1;
  sample.record.codec = static_cast<std::uint8_t>(Codec::kRaw);
  sample.record.components = 1;
  return sample;
}

auto refusal(ErrorCode code, std::string text) {
  return [=](const Error& error) {
    BOOST_TEST(std::string(error.what()).find(text) != std::string::npos, error.what());
    return error.code() == code;
  };
}

struct Fixture {
  tests::TemporaryFolder parent;
  std::filesystem::path folder = parent.path() / "d";
  DatasetWriterConfig config{.class_names = {"night", "day"}, .shard_bytes = 100};

  std::size_t num_entries() const { return tests::count_entries(parent.path()); }
};

BOOST_FIXTURE_TEST_SUITE(dataset_writer, Fixture)

// Sizes around the shard's, in two splits at once.
BOOST_AUTO_TEST_CASE(every_sample_comes_back_in_its_split_in_the_order_of_adding) {
  const std::vector<std::size_t> sizes = {60, 40, 1, 99, 1, 100, 101, 300, 5};
  DatasetWriter writer(folder, config);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Bytes bytes = tests::sample_bytes(i, sizes[i]);
    writer.add("train", sample_of(bytes, i % 2));
    if (i % 3 == 0) writer.add("night shift", sample_of(bytes, kUnlabelled));
  }
  writer.finish();
  BOOST_TEST(num_entries() == 1u);

  const Dataset dataset = Dataset::open(folder);
  const DatasetSplit train = dataset.split("train");
  BOOST_REQUIRE(train.num_samples() == sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    BOOST_TEST((train.sample(i).read_bytes() == tests::sample_bytes(i, sizes[i])));
    BOOST_TEST(train.sample(i).record().class_idx == i % 2);
    BOOST_TEST(train.read_name(i) == "from memory");
  }
  const DatasetSplit other = dataset.split("night shift");
  BOOST_REQUIRE(other.num_samples() == 3u);
  BOOST_TEST((other.sample(2).read_bytes() == tests::sample_bytes(6, 101)));
  // By hand: 60+40 | 1+99 | 1 | 100 | 101 | 300 | 5, as 1+100 and what is above 100 is too much.
  const ManifestSplit& split = *dataset.manifest().find_split("train");
  std::vector<std::uint64_t> counts;
  for (const ManifestShard& shard : split.shards) counts.push_back(shard.num_samples);
  BOOST_TEST((counts == std::vector<std::uint64_t>{2, 2, 1, 1, 1, 1, 1}));
  BOOST_TEST(split.shards[3].file == "train-00003.h5");
  BOOST_TEST((split.num_by_class == std::vector<std::uint64_t>{5, 4}));
  BOOST_TEST((dataset.manifest().find_split("night shift")->num_by_class ==
              std::vector<std::uint64_t>{0, 0}));
  BOOST_TEST(dataset.manifest().largest.encoded_bytes == 300u);
  BOOST_TEST(dataset.manifest().median_width_px == 60u);  // 1 1 5 40 60 60 99 99 100 101 101 300
}

BOOST_AUTO_TEST_CASE(the_same_samples_give_the_same_dataset) {
  const auto write = [&](const std::filesystem::path& path) {
    DatasetWriter writer(path, config);
    for (std::size_t i = 0; i < 20; ++i) {
      const Bytes bytes = tests::sample_bytes(i, 10 + i);
      writer.add("train", sample_of(bytes, 0));
    }
    return writer.finish().id;
  };
  BOOST_TEST(write(folder) == write(parent.path() / "e"));
  BOOST_TEST((tests::read_bytes(folder / "train-00001.h5") ==
              tests::read_bytes(parent.path() / "e" / "train-00001.h5")));
  BOOST_TEST(Dataset::open(folder).manifest().id ==
             Dataset::open(parent.path() / "e").manifest().id);
}

BOOST_AUTO_TEST_CASE(nothing_is_there_until_finish_and_nothing_is_left_without_it) {
  {
    DatasetWriter writer(folder, config);
    const Bytes bytes(80);
    for (int i = 0; i < 3; ++i) writer.add("train", sample_of(bytes, 0));
    BOOST_TEST(!std::filesystem::exists(folder));
  }
  BOOST_TEST(num_entries() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_there_is_not_overwritten) {
  std::filesystem::create_directory(folder);
  BOOST_CHECK_EXCEPTION(DatasetWriter(folder, config), Error,
                        refusal(ErrorCode::kAlreadyExists, "expected nothing there yet"));
  std::filesystem::remove(folder);
  {
    const DatasetWriter writer(folder, config);
    BOOST_CHECK_EXCEPTION(DatasetWriter(folder, config), Error,
                          refusal(ErrorCode::kAlreadyExists, "d.partial"));
  }
  {
    DatasetWriter writer(folder, config);
    const Bytes bytes(8);
    writer.add("train", sample_of(bytes, 0));
    std::filesystem::create_directory(folder);  // meanwhile, by somebody else
    BOOST_CHECK_EXCEPTION(writer.finish(), Error, refusal(ErrorCode::kIo, "File exists"));
  }
  BOOST_TEST(tests::count_entries(folder) == 0u);
  BOOST_TEST(num_entries() == 1u);
  BOOST_CHECK_EXCEPTION(DatasetWriter(parent.path() / "no" / "d", config), Error,
                        refusal(ErrorCode::kNotFound, "expected the folder it shall lie in"));
}

BOOST_AUTO_TEST_CASE(a_sample_that_is_refused_leaves_the_writer_as_it_was) {
  const Bytes bytes(7);
  DatasetWriter writer(folder, config);
  const auto refused = [&](const std::string& split, const NewSample& sample,
                           const std::string& text) {
    BOOST_CHECK_EXCEPTION(writer.add(split, sample), Error,
                          refusal(ErrorCode::kInvalidArgument, text));
  };
  refused("train", sample_of({}, 0), "expected 1 to 4294967295 bytes, found 0");
  refused("train", sample_of(bytes, 2), "class_idx: expected 0 to 1, found 2");
  NewSample nameless = sample_of(bytes, 0);
  nameless.name = std::string("a\0b", 3);
  refused("train", nameless, "expected a name without a zero byte");
  NewSample flat = sample_of(bytes, 0);
  flat.record.height_px = 0;
  refused("train", flat, "height_px: expected 1 to 65535, found 0");
  for (const char* split : {"", ".", "a/b", "\xe4"}) {
    refused(split, sample_of(bytes, 0), "that can be part of a file name");
  }
  refused(std::string(64, 'a'), sample_of(bytes, 0), "expected 1 to 63 bytes");
  BOOST_CHECK_EXCEPTION(writer.finish(), Error,
                        refusal(ErrorCode::kInvalidArgument, "expected at least one sample"));
  writer.add("train", sample_of(bytes, 1));
  BOOST_TEST(writer.finish().splits.size() == 1u);
  BOOST_CHECK_EXCEPTION(writer.finish(), Error,
                        refusal(ErrorCode::kInvalidArgument, "no call after finish()"));
  BOOST_TEST(Dataset::open(folder).split("train").num_samples() == 1u);
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  const auto refused = [](const DatasetWriterConfig& bad, const std::string& text) {
    BOOST_CHECK_EXCEPTION(bad.validate(), Error, refusal(ErrorCode::kInvalidArgument, text));
  };
  refused({}, "dataset writer: class_names: expected at least one, found none");
  refused({.class_names = {"a", "a"}}, "expected different, non-empty UTF-8 texts, found \"a\"");
  refused({.class_names = {"a", ""}}, "found \"\"");
  refused({.class_names = {"\xe4"}}, "UTF-8");
  refused({.class_names = {std::string(5000, 'a')}}, "expected 1 to 4096, found 5000");
  refused({.class_names = {"a"}, .shard_bytes = 0},
          "dataset writer: shard_bytes: expected 1 to 68719476736, found 0");
  BOOST_CHECK_NO_THROW(config.validate());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
