#include "tools/convert/source/dataset_source.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/read/new_picture.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/dataset_writer.h"
#include "streamer/shard/shard_file.h"
#include "tests/contains.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/convert_job.h"
#include "tools/convert/source/any_source.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::contains;

class Deaf final : public ConvertObserver {
 public:
  void notice(const std::string&) override {}
  void progress(const ConvertProgress&) override {}
};

std::vector<std::byte> png_of(std::uint32_t seed) {
  const auto pixels = tests::noisy_picture(20, 12, 3, seed);
  const cv::Mat image(12, 20, CV_8UC3, const_cast<std::uint8_t*>(pixels.data()));
  std::vector<std::uint8_t> file;
  cv::imencode(".png", image, file);
  const auto bytes = std::as_bytes(std::span(file));
  return {bytes.begin(), bytes.end()};
}

struct WrittenWith {
  bool with_names = true;
  std::string second_split = "validation";
};

// 60 samples of three codecs in three classes, one without a label, some turned, in two splits.
void write_mixed(const fs::path& folder, const WrittenWith& with = {}) {
  DatasetWriter writer(folder, {.class_names = {"zebra", "ant", "none here", "cat"},
                                .shard_bytes = 1 << 20,
                                .store_names = with.with_names});
  for (std::uint32_t i = 0; i < 60; ++i) {
    const std::uint32_t class_idx = i == 7 ? kUnlabelled : (i % 3 == 2 ? 3 : i % 3);
    PictureFacts facts{.class_idx = class_idx,
                       .name = "shot-" + std::to_string(i),
                       .orientation = static_cast<std::uint8_t>(1 + i % 8)};
    const std::string split = i % 5 == 0 ? with.second_split : "train";
    const std::vector<std::byte> png = png_of(i);
    const auto pixels = tests::noisy_picture(9, 7, i % 2 == 0 ? 1 : 3, i);
    if (i % 4 == 0) {
      writer.add(split, new_png(png, facts));
    } else if (i % 4 == 1) {
      const std::uint32_t channels = i % 2 == 0 ? 1 : 3;
      writer.add(split, new_raw({.pixels_hwc = pixels.data(),
                                 .width_px = 9,
                                 .height_px = 7,
                                 .channels = channels,
                                 .pixel_stride_bytes = channels,
                                 .row_stride_bytes = std::size_t{9} * channels},
                                facts));
    } else {
      const auto jpeg = tests::picture_jpeg({.seed = i});
      writer.add(split, new_jpeg(jpeg, facts));
    }
  }
  writer.finish();
}

// Everything that a sample is, but where it lies.
struct SampleFacts {
  std::string split;
  std::string class_name;
  std::uint64_t xxh3 = 0;
  std::vector<std::uint32_t> numbers;
  friend bool operator==(const SampleFacts&, const SampleFacts&) = default;
};

std::map<std::string, SampleFacts> samples_of(const fs::path& folder) {
  const Dataset dataset = Dataset::open(folder);
  std::map<std::string, SampleFacts> samples;
  for (const ManifestSplit& named : dataset.manifest().splits) {
    const DatasetSplit split = dataset.split(named.name);
    const std::vector<std::string> names = split.read_names();
    for (std::uint64_t i = 0; i < split.num_samples(); ++i) {
      split.sample(i).read_bytes();  // verifies the checksum
      const IndexRecord record = split.record(i);
      const bool is_labelled = record.class_idx != kUnlabelled;
      samples[names[i]] = {
          named.name,
          is_labelled ? dataset.manifest().class_names[record.class_idx] : "(none)",
          record.xxh3,
          {record.length_bytes, record.width_px, record.height_px, record.codec, record.orientation,
           record.status, record.flags, record.components, record.subsampling_x,
           record.subsampling_y}};
    }
  }
  return samples;
}

ConvertSummary convert(const ConvertConfig& config) {
  Deaf deaf;
  return convert_folder(config, deaf, {});
}

std::string refusal_of(const SourceRequest& request) {
  try {
    scan_source(request, {});
  } catch (const Error& error) {
    BOOST_TEST(!error.hint().empty());
    return error.what();
  }
  return "no error";
}

struct MixedDataset {
  tests::TemporaryFolder folder;
  fs::path source = folder.path() / "a.ds";
  fs::path dataset = folder.path() / "b.ds";
};

BOOST_AUTO_TEST_SUITE(dataset_source)

BOOST_AUTO_TEST_CASE(every_sample_goes_over_as_it_is_into_other_shards) {
  const MixedDataset place;
  write_mixed(place.source);
  const ConvertSummary summary = convert({.source = place.source, .dataset = place.dataset});
  const auto expected = samples_of(place.source);
  BOOST_TEST(expected.size() == 60u);
  BOOST_TEST((samples_of(place.dataset) == expected));
  BOOST_TEST(summary.manifest.class_names ==
                 (std::vector<std::string>{"zebra", "ant", "none here", "cat"}),
             boost::test_tools::per_element());
  BOOST_TEST(summary.manifest.num_quarantined.value() == 0u);
  BOOST_TEST(summary.manifest.num_reencoded.value() == 0u);
}

BOOST_AUTO_TEST_CASE(statistics_are_those_of_the_dataset_and_its_origin_is_kept) {
  const MixedDataset place;
  tests::write_cats_and_dogs(place.folder.path() / "photos", 12);
  const ConvertSummary first =
      convert({.source = place.folder.path() / "photos", .dataset = place.source, .max_px = 5000});
  const ConvertSummary second =
      convert({.source = place.source, .dataset = place.dataset, .shard_size_bytes = 1 << 20});
  BOOST_TEST(second.manifest.mean == first.manifest.mean, boost::test_tools::per_element());
  BOOST_TEST(second.manifest.std == first.manifest.std, boost::test_tools::per_element());
  BOOST_TEST((second.manifest.gray == first.manifest.gray));
  BOOST_TEST(second.manifest.largest.encoded_bytes == first.manifest.largest.encoded_bytes);
  BOOST_TEST(second.manifest.largest.decode_scratch_bytes ==
             first.manifest.largest.decode_scratch_bytes);
  for (const ManifestSplit& split : first.manifest.splits) {
    BOOST_TEST(second.manifest.find_split(split.name)->num_by_class == split.num_by_class,
               boost::test_tools::per_element());
  }
  auto settings = second.manifest.conversion;
  BOOST_TEST(settings.at("layout") == "dataset");
  BOOST_TEST(settings.at("source.id") == first.manifest.id);
  BOOST_TEST(settings.at("source.layout") == "class_folders");
  BOOST_TEST(settings.at("source.max_pixels") == "5000");

  const fs::path third_place = place.folder.path() / "c.ds";
  settings = convert({.source = place.dataset, .dataset = third_place}).manifest.conversion;
  BOOST_TEST(settings.at("source.id") == second.manifest.id);
  BOOST_TEST(settings.at("source.layout") == "class_folders");  // still the pictures' own
  BOOST_TEST(!settings.contains("source.source.layout"));
}

BOOST_AUTO_TEST_CASE(what_is_asked_of_files_holds_for_the_jpeg_of_a_dataset_too) {
  const MixedDataset place;
  DatasetWriter writer(place.source, {.class_names = {"a"}});
  const auto progressive = tests::jpeg_sample(40, 30, 1, {.is_progressive = true}).encoded;
  const auto plain = tests::jpeg_sample(40, 30, 2, {}).encoded;
  const auto pixels = tests::noisy_picture(50, 40, 3, 5);
  writer.add("train", new_jpeg(progressive, {.class_idx = 0, .name = "p", .orientation = 6}));
  writer.add("train", new_jpeg(plain, {.class_idx = 0, .name = "q", .orientation = 3}));
  writer.add("train", new_raw({.pixels_hwc = pixels.data(),
                               .width_px = 50,
                               .height_px = 40,
                               .channels = 3,
                               .pixel_stride_bytes = 3,
                               .row_stride_bytes = 150},
                              {.class_idx = 0, .name = "r", .orientation = 1}));
  writer.finish();
  ConvertConfig config{.source = place.source, .dataset = place.dataset, .max_px = 1200};
  config.several_scans = SeveralScans::kRewritten;
  const ConvertSummary summary = convert(config);
  BOOST_TEST(summary.counted.num_rewritten == 1u);
  BOOST_TEST(summary.num_by_reason.at("too_many_pixels") == 1u);  // 50 x 40 pixels as they are
  const auto before = samples_of(place.source);
  const auto after = samples_of(place.dataset);
  BOOST_REQUIRE(after.size() == 2u);
  BOOST_TEST((after.at("q") == before.at("q")));
  BOOST_TEST(after.at("p").xxh3 != before.at("p").xxh3);
  BOOST_TEST(after.at("p").numbers[4] == 6u);  // its orientation
}

// 60 samples of three codecs, some turned: all of them as JPEG of 8 pixels along the longer side, upright.
BOOST_AUTO_TEST_CASE(what_is_asked_of_files_holds_for_png_and_bare_pixels_too) {
  const MixedDataset place;
  write_mixed(place.source);
  ConvertConfig config{.source = place.source,
                       .dataset = place.dataset,
                       .encode = {.max_side_px = 8, .codec = CodecChoice::kJpeg}};
  config.policies.set("exif_orientation=fix");
  const ConvertSummary summary = convert(config);
  BOOST_TEST(summary.manifest.num_quarantined.value() == 0u);
  const auto before = samples_of(place.source);
  const auto after = samples_of(place.dataset);
  BOOST_REQUIRE(after.size() == before.size());
  for (const auto& [name, sample] : after) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(sample.numbers[3] == static_cast<std::uint32_t>(Codec::kJpeg));
      BOOST_TEST(std::max(sample.numbers[1], sample.numbers[2]) == 8u);
      const std::vector<std::uint32_t>& was = before.at(name).numbers;
      BOOST_TEST(sample.numbers[4] == 1u);                                   // upright
      BOOST_TEST((sample.numbers[1] < sample.numbers[2]) == (was[4] >= 5));  // turned by 90 degrees
    }
  }
}

BOOST_AUTO_TEST_CASE(samples_without_names_are_called_by_their_place) {
  const MixedDataset place;
  write_mixed(place.source, {.with_names = false});
  convert({.source = place.source, .dataset = place.dataset});
  const auto samples = samples_of(place.dataset);
  BOOST_TEST(samples.size() == 60u);
  BOOST_TEST(samples.contains("train/0000000"));
  BOOST_TEST(samples.at("train/0000003").xxh3 ==
             Dataset::open(place.source).split("train").record(3).xxh3);
}

BOOST_AUTO_TEST_CASE(chosen_classes_alone_go_over_in_the_order_of_the_dataset) {
  const MixedDataset place;
  write_mixed(place.source);
  const ConvertSummary summary =
      convert({.source = place.source, .dataset = place.dataset, .classes = {"cat", "zebra"}});
  BOOST_TEST(summary.manifest.class_names == (std::vector<std::string>{"zebra", "cat"}),
             boost::test_tools::per_element());
  std::map<std::string, SampleFacts> expected;
  for (const auto& [name, facts] : samples_of(place.source)) {
    if (facts.class_name == "cat" || facts.class_name == "zebra") expected[name] = facts;
  }
  BOOST_TEST(expected.size() == 40u);
  BOOST_TEST((samples_of(place.dataset) == expected));
  BOOST_TEST(contains(refusal_of({.path = place.source, .classes = {"zebro"}}),
                      "expected classes of the dataset, found 'zebro'"));
}

BOOST_AUTO_TEST_CASE(a_fraction_keeps_what_a_subset_of_that_fraction_keeps) {
  const MixedDataset place;
  write_mixed(place.source);
  convert(
      {.source = place.source, .dataset = place.dataset, .split = {.seed = 5}, .fraction = 0.4});
  std::map<std::string, SampleFacts> expected;
  const auto all = samples_of(place.source);
  for (const std::string split : {"train", "validation"}) {
    const DatasetSplit part =
        Dataset::open(place.source).split(split).subset({.to_fraction = 0.4, .seed = 5});
    for (const std::string& name : part.read_names()) expected[name] = all.at(name);
  }
  BOOST_TEST(expected.size() > 10u);
  BOOST_TEST(expected.size() < 50u);
  BOOST_TEST((samples_of(place.dataset) == expected));
}

BOOST_AUTO_TEST_CASE(splits_are_kept_or_drawn_anew_by_name) {
  const MixedDataset place;
  write_mixed(place.source);
  BOOST_CHECK_EXCEPTION(convert({.source = place.source,
                                 .dataset = place.dataset,
                                 .split = {.validation_fraction = 0.2}}),
                        Error, [](const Error& error) {
                          return contains(error.what(), "--validation-split: ") &&
                                 error.code() == ErrorCode::kInvalidArgument;
                        });
  convert({.source = place.source,
           .dataset = place.dataset,
           .split = {.validation_fraction = 0.5, .seed = 3},
           .dataset_splits = DatasetSplits::kDrawnAnew});
  const SplitRule rule{.validation_fraction = 0.5, .seed = 3};
  const auto samples = samples_of(place.dataset);
  BOOST_TEST(samples.size() == 60u);
  for (const auto& [name, facts] : samples)
    BOOST_TEST(facts.split == split_name(rule.split_of(name)));
}

BOOST_AUTO_TEST_CASE(a_split_of_another_name_must_be_drawn_anew) {
  const MixedDataset place;
  write_mixed(place.source, {.second_split = "holdout"});
  BOOST_TEST(contains(refusal_of({.path = place.source}), "found 'holdout'"));
  convert({.source = place.source,
           .dataset = place.dataset,
           .dataset_splits = DatasetSplits::kDrawnAnew});
  BOOST_TEST(samples_of(place.dataset).size() == 60u);
}

// A byte of every sample in turn would take long: of the first sample of each codec.
BOOST_AUTO_TEST_CASE(a_damaged_sample_is_quarantined_by_its_name_and_the_others_go_over) {
  const MixedDataset place;
  write_mixed(place.source);
  const auto whole = samples_of(place.source);
  const DatasetSplit split = Dataset::open(place.source).split("train");
  std::vector<std::string> damaged;
  for (std::uint64_t id : {0u, 1u, 2u}) {
    const IndexRecord record = split.record(id);
    std::fstream file(split.shard_of(id).path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(record.offset_bytes + record.length_bytes / 2));
    const char flipped = static_cast<char>(
        ~std::to_integer<int>(split.sample(id).read_bytes()[record.length_bytes / 2]));
    file.put(flipped);
    damaged.push_back(split.read_name(id));
  }
  const ConvertSummary summary = convert({.source = place.source, .dataset = place.dataset});
  BOOST_TEST(summary.manifest.num_quarantined.value() == 3u);
  auto expected = whole;
  const std::string list = read_text_file(place.dataset / kQuarantineName);
  for (const std::string& name : damaged) {
    expected.erase(name);
    BOOST_TEST(contains(list, name + ",damaged,"));
    BOOST_TEST(contains(list, "checksum: expected "));
  }
  BOOST_TEST((samples_of(place.dataset) == expected));
}

BOOST_AUTO_TEST_CASE(samples_of_a_damaged_index_page_are_quarantined_by_name) {
  const MixedDataset place;
  std::vector<tests::SmallSample> samples;
  for (std::uint32_t i = 0; i < 70; ++i) samples.push_back(tests::raw_sample(5, 4, i));
  const Dataset small = tests::write_small_dataset(place.source, samples);
  const fs::path shard = small.split("train").shard_of(0).path();
  std::string bytes = read_text_file(shard);
  // The index begins with the first record: its offset, 8 bytes little-endian, then its checksum.
  std::string first(16, '\0');
  const IndexRecord record = small.split("train").record(0);
  for (int i = 0; i < 8; ++i) {
    first[i] = static_cast<char>(record.offset_bytes >> (8 * i));
    first[8 + i] = static_cast<char>(record.xxh3 >> (8 * i));
  }
  const std::size_t index_at = bytes.find(first);
  BOOST_REQUIRE(index_at != std::string::npos);
  bytes[index_at + 40] ^= 1;
  tests::write_file(shard, bytes);
  const ConvertSummary summary = convert({.source = place.source, .dataset = place.dataset});
  BOOST_TEST(summary.manifest.num_quarantined.value() == 64u);
  BOOST_TEST(samples_of(place.dataset).size() == 6u);
  BOOST_TEST(contains(read_text_file(place.dataset / kQuarantineName), ",damaged,0,"));
}

BOOST_AUTO_TEST_CASE(what_is_asked_of_a_dataset_is_refused_of_other_sources) {
  const MixedDataset place;
  tests::write_cats_and_dogs(place.folder.path() / "photos", 1);
  const fs::path photos = place.folder.path() / "photos";
  const std::string expected = "expected a dataset, found another source";
  BOOST_TEST(contains(refusal_of({.path = photos, .classes = {"cat"}}), expected));
  BOOST_TEST(contains(refusal_of({.path = photos, .fraction = 0.5}), expected));
  BOOST_TEST(contains(refusal_of({.path = photos, .dataset_splits = DatasetSplits::kDrawnAnew}),
                      expected));
  write_mixed(place.source);
  BOOST_TEST(contains(refusal_of({.path = place.source, .labels = photos / "cat/0.jpg"}),
                      "expected a folder for the table "));
  BOOST_TEST(contains(refusal_of({.path = place.source, .fraction = 1.5}), "above 0 to below 1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
