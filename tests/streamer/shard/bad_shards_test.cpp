// Fields at their extremes behind checksums that agree: what was meant to mislead is refused with a
// typed error, without a crash and without an allocation above what the file could hold.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <iostream>
#include <optional>

#include "streamer/core/error.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tests/allocation_ceiling.h"
#include "tests/streamer/shard/sealed_shard.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::Bytes;
using tests::SealedShard;
using tests::ShardMaker;

// Zero, all ones, the sign bits, and what is next to the right value.
std::vector<std::uint64_t> extremes(std::uint64_t right, std::size_t width_bytes) {
  const std::uint64_t max = UINT64_MAX >> (64 - 8 * width_bytes);
  std::vector<std::uint64_t> values = {0,       1,       2,        right - 1,   right + 1, max,
                                       max - 1, max / 2, max / 64, max / 2 + 1, 4096};
  for (std::uint64_t& value : values) value &= max;
  std::erase(values, right);
  return values;
}

struct Field {
  std::string name;
  std::size_t at = 0;
  std::size_t width_bytes = 0;
};

struct Fixture {
  Fixture() { ShardMaker{.num_samples = 70}.write(path), whole = tests::read_bytes(path); }

  // The shard with other numbers and right checksums, all that is read of it read. Empty when
  // nothing was refused, else the error's message.
  std::string read_with(Bytes bytes) {
    SealedShard(bytes).seal();
    std::filesystem::remove(
        path);  // ext4 would flush a file that is cut to nothing and filled again
    tests::write_bytes(path, bytes);
    // The file's own size or the index's buffer, and small change for paths and messages.
    const tests::AllocationCeiling ceiling(std::max<std::size_t>(bytes.size(), 64u << 10) + 4096);
    try {
      const ShardFile shard = ShardFile::open(path);
      for (const IndexRecord& record : shard.read_index()) {
        Bytes encoded(record.length_bytes);
        shard.read_sample(record, encoded);
      }
      shard.read_class_names();
      for (std::uint64_t i = 0; i < shard.num_samples(); ++i) shard.read_name(i);
      shard.read_names();
      return {};
    } catch (const Error& error) {
      BOOST_TEST(
          (error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kUnsupported));
      BOOST_TEST(!error.hint().empty());
      return error.what();
    }
  }
  std::string read_with(std::size_t at, std::uint64_t value, std::size_t width_bytes) {
    Bytes bytes = whole;
    tests::put_number(std::span(bytes).subspan(at, width_bytes), value);
    return read_with(bytes);
  }
  std::size_t start_of(std::string_view section) {
    return static_cast<std::size_t>(SealedShard(whole).section(section).data() - whole.data());
  }

  tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "train-00000.h5";
  Bytes whole;
};

BOOST_FIXTURE_TEST_SUITE(bad_shards, Fixture)

BOOST_AUTO_TEST_CASE(sealing_a_whole_shard_changes_nothing) {
  Bytes bytes = whole;
  SealedShard(bytes).seal();
  BOOST_TEST((bytes == whole));
  BOOST_TEST(read_with(whole) == "");
}

BOOST_AUTO_TEST_CASE(every_count_of_the_header_at_its_extremes_is_refused) {
  // FORMAT.md, section 2. Two or three classes would divide the width of the names: the manifest,
  // and classes that no record may name, are held against those.
  for (const Field& field : {Field{"version", 8, 4}, Field{"num_sections", 12, 4},
                             Field{"file_size_bytes", 16, 8}, Field{"num_samples", 24, 8}}) {
    const std::uint64_t right =
        tests::get_number(std::span(whole).subspan(field.at, field.width_bytes));
    for (const std::uint64_t value : extremes(right, field.width_bytes)) {
      BOOST_TEST_CONTEXT(field.name << " = " << value) {
        BOOST_TEST(read_with(field.at, value, field.width_bytes) != "");
      }
    }
  }
  BOOST_TEST(read_with(48, 0, 4).find("for 0 classes") != std::string::npos);
  BOOST_TEST(read_with(48, 0xFFFFFFFF, 4).find("found 4294967295") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_field_of_the_section_table_at_its_extremes_is_refused_or_harmless) {
  int num_refused = 0;
  int num_harmless = 0;
  for (std::size_t entry = 0; entry < 6; ++entry) {
    const std::size_t row = SealedShard::section_at(entry);
    for (const Field& field : {Field{"offset", row + 24, 8}, Field{"length", row + 32, 8},
                               Field{"flags", row + 48, 4}}) {
      const std::uint64_t right =
          tests::get_number(std::span(whole).subspan(field.at, field.width_bytes));
      for (const std::uint64_t value : extremes(right, field.width_bytes)) {
        BOOST_TEST_CONTEXT("section " << entry << ": " << field.name << " = " << value) {
          const std::string refused = read_with(field.at, value, field.width_bytes);
          ++(refused.empty() ? num_harmless : num_refused);
          // Unknown flags are ignored; known sections may be required or not.
          if (field.name == "flags") BOOST_TEST(refused == "");
          // Zero bytes, and all that cannot lie within a file of a few pages.
          const bool is_outside = value > whole.size() || (field.name == "length" && value == 0);
          if (is_outside && field.name != "flags") BOOST_TEST(refused != "");
        }
      }
    }
  }
  std::cout << "{\"harness\": \"section_table_extremes\", \"refused\": " << num_refused
            << ", \"harmless\": " << num_harmless << "}\n";
}

// What a field may be, by FORMAT.md, section 4.
struct RecordField {
  Field field;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::optional<std::uint64_t> also = {};
};

BOOST_AUTO_TEST_CASE(every_field_of_a_record_is_refused_exactly_when_it_leaves_its_range) {
  const std::uint64_t images = start_of("images");
  const std::uint64_t images_bytes = SealedShard(whole).section("images").size();
  for (const std::size_t sample : {0, 63, 64, 69}) {  // both ends of both pages
    const std::size_t record = start_of("index") + 64 * sample;
    const auto stored = [&](std::size_t at, std::size_t width_bytes) {
      return tests::get_number(std::span(whole).subspan(record + at, width_bytes));
    };
    const std::uint64_t offset = stored(0, 8);
    const std::uint64_t length = stored(16, 4);
    for (const RecordField& row :
         {RecordField{{"offset_bytes", 0, 8}, images, images + images_bytes - length},
          RecordField{{"xxh3", 8, 8}, 0, UINT64_MAX},  // the sample's own matter
          RecordField{{"length_bytes", 16, 4}, 1, images + images_bytes - offset},
          RecordField{{"class_idx", 20, 4}, 0, 1, 0xFFFFFFFF},
          RecordField{{"width_px", 24, 4}, 1, 65535}, RecordField{{"height_px", 28, 4}, 1, 65535},
          RecordField{{"codec", 32, 1}, 0, 255}, RecordField{{"orientation", 33, 1}, 1, 8},
          RecordField{{"status", 34, 1}, 0, 255}, RecordField{{"flags", 35, 1}, 0, 255},
          RecordField{{"components", 36, 1}, 1, 4}, RecordField{{"subsampling_x", 37, 1}, 1, 4},
          RecordField{{"subsampling_y", 38, 1}, 1, 4},
          RecordField{{"reserved", 39, 8}, 0, UINT64_MAX}}) {
      const Field& field = row.field;
      std::vector<std::uint64_t> values =
          extremes(stored(field.at, field.width_bytes), field.width_bytes);
      // The ends of the range and what is next to them.
      for (const std::uint64_t value : {row.least - 1, row.least, row.most, row.most + 1}) {
        const std::uint64_t max = UINT64_MAX >> (64 - 8 * field.width_bytes);
        if (value <= max) values.push_back(value);
      }
      for (const std::uint64_t value : values) {
        const bool is_allowed = (value >= row.least && value <= row.most) || row.also == value;
        BOOST_TEST_CONTEXT("sample " << sample << ": " << field.name << " = " << value) {
          const std::string refused = read_with(record + field.at, value, field.width_bytes);
          BOOST_TEST(refused.empty() == is_allowed);
          if (!is_allowed) {
            // A length too large leaves no place for its offset: either may be named.
            BOOST_TEST(refused.find(": sample " + std::to_string(sample) + ": ") !=
                       std::string::npos);
            BOOST_TEST((field.name == "length_bytes" ||
                        refused.find(": " + field.name + ": expected ") != std::string::npos));
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(offsets_of_names_at_their_extremes_are_refused_and_read_as_none) {
  const std::size_t offsets = start_of("name_offsets");
  for (const std::size_t i : {0, 35, 70}) {
    const std::uint64_t right = tests::get_number(std::span(whole).subspan(offsets + 8 * i, 8));
    for (const std::uint64_t value : extremes(right, 8)) {
      BOOST_TEST_CONTEXT("offset " << i << " = " << value) {
        const std::string refused = read_with(offsets + 8 * i, value, 8);
        // Between its neighbours an offset cuts one name shorter and the next longer.
        if (value > SealedShard(whole).section("names").size()) {
          BOOST_TEST(refused.find(": name ") != std::string::npos);
          BOOST_TEST(ShardFile::open(path).read_name(i == 0 ? 0 : i - 1) == "");
        }
      }
    }
  }
}

// FORMAT.md, section 3: class names are 4096 bytes wide at most, so that their section is no larger
// than the number of classes, which the manifest states too, allows.
BOOST_AUTO_TEST_CASE(class_names_wider_than_any_name_are_refused_before_they_are_read) {
  Bytes header(whole.begin(), whole.begin() + 4096);
  const std::uint64_t huge = std::uint64_t{1} << 34;
  const std::uint64_t size = 1 << 20;
  const std::span<std::byte> bytes(header);
  tests::put_number(bytes.subspan(16, 8), size + huge);
  const std::size_t row = SealedShard::section_at(3);
  BOOST_REQUIRE(std::memcmp(&header[row], "class_names", 12) == 0);
  tests::put_number(bytes.subspan(row + 24, 8), size);
  tests::put_number(bytes.subspan(row + 32, 8), huge);
  SealedShard(bytes).seal();
  std::ranges::copy(header, whole.begin());
  tests::write_bytes(path, whole);
  std::filesystem::resize_file(path, size + huge);  // sparse: takes no room on the disk
  const tests::AllocationCeiling ceiling(1 << 20);
  BOOST_CHECK_EXCEPTION(ShardFile::open(path), Error, [&](const Error& error) {
    BOOST_TEST(error.what() == "shard: " + path.native() +
                                   ": section class_names: expected at most 4096 bytes for "
                                   "each of 2 classes, found 17179869184 bytes");
    return error.code() == ErrorCode::kCorruptData;
  });
}

// Two shards of one shape in each of two datasets; all four differ in their contents.
struct TwoDatasets {
  TwoDatasets() {
    for (const char* name : {"a", "b"}) {
      const std::filesystem::path path = folder.path() / name;
      std::filesystem::create_directory(path);
      Manifest manifest;
      manifest.class_names = {"circle", "ring"};
      manifest.splits = {{.name = "train",
                          .num_samples = 6,
                          .num_by_class = {4, 2},
                          .shards = {write(path, "train-00000.h5", name[0]),
                                     write(path, "train-00001.h5", name[0] + 2)}}};
      write_manifest(path, manifest);
    }
  }
  static ManifestShard write(const std::filesystem::path& path, const char* file, int variant) {
    const ShardMaker maker;
    ShardWriter writer(path / file, maker.config());
    for (std::size_t i = 0; i < 3; ++i) {
      const Bytes encoded = tests::sample_bytes(i + 10 * variant, 3 * ShardMaker::num_px(i));
      writer.add({.encoded = encoded,
                  .record = {.class_idx = static_cast<std::uint32_t>(i % 2),
                             .width_px = static_cast<std::uint32_t>(ShardMaker::num_px(i)),
                             .height_px = 1,
                             .codec = 1},
                  .name = ShardMaker::name(i)});
    }
    return writer.finish();
  }
  std::filesystem::path shard(const char* dataset, int number) const {
    return folder.path() / dataset / ("train-0000" + std::to_string(number) + ".h5");
  }
  static void swap_files(const std::filesystem::path& a, const std::filesystem::path& b) {
    std::filesystem::path aside = a;
    aside += ".aside";
    std::filesystem::rename(a, aside);
    std::filesystem::rename(b, a);
    std::filesystem::rename(aside, b);
  }
  std::string refusal(const char* dataset) const {
    try {
      Dataset::open(folder.path() / dataset).split("train");
      return {};
    } catch (const Error& error) {
      BOOST_TEST(
          (error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kUnsupported));
      BOOST_TEST(!error.hint().empty());
      return error.what();
    }
  }

  tests::TemporaryFolder folder;
};

BOOST_FIXTURE_TEST_CASE(shards_that_changed_places_are_refused_by_name, TwoDatasets) {
  BOOST_TEST(refusal("a") == "");
  const std::string first = ShardFile::open(shard("a", 0)).uuid();
  const std::string second = ShardFile::open(shard("a", 1)).uuid();
  swap_files(shard("a", 0), shard("a", 1));
  BOOST_TEST(refusal("a") == "shard: " + shard("a", 0).native() + ": uuid: expected " + first +
                                 " (dataset.json), found " + second);
  swap_files(shard("a", 0), shard("a", 1));
  BOOST_TEST(refusal("a") == "");
}

BOOST_FIXTURE_TEST_CASE(shards_of_another_dataset_are_refused_by_name, TwoDatasets) {
  swap_files(shard("a", 1), shard("b", 1));
  for (const char* dataset : {"a", "b"}) {
    BOOST_TEST(
        refusal(dataset).starts_with("shard: " + shard(dataset, 1).native() + ": uuid: expected "));
  }
  swap_files(folder.path() / "a" / "dataset.json", folder.path() / "b" / "dataset.json");
  for (const char* dataset : {"a", "b"}) {  // now the second shards fit and the first do not
    BOOST_TEST(
        refusal(dataset).starts_with("shard: " + shard(dataset, 0).native() + ": uuid: expected "));
  }
}

BOOST_FIXTURE_TEST_CASE(a_shard_of_a_newer_version_in_a_dataset_is_named, TwoDatasets) {
  Bytes bytes = tests::read_bytes(shard("a", 1));
  tests::put_number(std::span(bytes).subspan(8, 4), 2);
  SealedShard(bytes).seal();
  tests::write_bytes(shard("a", 1), bytes);
  BOOST_TEST(refusal("a") ==
             "shard: " + shard("a", 1).native() + ": expected format version 1, found 2");
}

BOOST_FIXTURE_TEST_CASE(a_shard_cut_at_any_length_is_named, TwoDatasets) {
  const Bytes bytes = tests::read_bytes(shard("a", 1));
  // Byte by byte over the header's fields, then in odd steps: shard_file_test cuts at every length.
  for (std::size_t length = 0; length < bytes.size(); length += length < 512 ? 1 : 509) {
    std::filesystem::remove(shard("a", 1));
    tests::write_bytes(shard("a", 1), {bytes.begin(), bytes.begin() + static_cast<long>(length)});
    BOOST_TEST(refusal("a").starts_with("shard: " + shard("a", 1).native() + ": expected "));
  }
  std::filesystem::remove(shard("a", 1));
  std::filesystem::create_directory(shard("a", 1));
  BOOST_CHECK_EXCEPTION(Dataset::open(folder.path() / "a").split("train"), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kIo; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
