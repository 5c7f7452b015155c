#include "tools/convert/source/zip_directory.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/source/array_files.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/source/zip_member.h"

namespace penstock::convert {
namespace {

using tests::contains;
using tests::zip_file;
using tests::ZipPart;

struct ReadMember {
  std::string bytes;
  std::optional<ArchiveFault> fault;
};

struct ZipOnDisk {
  explicit ZipOnDisk(const std::string& bytes) {
    tests::write_file(path, bytes);
    file = open_for_reading(path);
  }
  std::vector<ZipMember> members() const { return read_zip_directory(file, path); }
  ReadMember read(const ZipMember& member) const {
    ReadMember read;
    const auto take = [&](std::span<const std::byte> piece) {
      read.bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    };
    read.fault = read_zip_member(file, path, member, take, {});
    return read;
  }

  tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "x.npz";
  UniqueFd file;
};

std::string error_of(const std::string& bytes) {
  const ZipOnDisk zip(bytes);
  try {
    zip.members();
  } catch (const Error& error) {
    BOOST_TEST(!error.hint().empty());
    return error.what();
  }
  return "no error";
}

BOOST_AUTO_TEST_SUITE(zip_reading)

BOOST_AUTO_TEST_CASE(stored_and_deflated_members_give_their_bytes) {
  const std::string long_text = tests::counted_bytes(700'001);  // several pieces and blocks
  const ZipOnDisk zip(zip_file({{.name = "a.npy", .bytes = "first"},
                                {.name = "b.npy", .bytes = long_text, .is_deflated = true},
                                {.name = "c.npy", .bytes = long_text},
                                {.name = "empty", .bytes = "", .is_deflated = true}}));
  const std::vector<ZipMember> members = zip.members();
  BOOST_REQUIRE(members.size() == 4u);
  BOOST_TEST(members[0].name == "a.npy");
  BOOST_TEST(zip.read(members[0]).bytes == "first");
  BOOST_TEST((zip.read(members[1]).bytes == long_text));
  BOOST_TEST((zip.read(members[2]).bytes == long_text));
  BOOST_TEST(zip.read(members[3]).bytes == "");
  for (const ZipMember& member : members) BOOST_TEST(!zip.read(member).fault);
}

BOOST_AUTO_TEST_CASE(sizes_of_zip64_are_read) {
  const ZipOnDisk zip(zip_file({{.name = "a", .bytes = "large", .has_zip64_sizes = true}}));
  BOOST_TEST(zip.members().at(0).size_bytes == 5u);
  BOOST_TEST(zip.read(zip.members().at(0)).bytes == "large");
}

BOOST_AUTO_TEST_CASE(a_checksum_that_differs_is_a_fault_with_both_numbers) {
  const ZipOnDisk zip(
      zip_file({{.name = "a", .bytes = "abc", .crc32_change = 1},
                {.name = "b", .bytes = "abc", .is_deflated = true, .crc32_change = 1}}));
  for (const ZipMember& member : zip.members()) {
    const ReadMember read = zip.read(member);
    BOOST_TEST(read.bytes == "abc");
    BOOST_REQUIRE(read.fault);
    BOOST_TEST((read.fault->reason == ReasonCode::kArchiveDamaged));
    // CRC-32 of "abc": zlib.crc32(b"abc") of Python
    BOOST_TEST(read.fault->detail == "CRC-32: expected 352441c3, found 352441c2");
  }
}

BOOST_AUTO_TEST_CASE(data_that_are_longer_or_shorter_than_they_say_are_faults) {
  const ZipOnDisk zip(zip_file({{.name = "a", .bytes = "abcdef", .is_deflated = true}}));
  ZipMember member = zip.members().at(0);
  member.size_bytes = 4;
  BOOST_TEST(zip.read(member).bytes == "abcd");
  BOOST_TEST(zip.read(member).fault->detail == "more than the 4 bytes it says");
  member.size_bytes = 9;
  BOOST_TEST(zip.read(member).fault->detail == "6 of 9 bytes");
  member.compressed_bytes = 7;  // within the block
  BOOST_TEST((zip.read(member).fault->reason == ReasonCode::kArchiveTruncated));
}

BOOST_AUTO_TEST_CASE(deflate_data_that_are_none_are_a_fault) {
  std::string bytes = zip_file({{.name = "a", .bytes = "abcdef", .is_deflated = true}});
  const ZipOnDisk whole(bytes);
  bytes[whole.members().at(0).data_offset_bytes] = '\x07';  // a block of type 3
  const ZipOnDisk zip(bytes);
  BOOST_TEST(zip.read(zip.members().at(0)).fault->detail == "invalid block type");  // zlib's words
}

BOOST_AUTO_TEST_CASE(a_file_cut_anywhere_is_damage) {
  const std::string whole = zip_file({{.name = "a.npy", .bytes = "some bytes"}});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    BOOST_TEST(error_of(whole.substr(0, length)) != "no error");
  }
}

BOOST_AUTO_TEST_CASE(encryption_and_other_compressions_are_refused) {
  BOOST_TEST(
      contains(error_of(zip_file({{.name = "a", .bytes = "x", .flags = 1}})), "no encryption"));
  std::string bytes = zip_file({{.name = "a", .bytes = "x"}});
  bytes[bytes.find("PK\x01\x02") + 10] = 14;  // LZMA
  BOOST_TEST(contains(error_of(bytes), "found method 14"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
