#include "streamer/shard/shard_file.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/shard/damaged_data.h"
#include "streamer/shard/shard_header.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::Bytes;
using tests::ShardMaker;

ShardHeader header_of(const std::filesystem::path& path) {
  const Bytes bytes = tests::read_bytes(path);
  return parse_shard_header(std::span<const std::byte, kShardHeaderBytes>(bytes.data(), 4096),
                            path.native());
}

// Reads all that the streamer reads, checksums of the samples included.
void read_everything(const std::filesystem::path& path) {
  const ShardFile shard = ShardFile::open(path);
  for (const IndexRecord& record : shard.read_index()) {
    Bytes bytes(record.length_bytes);
    shard.read_sample(record, bytes);
    if (xxh3_64(bytes) != record.xxh3) throw_damaged_shard(path.native(), "sample checksum");
  }
  shard.read_class_names();
  shard.read_names();
}

bool is_corrupt(const Error& error) {
  return error.code() == ErrorCode::kCorruptData &&
         error.hint().starts_with(
             "restore the file from a copy, or save what is left: penstock repair ");
}

struct Fixture {
  tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "train-00000.h5";
};

BOOST_FIXTURE_TEST_SUITE(shard_file, Fixture)

BOOST_AUTO_TEST_CASE(what_was_written_is_read_back) {
  const ShardMaker maker{.num_samples = 150};  // three index pages, the last one short
  const ManifestShard written = maker.write(path);
  const ShardFile shard = ShardFile::open(path);
  BOOST_TEST(shard.num_samples() == 150u);
  BOOST_TEST(shard.uuid() == written.uuid);
  BOOST_TEST(shard.size_bytes() == std::filesystem::file_size(path));
  const std::vector<IndexRecord> index = shard.read_index();
  const std::vector<std::string> names = shard.read_names();
  BOOST_REQUIRE(index.size() == 150u);
  BOOST_REQUIRE(names.size() == 150u);
  for (std::size_t i = 0; i < index.size(); ++i) {
    const Bytes expected = tests::sample_bytes(i, 3 * ShardMaker::num_px(i));
    BOOST_REQUIRE(index[i].length_bytes == expected.size());
    Bytes found(index[i].length_bytes);
    shard.read_sample(index[i], found);
    BOOST_TEST((found == expected));
    BOOST_TEST(index[i].xxh3 == xxh3_64(expected));
    BOOST_TEST(index[i].class_idx == i % 2);
    BOOST_TEST(index[i].width_px == ShardMaker::num_px(i));
    BOOST_TEST(index[i].height_px == 1u);
    BOOST_TEST(static_cast<int>(index[i].codec) == 1);
    BOOST_TEST(names[i] == ShardMaker::name(i));
  }
}

BOOST_AUTO_TEST_CASE(names_left_out_read_as_none) {
  ShardMaker{.store_names = false}.write(path);
  BOOST_TEST(ShardFile::open(path).read_names().empty());
}

BOOST_AUTO_TEST_CASE(every_truncation_length_is_noticed) {
  ShardMaker{.num_samples = 1, .store_names = false}.write(path);
  const std::uint64_t whole = std::filesystem::file_size(path);
  for (std::uint64_t length = whole; length-- > 0;) {
    BOOST_REQUIRE(::truncate(path.c_str(), static_cast<off_t>(length)) == 0);
    BOOST_REQUIRE_EXCEPTION(ShardFile::open(path), Error, is_corrupt);
  }
}

BOOST_AUTO_TEST_CASE(a_file_cut_short_is_told_in_bytes) {
  ShardMaker{}.write(path);
  const std::string whole = std::to_string(std::filesystem::file_size(path));
  BOOST_REQUIRE(::truncate(path.c_str(), 5000) == 0);
  BOOST_CHECK_EXCEPTION(ShardFile::open(path), Error, [&](const Error& error) {
    return error.what() == "shard: " + path.native() + ": expected " + whole + " bytes, found 5000";
  });
}

BOOST_AUTO_TEST_CASE(a_file_grown_longer_is_noticed) {
  ShardMaker{}.write(path);
  Bytes bytes = tests::read_bytes(path);
  bytes.push_back(std::byte{0});
  tests::write_bytes(path, bytes);
  BOOST_CHECK_EXCEPTION(ShardFile::open(path), Error, is_corrupt);
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_any_section_is_noticed) {
  ShardMaker{.num_samples = 70}.write(path);
  std::size_t num_flips = 0;
  for (const ShardSection& section : header_of(path).sections) {
    for (std::uint64_t i = 0; i < section.length_bytes; ++i) {
      const std::uint64_t at = section.offset_bytes + i;
      tests::flip_bit(path, at, i % 8);
      BOOST_REQUIRE_EXCEPTION(read_everything(path), Error, is_corrupt);
      tests::flip_bit(path, at, i % 8);
      ++num_flips;
    }
  }
  BOOST_TEST(num_flips > 70u * 64u);
  BOOST_CHECK_NO_THROW(read_everything(path));  // all flips were undone
}

BOOST_AUTO_TEST_CASE(a_flipped_index_page_is_named) {
  ShardMaker{.num_samples = 70}.write(path);
  tests::flip_bit(path, header_of(path).find("index")->offset_bytes + 4096, 0);
  BOOST_CHECK_EXCEPTION(ShardFile::open(path).read_index(), Error, [&](const Error& error) {
    return std::string(error.what())
        .starts_with("shard: " + path.native() +
                     ": index page 1 (samples 64 to 69): expected checksum ");
  });
}

BOOST_AUTO_TEST_CASE(a_file_cut_short_after_opening_is_noticed_by_the_read) {
  ShardMaker{}.write(path);
  const ShardFile shard = ShardFile::open(path);
  const std::vector<IndexRecord> index = shard.read_index();
  BOOST_REQUIRE(::truncate(path.c_str(), static_cast<off_t>(index[2].offset_bytes + 1)) == 0);
  Bytes bytes(index[2].length_bytes);
  BOOST_CHECK_EXCEPTION(shard.read_sample(index[2], bytes), Error, is_corrupt);
}

BOOST_AUTO_TEST_CASE(plain_hdf5_is_refused_as_unsupported) {
  // The signature of HDF5 files: File Format Specification 3.0, section II.A.
  tests::write_bytes(path, Bytes(8192));
  std::ofstream(path, std::ios::binary | std::ios::in).write("\x89HDF\r\n\x1a\n", 8);
  BOOST_CHECK_EXCEPTION(ShardFile::open(path), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kUnsupported &&
           error.what() ==
               "shard: " + path.native() + ": expected a Penstock header, found plain HDF5" &&
           error.hint() == "a tool that rewrites HDF5 files drops the header: penstock repair " +
                               folder.path().native();
  });
}

BOOST_AUTO_TEST_CASE(other_files_are_no_shards) {
  tests::write_bytes(path, Bytes(100000, std::byte{'x'}));
  BOOST_CHECK_EXCEPTION(ShardFile::open(path), Error, is_corrupt);
  tests::write_bytes(path, {});
  BOOST_CHECK_EXCEPTION(ShardFile::open(path), Error, is_corrupt);
  BOOST_CHECK_EXCEPTION(ShardFile::open(folder.path() / "none"), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kNotFound; });
}

// Changes an index record in the file and corrects the page's and the header's checksums.
void forge_record(const std::filesystem::path& path, std::size_t at, std::uint64_t value,
                  std::size_t width) {
  Bytes bytes = tests::read_bytes(path);
  ShardHeader header = header_of(path);
  const auto put = [&](std::uint64_t offset, std::uint64_t number, std::size_t num_bytes) {
    for (std::size_t i = 0; i < num_bytes; ++i) {
      bytes[offset + i] = static_cast<std::byte>(number >> (8 * i));
    }
  };
  put(header.find("index")->offset_bytes + at, value, width);
  for (const char* name : {"index", "index_page_xxh3"}) {
    for (ShardSection& section : header.sections) {
      if (section.name != name) continue;
      section.xxh3 = xxh3_64(std::span(bytes).subspan(section.offset_bytes, section.length_bytes));
      if (section.name == "index") {  // one page: its checksum is the section's
        put(header.find("index_page_xxh3")->offset_bytes, section.xxh3, 8);
      }
    }
  }
  const ShardHeaderBytes head = serialise_shard_header(header);
  std::ranges::copy(head, bytes.begin());
  tests::write_bytes(path, bytes);
}

BOOST_AUTO_TEST_CASE(a_record_that_points_elsewhere_is_refused_though_checksums_agree) {
  struct Forgery {
    std::size_t at;  // FORMAT.md, section 4
    std::uint64_t value;
    std::size_t width;
    const char* field;
  };
  for (const Forgery& forgery :
       {Forgery{0, 0, 8, "offset_bytes"}, Forgery{0, UINT64_MAX, 8, "offset_bytes"},
        Forgery{0, UINT64_MAX - 2, 8, "offset_bytes"}, Forgery{16, 0, 4, "length_bytes"},
        Forgery{16, UINT32_MAX, 4, "length_bytes"}, Forgery{20, 2, 4, "class_idx"},
        Forgery{24, 0, 4, "width_px"}, Forgery{28, 0, 4, "height_px"},
        Forgery{24, 65536, 4, "width_px"}, Forgery{28, UINT32_MAX, 4, "height_px"},
        Forgery{33, 0, 1, "orientation"}, Forgery{33, 9, 1, "orientation"},
        Forgery{36, 0, 1, "components"}, Forgery{37, 0, 1, "subsampling_x"},
        Forgery{38, 5, 1, "subsampling_y"}}) {
    std::filesystem::remove(path);
    ShardMaker{}.write(path);
    forge_record(path, forgery.at, forgery.value, forgery.width);
    BOOST_TEST_CONTEXT(forgery.field << " " << forgery.value) {
      BOOST_CHECK_EXCEPTION(ShardFile::open(path).read_index(), Error, [&](const Error& error) {
        return is_corrupt(error) && std::string(error.what())
                                        .starts_with("shard: " + path.native() + ": sample 0: " +
                                                     forgery.field + ": expected ");
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_codec_or_status_and_a_missing_label_are_no_errors_of_the_shard) {
  ShardMaker{}.write(path);
  forge_record(path, 32, 250, 1);
  BOOST_TEST(static_cast<int>(ShardFile::open(path).read_index().at(0).codec) == 250);
  forge_record(path, 34, 7, 1);
  BOOST_TEST(static_cast<int>(ShardFile::open(path).read_index().at(0).status) == 7);
  forge_record(path, 20, 0xFFFFFFFF, 4);
  BOOST_TEST(ShardFile::open(path).read_index().at(0).class_idx == 0xFFFFFFFFu);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
