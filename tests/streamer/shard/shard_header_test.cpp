#include "streamer/shard/shard_header.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <limits>

#include "streamer/core/error.h"

namespace penstock {
namespace {

// The header of the smallest file, put together by hand from the tables of FORMAT.md, sections 2
// and 3. Its checksum was computed with XXH3_64bits() of libxxhash 0.8.1 in a program of its own.
class HandMadeHeader {
 public:
  HandMadeHeader() {
    bytes(0, {0x89, 'P', 'S', 'H', 'D', 0x0D, 0x0A, 0x1A});
    number(8, 1, 4);                                            // version
    number(12, 6, 4);                                           // sections
    number(16, 0x900C, 8);                                      // file size
    number(24, 1, 8);                                           // samples
    bytes(32, {0x23, 0x42, 0x07, 0x9F, 0xB1, 0x41, 0x55, 0xCB,  //
               0xCB, 0xCF, 0x0A, 0xD2, 0xBE, 0xA5, 0x2E, 0x82});
    number(48, 1, 4);  // classes
    text(56, "train");
    section(0, "images", 0x4000, 3, 0x13EA8E2E3F5E2169, 1);
    section(1, "index", 0x5000, 64, 0x131D41DE5E0B5146, 1);
    section(2, "index_page_xxh3", 0x6000, 8, 0xF11F1927C38387AA, 1);
    section(3, "class_names", 0x7000, 3, 0x67B1DC007BBE6755, 1);
    section(4, "name_offsets", 0x8000, 16, 0x04D54E82812B9535, 0);
    section(5, "names", 0x9000, 12, 0xA5333BA0CF04DD40, 0);
    number(4088, 0x91FFCDCC15D4BEE4, 8);
  }

  void number(std::size_t at, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) {
      bytes_[at + i] = static_cast<std::byte>(value >> (8 * i));
    }
  }
  void text(std::size_t at, const char* value) {
    std::memcpy(&bytes_[at], value, std::strlen(value));
  }
  void bytes(std::size_t at, std::initializer_list<unsigned> values) {
    for (const unsigned value : values) bytes_[at++] = static_cast<std::byte>(value);
  }
  void section(std::size_t entry, const char* name, std::uint64_t offset, std::uint64_t length,
               std::uint64_t xxh3, std::uint32_t flags) {
    const std::size_t at = section_at(entry);
    std::memset(&bytes_[at], 0, 56);
    text(at, name);
    number(at + 24, offset, 8);
    number(at + 32, length, 8);
    number(at + 40, xxh3, 8);
    number(at + 48, flags, 4);
  }
  static std::size_t section_at(std::size_t entry) { return 120 + 56 * entry; }

  // Makes the checksum agree again after a change.
  HandMadeHeader& seal() {
    number(4088, xxh3_64(std::span(bytes_).first(4088)), 8);
    return *this;
  }
  ShardHeader parse() const { return parse_shard_header(bytes_, "F"); }
  ShardHeaderBytes& raw() { return bytes_; }

 private:
  ShardHeaderBytes bytes_{};
};

void expect(const HandMadeHeader& header, ErrorCode code, const std::string& text) {
  BOOST_CHECK_EXCEPTION(header.parse(), Error, [&](const Error& error) {
    BOOST_TEST(error.what() == text);
    BOOST_TEST(!error.hint().empty());
    return error.code() == code;
  });
}

BOOST_AUTO_TEST_SUITE(shard_header)

BOOST_AUTO_TEST_CASE(a_header_made_by_hand_is_understood) {
  const ShardHeader header = HandMadeHeader().parse();
  BOOST_TEST(header.file_size_bytes == 36876u);
  BOOST_TEST(header.num_samples == 1u);
  BOOST_TEST(hex(header.uuid) == "2342079fb14155cbcbcf0ad2bea52e82");
  BOOST_TEST(header.num_classes == 1u);
  BOOST_TEST(header.split == "train");
  BOOST_REQUIRE(header.sections.size() == 6u);
  const ShardSection* images = header.find("images");
  BOOST_REQUIRE(images != nullptr);
  BOOST_TEST(images->offset_bytes == 16384u);
  BOOST_TEST(images->length_bytes == 3u);
  BOOST_TEST(images->xxh3 == 0x13EA8E2E3F5E2169u);
  BOOST_TEST(images->is_required);
  BOOST_TEST(!header.find("names")->is_required);
  BOOST_TEST((header.find("other") == nullptr));
}

BOOST_AUTO_TEST_CASE(what_is_serialised_equals_the_header_made_by_hand) {
  HandMadeHeader by_hand;
  BOOST_TEST((serialise_shard_header(by_hand.parse()) == by_hand.raw()));
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_is_noticed) {
  HandMadeHeader header;
  for (std::size_t at = 0; at < kShardHeaderBytes; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      header.raw()[at] ^= static_cast<std::byte>(1u << bit);
      BOOST_REQUIRE_EXCEPTION(header.parse(), Error, [](const Error& error) {
        return error.code() == ErrorCode::kCorruptData;
      });
      header.raw()[at] ^= static_cast<std::byte>(1u << bit);
    }
  }
  BOOST_CHECK_NO_THROW(header.parse());
}

BOOST_AUTO_TEST_CASE(a_newer_version_is_unsupported) {
  HandMadeHeader header;
  header.number(8, 2, 4);
  expect(header.seal(), ErrorCode::kUnsupported, "shard: F: expected format version 1, found 2");
}

BOOST_AUTO_TEST_CASE(an_unknown_section_is_skipped_unless_it_is_required) {
  HandMadeHeader header;
  header.number(12, 7, 4);
  header.section(6, "targets", 0x3000, 8, 1, 0);
  BOOST_TEST(header.seal().parse().sections.size() == 7u);
  header.section(6, "targets", 0x3000, 8, 1, 1);
  expect(header.seal(), ErrorCode::kUnsupported,
         "shard: F: expected sections known to this version, found targets, which the shard says "
         "is required");
}

BOOST_AUTO_TEST_CASE(names_may_be_left_out_but_only_together) {
  HandMadeHeader header;
  header.number(12, 4, 4);
  BOOST_TEST(header.seal().parse().sections.size() == 4u);
  header.number(12, 5, 4);
  expect(header.seal(), ErrorCode::kCorruptData, "shard: F: expected a section names, found none");
}

BOOST_AUTO_TEST_CASE(hostile_counts_are_refused_though_the_checksum_agrees) {
  for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{577}, std::uint64_t{1} << 58,
                                    std::numeric_limits<std::uint64_t>::max()}) {
    HandMadeHeader header;
    header.number(24, count, 8);
    expect(header.seal(), ErrorCode::kCorruptData,  // 36876 / 64 = 576.2
           "shard: F: num_samples: expected 1 to 576, found " + std::to_string(count));
  }
  HandMadeHeader more;
  more.number(24, 2, 8);
  expect(more.seal(), ErrorCode::kCorruptData,
         "shard: F: section index: expected 128 bytes, found 64");
  HandMadeHeader sections;
  sections.number(12, 0xFFFFFFFF, 4);
  expect(sections.seal(), ErrorCode::kCorruptData,
         "shard: F: expected at most 70 sections, found 4294967295");
  for (const std::uint64_t num_classes : {0, 2}) {
    HandMadeHeader classes;
    classes.number(48, num_classes, 4);
    expect(classes.seal(), ErrorCode::kCorruptData,
           "shard: F: section class_names: expected equal widths for " +
               std::to_string(num_classes) + " classes, found 3 bytes");
  }
}

BOOST_AUTO_TEST_CASE(a_split_name_that_fills_its_field_is_refused) {
  HandMadeHeader header;
  const std::string longest(63, 'x');  // FORMAT.md, section 2: 64 bytes, one of them zero
  header.text(56, longest.c_str());
  BOOST_TEST(header.seal().parse().split == longest);
  header.text(56, std::string(64, 'x').c_str());
  expect(header.seal(), ErrorCode::kCorruptData,
         "shard: F: split: expected at most 63 bytes and a zero byte, found no zero byte");
}

BOOST_AUTO_TEST_CASE(sections_outside_the_file_are_refused) {
  struct Range {
    std::uint64_t offset, length;
  };
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  for (const Range range :
       {Range{0, 3}, Range{4095, 3}, Range{0x900D, 1}, Range{0x900A, 3}, Range{0x4000, kMax},
        Range{kMax, 3}, Range{kMax - 2, 3}, Range{0x4000, kMax - 0x3FFF}}) {
    HandMadeHeader header;
    header.section(0, "images", range.offset, range.length, 0, 1);
    expect(header.seal(), ErrorCode::kCorruptData,
           "shard: F: section images: expected bytes within [4096, 36876), found " +
               std::to_string(range.length) + " bytes at " + std::to_string(range.offset));
  }
}

BOOST_AUTO_TEST_CASE(sections_that_contradict_each_other_are_refused) {
  HandMadeHeader overlap;
  overlap.section(0, "images", 0x4000, 0x1001, 0, 1);
  expect(overlap.seal(), ErrorCode::kCorruptData,
         "shard: F: expected sections apart, found images and index overlapping");
  HandMadeHeader twice;
  twice.section(5, "images", 0x9000, 12, 0, 0);
  expect(twice.seal(), ErrorCode::kCorruptData, "shard: F: expected one section images, found two");
  HandMadeHeader nameless;
  nameless.section(5, "", 0x9000, 12, 0, 0);
  expect(nameless.seal(), ErrorCode::kCorruptData, "shard: F: expected a section name, found none");
  HandMadeHeader empty;
  empty.section(5, "names", 0x9000, 0, 0, 0);
  expect(empty.seal(), ErrorCode::kCorruptData,
         "shard: F: section names: expected at least 1 byte, found 0");
  HandMadeHeader unaligned;
  unaligned.section(1, "index", 0x5008, 64, 0, 1);
  expect(unaligned.seal(), ErrorCode::kCorruptData,
         "shard: F: section index: expected an offset divisible by 4096, found 20488");
  HandMadeHeader without;
  without.section(0, "pictures", 0x4000, 3, 0, 0);
  expect(without.seal(), ErrorCode::kCorruptData,
         "shard: F: expected a section images, found none");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
