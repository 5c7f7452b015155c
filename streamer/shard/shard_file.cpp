#include "streamer/shard/shard_file.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/little_endian.h"
#include "streamer/shard/damaged_data.h"
#include "streamer/shard/index_page.h"
#include "streamer/shard/shard_header.h"

namespace penstock {
namespace {

constexpr std::string_view kHdf5Signature("\x89HDF\r\n\x1a\n", 8);

[[noreturn]] void throw_cut_short(const std::filesystem::path& path, std::uint64_t expected,
                                  std::uint64_t found) {
  throw_damaged_shard(
      path, "expected " + std::to_string(expected) + " bytes, found " + std::to_string(found));
}

void read_exactly(const UniqueFd& file, std::uint64_t offset, std::span<std::byte> bytes,
                  const std::filesystem::path& path) {
  const std::size_t got = read_at(file, offset, bytes, path);
  if (got != bytes.size()) throw_cut_short(path, offset + bytes.size(), offset + got);
}

}  // namespace

ShardFile ShardFile::open(const std::filesystem::path& path) {
  ShardFile shard;
  shard.path_ = path;
  shard.file_ = open_for_reading(path);
  shard.opened_ = file_stamp(shard.file_, path);

  ShardHeaderBytes bytes{};
  const std::size_t got = read_at(shard.file_, 0, bytes, path);
  if (std::memcmp(bytes.data(), kHdf5Signature.data(), kHdf5Signature.size()) == 0) {
    throw Error(ErrorCode::kUnsupported,
                "shard: " + path.native() + ": expected a Penstock header, found plain HDF5",
                "a tool that rewrites HDF5 files drops the header: " + repair_line(path));
  }
  if (got != bytes.size()) {
    throw_damaged_shard(path, "expected at least " + std::to_string(bytes.size()) +
                                  " bytes, found " + std::to_string(got));
  }
  const ShardHeader header = parse_shard_header(bytes, path.native());
  if (header.file_size_bytes != shard.size_bytes()) {
    throw_cut_short(path, header.file_size_bytes, shard.size_bytes());
  }

  shard.num_samples_ = header.num_samples;
  shard.num_classes_ = header.num_classes;
  shard.uuid_ = hex(header.uuid);
  shard.header_xxh3_ = hex(xxh3_64(bytes));
  const auto take = [&](std::string_view name) {
    const ShardSection* found = header.find(name);
    return found == nullptr ? Section{}
                            : Section{found->offset_bytes, found->length_bytes, found->xxh3};
  };
  shard.images_ = take("images");
  shard.index_ = take("index");
  shard.index_page_xxh3_ = take("index_page_xxh3");
  shard.class_names_ = take("class_names");
  shard.names_ = take("names");
  shard.name_offsets_ = take("name_offsets");
  return shard;
}

std::vector<std::byte> ShardFile::read_section(const Section& section, const char* name) const {
  std::vector<std::byte> bytes(section.length_bytes);  // within the file, as open() has checked
  read_exactly(file_, section.offset_bytes, bytes, path_);
  const std::uint64_t found = xxh3_64(bytes);
  if (found != section.xxh3) {
    throw_damaged_shard(path_, std::string(name) + ": expected checksum " + hex(section.xxh3) +
                                   ", found " + hex(found));
  }
  return bytes;
}

void ShardFile::check_pages(std::uint64_t first_page_idx, std::span<const std::byte> pages,
                            std::span<const std::byte> checksums,
                            std::span<IndexRecord> records) const {
  const IndexBounds bounds{.images_offset_bytes = images_.offset_bytes,
                           .images_length_bytes = images_.length_bytes,
                           .num_classes = num_classes_};
  const std::uint64_t first_sample_idx = first_page_idx * kRecordsPerPage;
  for (std::size_t at = 0; at < records.size(); at += kRecordsPerPage) {
    const std::size_t num_records = std::min(kRecordsPerPage, records.size() - at);
    const auto page = pages.subspan(at * sizeof(IndexRecord), num_records * sizeof(IndexRecord));
    const std::uint64_t expected = load_le<std::uint64_t>(&checksums[at / kRecordsPerPage * 8]);
    const std::uint64_t found = xxh3_64(page);
    if (found != expected) {
      check_unchanged();
      const std::uint64_t first = first_sample_idx + at;
      throw_damaged_shard(
          path_, "index page " + std::to_string(first / kRecordsPerPage) + " (samples " +
                     std::to_string(first) + " to " + std::to_string(first + num_records - 1) +
                     "): expected checksum " + hex(expected) + ", found " + hex(found));
    }
    for (std::size_t i = 0; i < num_records; ++i) {
      IndexRecord& record = records[at + i];
      record = load_index_record(
          std::span<const std::byte, 64>(&page[i * sizeof(IndexRecord)], sizeof(IndexRecord)));
      check_index_record(record, bounds, {.shard = path_, .sample_idx = first_sample_idx + at + i},
                         RecordUse::kRead);
    }
  }
}

void ShardFile::read_index_page(std::uint64_t page_idx, IndexPage& records) const {
  const std::uint64_t first_sample_idx = page_idx * kRecordsPerPage;
  check_internal(first_sample_idx < num_samples_, "an index page beyond the last");
  const auto num_records = static_cast<std::size_t>(
      std::min<std::uint64_t>(kRecordsPerPage, num_samples_ - first_sample_idx));
  std::array<std::byte, kIndexPageBytes> buffer;
  const auto page = std::span(buffer).first(num_records * sizeof(IndexRecord));
  // By itself: a checksum that is damaged does not fit its page either.
  std::array<std::byte, sizeof(std::uint64_t)> checksum;
  read_exactly(file_, index_.offset_bytes + page_idx * kIndexPageBytes, page, path_);
  read_exactly(file_, index_page_xxh3_.offset_bytes + page_idx * checksum.size(), checksum, path_);
  check_pages(page_idx, page, checksum, std::span(records).first(num_records));
}

void ShardFile::scan_index(const IndexVisitor& visit) const {
  constexpr std::size_t kPagesPerRead = 16;  // 64 KiB
  std::vector<std::byte> pages(kPagesPerRead * kIndexPageBytes);
  std::vector<IndexRecord> records(kPagesPerRead * kRecordsPerPage);
  std::array<std::byte, kPagesPerRead * sizeof(std::uint64_t)> checksums;
  StreamHasher hasher;
  std::uint64_t page_idx = 0;
  for (std::uint64_t done = 0; done < num_samples_; page_idx += kPagesPerRead) {
    const auto num_records =
        static_cast<std::size_t>(std::min<std::uint64_t>(records.size(), num_samples_ - done));
    const std::size_t num_pages = (num_records + kRecordsPerPage - 1) / kRecordsPerPage;
    const auto part = std::span(pages).first(num_records * sizeof(IndexRecord));
    const auto sums = std::span(checksums).first(num_pages * sizeof(std::uint64_t));
    read_exactly(file_, index_.offset_bytes + page_idx * kIndexPageBytes, part, path_);
    read_exactly(file_, index_page_xxh3_.offset_bytes + page_idx * sizeof(std::uint64_t), sums,
                 path_);
    hasher.update(sums);
    const auto found = std::span(records).first(num_records);
    check_pages(page_idx, part, sums, found);
    visit(done, found);
    done += num_records;
  }
  if (hasher.digest_64() == index_page_xxh3_.xxh3) return;
  check_unchanged();
  throw_damaged_shard(path_, "index_page_xxh3: expected checksum " + hex(index_page_xxh3_.xxh3) +
                                 ", found " + hex(hasher.digest_64()));
}

std::vector<IndexRecord> ShardFile::read_index() const {
  std::vector<IndexRecord> all;
  all.reserve(num_samples_);  // 64 bytes each, within the file, as open() has checked
  scan_index([&](std::uint64_t, std::span<const IndexRecord> records) {
    all.insert(all.end(), records.begin(), records.end());
  });
  return all;
}

std::vector<std::string> ShardFile::read_class_names() const {
  const std::vector<std::byte> bytes = read_section(class_names_, "class_names");
  const std::size_t width_bytes = bytes.size() / num_classes_;  // exactly, as open() has checked
  std::vector<std::string> names;
  names.reserve(num_classes_);
  for (std::uint32_t i = 0; i < num_classes_; ++i) {
    const char* const begin = reinterpret_cast<const char*>(&bytes[i * width_bytes]);
    names.emplace_back(begin, ::strnlen(begin, width_bytes));
  }
  return names;
}

std::vector<std::string> ShardFile::read_names() const {
  if (names_.length_bytes == 0) return {};
  const std::vector<std::byte> offsets = read_section(name_offsets_, "name_offsets");
  const std::vector<std::byte> pool = read_section(names_, "names");
  std::vector<std::string> names;
  names.reserve(num_samples_);
  for (std::uint64_t i = 0; i < num_samples_; ++i) {
    const std::uint64_t begin = load_le<std::uint64_t>(&offsets[i * 8]);
    const std::uint64_t end = load_le<std::uint64_t>(&offsets[i * 8 + 8]);
    if (begin >= end || end > pool.size()) {
      throw_damaged_shard(path_, "name " + std::to_string(i) + ": expected bytes within [0, " +
                                     std::to_string(pool.size()) + "), found [" +
                                     std::to_string(begin) + ", " + std::to_string(end) + ")");
    }
    names.emplace_back(reinterpret_cast<const char*>(&pool[begin]), end - begin - 1);
  }
  return names;
}

std::string ShardFile::read_name(std::uint64_t sample_idx) const noexcept try {
  constexpr std::uint64_t kMaxNameBytes = 4096;  // Linux: PATH_MAX
  if (names_.length_bytes == 0 || sample_idx >= num_samples_) return {};
  std::array<std::byte, 2 * sizeof(std::uint64_t)> bounds{};
  read_exactly(file_, name_offsets_.offset_bytes + sample_idx * 8, bounds, path_);
  const auto begin = load_le<std::uint64_t>(&bounds[0]);
  const auto end = load_le<std::uint64_t>(&bounds[8]);
  if (begin >= end || end > names_.length_bytes || end - begin > kMaxNameBytes) return {};
  std::string name(end - begin - 1, '\0');
  read_exactly(file_, names_.offset_bytes + begin, std::as_writable_bytes(std::span(name)), path_);
  return name;
} catch (const std::exception&) {
  return {};
}

void ShardFile::read_sample(const IndexRecord& record, std::span<std::byte> bytes) const {
  check_internal(bytes.size() == record.length_bytes, "read_sample: a buffer of another size");
  read_sample_part(record, 0, bytes);
}

void ShardFile::read_sample_part(const IndexRecord& record, std::uint64_t begin_bytes,
                                 std::span<std::byte> bytes) const {
  check_internal(
      begin_bytes <= record.length_bytes && bytes.size() <= record.length_bytes - begin_bytes,
      "read_sample_part: expected a part within the sample");
  const std::uint64_t offset_bytes = record.offset_bytes + begin_bytes;
  const std::size_t got = read_at(file_, offset_bytes, bytes, path_);
  if (got == bytes.size()) return;
  throw_damaged_shard(path_, "expected " + std::to_string(bytes.size()) + " bytes at offset " +
                                 std::to_string(offset_bytes) + ", found " + std::to_string(got) +
                                 " before the end of the file");
}

void ShardFile::check_unchanged() const {
  const FileStamp found = file_stamp(file_, path_);
  if (found == opened_) return;
  throw Error(ErrorCode::kCorruptData,
              "shard: " + path_.native() + ": expected the file as it was opened, " +
                  std::to_string(opened_.size_bytes) + " bytes, found it written to since, " +
                  std::to_string(found.size_bytes) + " bytes",
              "leave the dataset alone while it is read: convert into another folder, and start "
              "again");
}

void ShardFile::will_read(std::uint64_t offset_bytes, std::uint64_t length_bytes) const noexcept {
  static_cast<void>(::posix_fadvise(file_.get(), static_cast<off_t>(offset_bytes),
                                    static_cast<off_t>(length_bytes), POSIX_FADV_WILLNEED));
}

}  // namespace penstock
