#include "tools/care/care_shard.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/little_endian.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/damaged_data.h"
#include "streamer/shard/hdf5_survey.h"
#include "streamer/shard/index_page.h"
#include "streamer/shard/shard_header.h"

namespace penstock::care {
namespace {

constexpr std::uint64_t kMaxNameBytes = 4096;  // Linux: PATH_MAX

std::uint64_t num_pages(std::uint64_t num_samples) {
  return (num_samples + kRecordsPerPage - 1) / kRecordsPerPage;
}

// Holds what HDF5 metadata say of a shard's parts against each other.
void check_lengths(const Hdf5Survey& survey, const std::string& where) {
  const std::uint64_t n = survey.find("index")->length_bytes / sizeof(IndexRecord);
  const auto demand = [&](const char* name, std::uint64_t expected) {
    const Hdf5Part* const part = survey.find(name);
    if (part == nullptr || part->length_bytes == expected) return;
    throw_damaged_shard(
        where, fmt::format("/{}: expected {} bytes, found {}", name, expected, part->length_bytes));
  };
  demand("index_page_xxh3", num_pages(n) * 8);
  demand("name_offsets", (n + 1) * 8);
  const Hdf5Part& classes = *survey.find("class_names");
  const std::uint64_t num_classes = classes.length_bytes / classes.element_bytes;
  if (num_classes > kMaxClasses) {
    throw_damaged_shard(where, fmt::format("/class_names: expected at most {} classes, found {}",
                                           kMaxClasses, num_classes));
  }
}

// Whole, for all that is known, in a form that is not read here: the way back belongs to the message,
// which may become one line of many. The hint is the same as it is typed.
[[noreturn]] void refuse_form(const Error& error, const std::filesystem::path& path) {
  const std::string file = shell_quoted(path.native());
  const std::string other = shell_quoted(path.native() + ".new");
  throw Error(ErrorCode::kUnsupported, fmt::format("{}; {}", error.what(), error.hint()),
              fmt::format("h5repack -l CONTI -f NONE {0} {1} && mv {1} {0} && {2}", file, other,
                          repair_line(path)));
}

Hdf5Survey survey_or_refuse(const CareShard::SurveySource& source,
                            const std::filesystem::path& path) {
  try {
    return source();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kUnsupported) refuse_form(error, path);
    throw;
  }
}

}  // namespace

CareShard CareShard::open(const std::filesystem::path& path, std::vector<std::string>& damage) {
  return open(
      path, [&] { return survey_hdf5(path); }, damage);
}

CareShard CareShard::open(const std::filesystem::path& path, const SurveySource& survey,
                          std::vector<std::string>& damage) {
  CareShard shard;
  shard.path_ = path;
  shard.file_ = open_for_reading(path);
  shard.size_bytes_ = file_size_bytes(shard.file_, path);
  if (!shard.open_by_header(damage)) {
    shard.open_by_hdf5(survey);
    return shard;
  }
  std::vector<std::string> by_header = std::move(damage);
  damage.clear();
  for (const ShardSection& section : shard.header_.sections) shard.keep_part(section, damage);
  shard.compare_with_hdf5(survey, damage);
  damage.insert(damage.begin(), by_header.begin(), by_header.end());
  shard.demand_parts();
  return shard;
}

bool CareShard::open_by_header(std::vector<std::string>& damage) {
  ShardHeaderBytes bytes{};
  if (read_at(file_, 0, bytes, path_) != bytes.size()) {
    throw_damaged_shard(path_.native(), fmt::format("expected at least {} bytes, found {}",
                                                    bytes.size(), size_bytes_));
  }
  ShardHeader header;
  try {
    header = parse_shard_header(bytes, path_.native());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorruptData) throw;
    damage.push_back(
        "header: expected Penstock's, found none that holds; read by its HDF5 metadata");
    return false;
  }
  if (header.file_size_bytes != size_bytes_) {
    damage.push_back(fmt::format("size: expected {} bytes (header), found {}",
                                 header.file_size_bytes, size_bytes_));
  }
  num_samples_ = header.num_samples;
  num_classes_ = header.num_classes;
  split_ = header.split;
  uuid_ = hex(header.uuid);
  header_xxh3_ = hex(xxh3_64(bytes));
  header_ = std::move(header);
  return true;
}

void CareShard::keep_part(const ShardSection& section, std::vector<std::string>& damage) {
  ShardPart part{section.name, section.offset_bytes, section.length_bytes, section.xxh3};
  if (part.offset_bytes > size_bytes_ || part.length_bytes > size_bytes_ - part.offset_bytes) {
    damage.push_back(
        fmt::format("section {}: expected it within the file, found it cut short", part.name));
    // What is left of the images can still be read, sample by sample.
    if (part.name != "images" || part.offset_bytes >= size_bytes_) return;
    part.length_bytes = size_bytes_ - part.offset_bytes;
  }
  parts_.push_back(std::move(part));
}

void CareShard::demand_parts() const {
  for (const char* const name : {"images", "index"}) {
    if (find(name) != nullptr) continue;
    throw_damaged_shard(path_.native(),
                        fmt::format("section {}: expected it in the file, found the file cut short "
                                    "before it",
                                    name));
  }
}

void CareShard::open_by_hdf5(const SurveySource& source) {
  const Hdf5Survey survey = survey_or_refuse(source, path_);
  check_lengths(survey, path_.native());
  guide_ = ShardGuide::kHdf5;
  for (const Hdf5Part& part : survey.parts) {
    parts_.push_back({part.name, part.offset_bytes, part.length_bytes, std::nullopt});
  }
  num_samples_ = survey.find("index")->length_bytes / sizeof(IndexRecord);
  const Hdf5Part& classes = *survey.find("class_names");
  num_classes_ = static_cast<std::uint32_t>(classes.length_bytes / classes.element_bytes);
  split_ = survey.split;
  uuid_ = survey.uuid;
}

// The header is enough to read by, unless the file was rewritten below it (h5repack keeps it).
void CareShard::compare_with_hdf5(const SurveySource& source, std::vector<std::string>& damage) {
  const auto tell = [&](const std::string& what) { damage.push_back("HDF5 metadata: " + what); };
  Hdf5Survey survey;
  try {
    survey = source();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorruptData && error.code() != ErrorCode::kUnsupported) throw;
    // Rewritten by another tool, unless what the header speaks of is where it says.
    const ShardSection& index = *header_.find("index");
    if (error.code() == ErrorCode::kUnsupported && !holds(index.offset_bytes, index)) {
      damage.clear();  // it only seemed cut short
      refuse_form(error, path_);
    }
    tell(error.what());
    return;
  }
  if (follow_moved_parts(survey)) {
    damage.clear();  // what was cut short by the header is somewhere else
    damage.push_back(
        "sections: expected them where the header says, found them where the HDF5 "
        "metadata say: rewritten by another tool");
    return;
  }
  for (const ShardPart& part : parts_) {
    const Hdf5Part* const found = survey.find(part.name);
    if (found == nullptr) {
      tell("expected a dataset " + part.name + ", found none");
    } else if (found->offset_bytes != part.offset_bytes ||
               found->length_bytes != part.length_bytes) {
      tell(fmt::format("{}: expected {} bytes at {} (header), found {} at {}", part.name,
                       part.length_bytes, part.offset_bytes, found->length_bytes,
                       found->offset_bytes));
    }
  }
  if (survey.split != split_) {
    tell(fmt::format("split: expected \"{}\" (header), found \"{}\"", split_, survey.split));
  }
  if (survey.uuid != uuid_) {
    tell(fmt::format("uuid: expected {} (header), found \"{}\"", uuid_, survey.uuid));
  }
}

// True when the index that the header vouches for is not where the header says, but where HDF5 does:
// then so is everything else, and the header's checksums still say what it must be.
bool CareShard::follow_moved_parts(const Hdf5Survey& survey) {
  const ShardSection& index = *header_.find("index");
  const Hdf5Part& moved = *survey.find("index");
  if (moved.length_bytes != index.length_bytes || holds(index.offset_bytes, index) ||
      !holds(moved.offset_bytes, index)) {
    return false;
  }
  parts_.clear();
  for (const ShardSection& section : header_.sections) {
    const Hdf5Part* const part = survey.find(section.name);
    if (part == nullptr) continue;
    const bool is_same_length = part->length_bytes == section.length_bytes;
    parts_.push_back({section.name, part->offset_bytes, part->length_bytes,
                      is_same_length ? std::optional(section.xxh3) : std::nullopt});
  }
  moved_bytes_ = survey.find("images")->offset_bytes - header_.find("images")->offset_bytes;
  return true;
}

// Whether the bytes at an offset are those that the header speaks of.
bool CareShard::holds(std::uint64_t offset_bytes, const ShardSection& section) const {
  if (offset_bytes > size_bytes_ || section.length_bytes > size_bytes_ - offset_bytes) return false;
  std::vector<std::byte> block(256u << 10);
  StreamHasher hasher;
  for (std::uint64_t done = 0; done < section.length_bytes;) {
    const auto size = std::min<std::uint64_t>(block.size(), section.length_bytes - done);
    if (read_at(file_, offset_bytes + done, std::span(block).first(size), path_) != size) {
      return false;
    }
    hasher.update(std::span(block).first(size));
    done += size;
  }
  return hasher.digest_64() == section.xxh3;
}

const ShardPart* CareShard::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(parts_, name, &ShardPart::name);
  return found == parts_.end() ? nullptr : &*found;
}

void CareShard::read(std::uint64_t offset_bytes, std::span<std::byte> bytes) const {
  const std::size_t got = read_at(file_, offset_bytes, bytes, path_);
  if (got == bytes.size()) return;
  throw_damaged_shard(path_.native(), fmt::format("expected {} bytes at {}, found the file's end",
                                                  bytes.size(), offset_bytes));
}

std::vector<std::string> CareShard::read_class_names() const {
  const ShardPart* const part = find("class_names");
  if (part == nullptr)
    throw_damaged_shard(path_.native(), "class_names: expected them, found none");
  std::vector<std::byte> bytes(part->length_bytes);  // within the file
  read(part->offset_bytes, bytes);
  if (part->xxh3 && xxh3_64(bytes) != *part->xxh3) {
    throw_damaged_shard(path_.native(), "class_names: expected checksum " + hex(*part->xxh3) +
                                            ", found " + hex(xxh3_64(bytes)));
  }
  const std::size_t width_bytes = bytes.size() / num_classes_;
  std::vector<std::string> names;
  names.reserve(num_classes_);
  for (std::uint32_t i = 0; i < num_classes_; ++i) {
    const char* const begin = reinterpret_cast<const char*>(&bytes[i * width_bytes]);
    names.emplace_back(begin, ::strnlen(begin, width_bytes));
  }
  return names;
}

std::string CareShard::read_name(std::uint64_t sample_idx) const noexcept try {
  const ShardPart* const offsets = find("name_offsets");
  const ShardPart* const names = find("names");
  if (offsets == nullptr || names == nullptr || sample_idx >= num_samples_) return {};
  std::array<std::byte, 16> bounds{};
  read(offsets->offset_bytes + sample_idx * 8, bounds);
  const auto begin = load_le<std::uint64_t>(&bounds[0]);
  const auto end = load_le<std::uint64_t>(&bounds[8]);
  if (begin >= end || end > names->length_bytes || end - begin > kMaxNameBytes) return {};
  std::string name(end - begin - 1, '\0');
  read(names->offset_bytes + begin, std::as_writable_bytes(std::span(name)));
  return name;
} catch (const std::exception&) {
  return {};
}

std::uint64_t CareShard::num_index_pages() const noexcept {
  return num_pages(num_samples_);
}

std::vector<IndexRecord> CareShard::read_index_page(std::uint64_t page_idx,
                                                    std::uint64_t& xxh3) const {
  check_internal(page_idx < num_index_pages(), "an index page beyond the last");
  const std::uint64_t first = page_idx * kRecordsPerPage;
  std::array<std::byte, kIndexPageBytes> buffer;
  const auto page = std::span(buffer).first(static_cast<std::size_t>(
      std::min<std::uint64_t>(kRecordsPerPage, num_samples_ - first) * sizeof(IndexRecord)));
  read(find("index")->offset_bytes + page_idx * kIndexPageBytes, page);
  xxh3 = xxh3_64(page);
  std::vector<IndexRecord> records;
  for (std::size_t at = 0; at < page.size(); at += sizeof(IndexRecord)) {
    records.push_back(
        load_index_record(std::span<const std::byte, 64>(&page[at], sizeof(IndexRecord))));
  }
  return records;
}

std::optional<std::uint64_t> CareShard::read_page_sum(std::uint64_t page_idx) const {
  const ShardPart* const sums = find("index_page_xxh3");
  if (sums == nullptr) return std::nullopt;
  std::array<std::byte, 8> bytes{};
  read(sums->offset_bytes + page_idx * bytes.size(), bytes);
  return load_le<std::uint64_t>(bytes.data());
}

void CareShard::read_sample(const IndexRecord& record, std::vector<std::byte>& bytes) const {
  bytes.resize(record.length_bytes);
  read(offset_of(record), bytes);
  const std::uint64_t found = xxh3_64(bytes);
  if (found == record.xxh3) return;
  throw_damaged_shard(path_.native(),
                      "checksum: expected " + hex(record.xxh3) + ", found " + hex(found));
}

}  // namespace penstock::care
