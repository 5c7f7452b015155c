#include "streamer/shard/shard_header.h"

#include <algorithm>
#include <cstring>

#include "streamer/core/error.h"
#include "streamer/core/little_endian.h"
#include "streamer/shard/damaged_data.h"
#include "streamer/shard/shard_format.h"

namespace penstock {
namespace {

// Offsets and widths of FORMAT.md, sections 2 and 3.
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kNumSectionsAt = 12;
constexpr std::size_t kFileSizeAt = 16;
constexpr std::size_t kNumSamplesAt = 24;
constexpr std::size_t kUuidAt = 32;
constexpr std::size_t kNumClassesAt = 48;
constexpr std::size_t kSplitAt = 56;
constexpr std::size_t kSplitBytes = 64;
constexpr std::size_t kSectionsAt = 120;
constexpr std::size_t kChecksumAt = kShardHeaderBytes - 8;

constexpr std::size_t kSectionBytes = 56;
constexpr std::size_t kSectionNameBytes = 24;
constexpr std::size_t kMaxSections = (kChecksumAt - kSectionsAt) / kSectionBytes;
constexpr std::uint32_t kSectionRequired = 1;

constexpr std::string_view kKnownSections[] = {"images",      "index",        "index_page_xxh3",
                                               "class_names", "name_offsets", "names"};

void put_text(std::string_view text, std::byte* at) {
  std::memcpy(at, text.data(), text.size());
}

// The text before the first zero byte.
std::string get_text(const std::byte* at, std::size_t width) {
  const char* begin = reinterpret_cast<const char*>(at);
  return {begin, std::find(begin, begin + width, '\0')};
}

ShardSection parse_section(const std::byte* entry, std::uint64_t file_size_bytes,
                           const std::string& where) {
  ShardSection section{.name = get_text(entry, kSectionNameBytes),
                       .offset_bytes = load_le<std::uint64_t>(entry + 24),
                       .length_bytes = load_le<std::uint64_t>(entry + 32),
                       .xxh3 = load_le<std::uint64_t>(entry + 40),
                       .is_required = (load_le<std::uint32_t>(entry + 48) & kSectionRequired) != 0};
  if (section.name.empty()) throw_damaged_shard(where, "expected a section name, found none");
  if (section.length_bytes == 0) {
    throw_damaged_shard(where, "section " + section.name + ": expected at least 1 byte, found 0");
  }
  if (section.offset_bytes < kShardHeaderBytes || section.offset_bytes > file_size_bytes ||
      section.length_bytes > file_size_bytes - section.offset_bytes) {
    throw_damaged_shard(where, "section " + section.name + ": expected bytes within [4096, " +
                                   std::to_string(file_size_bytes) + "), found " +
                                   std::to_string(section.length_bytes) + " bytes at " +
                                   std::to_string(section.offset_bytes));
  }
  if (section.is_required &&
      std::ranges::find(kKnownSections, section.name) == std::end(kKnownSections)) {
    throw Error(ErrorCode::kUnsupported,
                "shard: " + where + ": expected sections known to this version, found " +
                    section.name + ", which the shard says is required",
                "read it with a newer penstock");
  }
  return section;
}

void check_apart(std::vector<ShardSection> sections, const std::string& where) {
  std::ranges::sort(sections, {}, &ShardSection::offset_bytes);
  for (std::size_t i = 1; i < sections.size(); ++i) {
    const ShardSection& before = sections[i - 1];
    // The sum cannot overflow: every section lies within the file.
    if (before.offset_bytes + before.length_bytes > sections[i].offset_bytes) {
      throw_damaged_shard(where, "expected sections apart, found " + before.name + " and " +
                                     sections[i].name + " overlapping");
    }
  }
}

const ShardSection& demand(const ShardHeader& header, std::string_view name,
                           const std::string& where) {
  const ShardSection* section = header.find(name);
  if (section == nullptr) {
    throw_damaged_shard(where, "expected a section " + std::string(name) + ", found none");
  }
  return *section;
}

void demand_length(const ShardSection& section, std::uint64_t length_bytes,
                   const std::string& where) {
  if (section.length_bytes == length_bytes) return;
  throw_damaged_shard(where, "section " + section.name + ": expected " +
                                 std::to_string(length_bytes) + " bytes, found " +
                                 std::to_string(section.length_bytes));
}

void check_counts(const ShardHeader& header, const std::string& where) {
  const std::uint64_t n = header.num_samples;
  // Each sample has an index record within the file: this bounds every product below.
  if (n == 0 || n > header.file_size_bytes / sizeof(IndexRecord)) {
    throw_damaged_shard(where, "num_samples: expected 1 to " +
                                   std::to_string(header.file_size_bytes / sizeof(IndexRecord)) +
                                   ", found " + std::to_string(n));
  }
  demand(header, "images", where);
  const ShardSection& index = demand(header, "index", where);
  demand_length(index, n * sizeof(IndexRecord), where);
  if (index.offset_bytes % kSectionAlignmentBytes != 0) {
    throw_damaged_shard(where, "section index: expected an offset divisible by 4096, found " +
                                   std::to_string(index.offset_bytes));
  }
  demand_length(demand(header, "index_page_xxh3", where),
                (n + kRecordsPerPage - 1) / kRecordsPerPage * sizeof(std::uint64_t), where);

  const ShardSection& class_names = demand(header, "class_names", where);
  if (header.num_classes > kMaxClasses) {
    throw_damaged_shard(where, "num_classes: expected 1 to " + std::to_string(kMaxClasses) +
                                   ", found " + std::to_string(header.num_classes));
  }
  if (header.num_classes == 0 || class_names.length_bytes % header.num_classes != 0) {
    throw_damaged_shard(where, "section class_names: expected equal widths for " +
                                   std::to_string(header.num_classes) + " classes, found " +
                                   std::to_string(class_names.length_bytes) + " bytes");
  }
  if (class_names.length_bytes / header.num_classes > kMaxClassNameBytes) {
    throw_damaged_shard(where, "section class_names: expected at most " +
                                   std::to_string(kMaxClassNameBytes) + " bytes for each of " +
                                   std::to_string(header.num_classes) + " classes, found " +
                                   std::to_string(class_names.length_bytes) + " bytes");
  }
  if (header.find("names") != nullptr || header.find("name_offsets") != nullptr) {
    demand(header, "names", where);
    demand_length(demand(header, "name_offsets", where), (n + 1) * sizeof(std::uint64_t), where);
  }
}

}  // namespace

const ShardSection* ShardHeader::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(sections, name, &ShardSection::name);
  return found == sections.end() ? nullptr : &*found;
}

ShardHeaderBytes serialise_shard_header(const ShardHeader& header) {
  check_internal(header.sections.size() <= kMaxSections, "too many sections");
  check_internal(header.split.size() <= kMaxSplitNameBytes, "split name too long");
  ShardHeaderBytes bytes{};
  put_text({kShardMagic, sizeof kShardMagic}, bytes.data());
  store_le(std::uint32_t{kShardFormatVersion}, &bytes[kVersionAt]);
  store_le(static_cast<std::uint32_t>(header.sections.size()), &bytes[kNumSectionsAt]);
  store_le(header.file_size_bytes, &bytes[kFileSizeAt]);
  store_le(header.num_samples, &bytes[kNumSamplesAt]);
  std::memcpy(&bytes[kUuidAt], header.uuid.data(), header.uuid.size());
  store_le(header.num_classes, &bytes[kNumClassesAt]);
  put_text(header.split, &bytes[kSplitAt]);
  std::byte* entry = &bytes[kSectionsAt];
  for (const ShardSection& section : header.sections) {
    check_internal(section.name.size() <= kSectionNameBytes, "section name too long");
    put_text(section.name, entry);
    store_le(section.offset_bytes, entry + 24);
    store_le(section.length_bytes, entry + 32);
    store_le(section.xxh3, entry + 40);
    store_le(section.is_required ? kSectionRequired : std::uint32_t{0}, entry + 48);
    entry += kSectionBytes;
  }
  store_le(xxh3_64(std::span(bytes).first(kChecksumAt)), &bytes[kChecksumAt]);
  return bytes;
}

ShardHeader parse_shard_header(std::span<const std::byte, kShardHeaderBytes> bytes,
                               const std::string& where) {
  if (std::memcmp(bytes.data(), kShardMagic, sizeof kShardMagic) != 0) {
    throw_damaged_shard(where, "expected a Penstock header, found none");
  }
  const std::uint64_t computed = xxh3_64(bytes.first<kChecksumAt>());
  const std::uint64_t stored = load_le<std::uint64_t>(&bytes[kChecksumAt]);
  if (computed != stored) {
    throw_damaged_shard(where,
                        "header: expected checksum " + hex(stored) + ", found " + hex(computed));
  }
  const std::uint32_t version = load_le<std::uint32_t>(&bytes[kVersionAt]);
  if (version != kShardFormatVersion) {
    throw Error(ErrorCode::kUnsupported,
                "shard: " + where + ": expected format version " +
                    std::to_string(kShardFormatVersion) + ", found " + std::to_string(version),
                "read it with the penstock version that wrote it, or a newer one");
  }

  ShardHeader header;
  header.file_size_bytes = load_le<std::uint64_t>(&bytes[kFileSizeAt]);
  header.num_samples = load_le<std::uint64_t>(&bytes[kNumSamplesAt]);
  std::memcpy(header.uuid.data(), &bytes[kUuidAt], header.uuid.size());
  header.num_classes = load_le<std::uint32_t>(&bytes[kNumClassesAt]);
  header.split = get_text(&bytes[kSplitAt], kSplitBytes);
  if (header.split.size() > kMaxSplitNameBytes) {
    throw_damaged_shard(where, "split: expected at most " + std::to_string(kMaxSplitNameBytes) +
                                   " bytes and a zero byte, found no zero byte");
  }

  const std::uint32_t num_sections = load_le<std::uint32_t>(&bytes[kNumSectionsAt]);
  if (num_sections > kMaxSections) {
    throw_damaged_shard(where, "expected at most " + std::to_string(kMaxSections) +
                                   " sections, found " + std::to_string(num_sections));
  }
  for (std::size_t i = 0; i < num_sections; ++i) {
    ShardSection section =
        parse_section(&bytes[kSectionsAt + i * kSectionBytes], header.file_size_bytes, where);
    if (header.find(section.name) != nullptr) {
      throw_damaged_shard(where, "expected one section " + section.name + ", found two");
    }
    header.sections.push_back(std::move(section));
  }
  check_apart(header.sections, where);
  check_counts(header, where);
  return header;
}

}  // namespace penstock
