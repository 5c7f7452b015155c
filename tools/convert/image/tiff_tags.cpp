#include "tools/convert/image/tiff_tags.h"

namespace penstock::convert {
namespace {

constexpr std::uint64_t kShort = 3;
constexpr std::uint64_t kLong = 4;
constexpr std::uint64_t kEntryBytes = 12;

std::optional<ByteOrder> byte_order(std::span<const std::byte> tiff) noexcept {
  const auto mark = read_number(tiff, 0, 2, ByteOrder::kBig);
  if (mark == 0x4949u) return ByteOrder::kLittle;  // "II"
  if (mark == 0x4D4Du) return ByteOrder::kBig;     // "MM"
  return std::nullopt;
}

struct Entry {
  std::uint64_t type = 0;
  std::uint64_t count = 0;
  std::uint64_t value_at = 0;  // of the four bytes that hold the value, or say where it is
};

struct Directory {
  ByteOrder order = ByteOrder::kLittle;
  std::uint64_t begin = 0;
  std::uint64_t num_entries = 0;

  std::uint64_t entry_at(std::uint64_t i) const noexcept { return begin + 2 + i * kEntryBytes; }
};

std::optional<Directory> first_directory(std::span<const std::byte> tiff) noexcept {
  const auto order = byte_order(tiff);
  if (!order || read_number(tiff, 2, 2, *order) != 42u) return std::nullopt;
  const auto begin = read_number(tiff, 4, 4, *order);
  if (!begin) return std::nullopt;
  const auto num_entries = read_number(tiff, *begin, 2, *order);
  if (!num_entries) return std::nullopt;
  return Directory{*order, *begin, *num_entries};
}

std::optional<Entry> find_entry(std::span<const std::byte> tiff, const Directory& directory,
                                std::uint64_t tag) noexcept {
  for (std::uint64_t i = 0; i < directory.num_entries; ++i) {
    // At most 2^32 + 65535 * 12: no overflow in 64 bits.
    const std::uint64_t at = directory.entry_at(i);
    const auto found = read_number(tiff, at, 2, directory.order);
    if (!found) return std::nullopt;
    if (*found != tag) continue;
    const auto type = read_number(tiff, at + 2, 2, directory.order);
    const auto count = read_number(tiff, at + 4, 4, directory.order);
    if (!type || !count) return std::nullopt;
    return Entry{*type, *count, at + 8};
  }
  return std::nullopt;
}

std::optional<std::uint32_t> read_value(std::span<const std::byte> tiff, ByteOrder order,
                                        const Entry& entry) noexcept {
  if (entry.count == 0 || (entry.type != kShort && entry.type != kLong)) return std::nullopt;
  const std::size_t value_bytes = entry.type == kShort ? 2 : 4;
  std::uint64_t at = entry.value_at;
  constexpr std::uint64_t kInlineBytes = 4;
  if (entry.count * value_bytes > kInlineBytes) {
    const auto elsewhere = read_number(tiff, at, 4, order);
    if (!elsewhere) return std::nullopt;
    at = *elsewhere;
  }
  const auto value = read_number(tiff, at, value_bytes, order);
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

}  // namespace

std::optional<std::uint32_t> read_tiff_tag(std::span<const std::byte> tiff, TiffTag tag) noexcept {
  const auto directory = first_directory(tiff);
  if (!directory) return std::nullopt;
  const auto entry = find_entry(tiff, *directory, static_cast<std::uint64_t>(tag));
  if (!entry || entry->count != 1) return std::nullopt;
  return read_value(tiff, directory->order, *entry);
}

std::optional<TiffValuePlace> find_tiff_value(std::span<const std::byte> tiff,
                                              TiffTag tag) noexcept {
  if (!read_tiff_tag(tiff, tag)) return std::nullopt;
  const auto directory = first_directory(tiff);
  const auto entry = find_entry(tiff, *directory, static_cast<std::uint64_t>(tag));
  return TiffValuePlace{entry->value_at, entry->type == kShort ? 2u : 4u, directory->order};
}

std::optional<std::uint32_t> read_first_tiff_value(std::span<const std::byte> tiff,
                                                   TiffTag tag) noexcept {
  const auto directory = first_directory(tiff);
  if (!directory) return std::nullopt;
  const auto entry = find_entry(tiff, *directory, static_cast<std::uint64_t>(tag));
  return entry ? read_value(tiff, directory->order, *entry) : std::nullopt;
}

bool has_second_tiff_directory(std::span<const std::byte> tiff) noexcept {
  const auto directory = first_directory(tiff);
  if (!directory) return false;
  const auto next =
      read_number(tiff, directory->entry_at(directory->num_entries), 4, directory->order);
  return next && *next != 0;
}

std::span<const std::byte> read_tiff_icc(std::span<const std::byte> tiff) noexcept {
  constexpr std::uint64_t kIccTag = 34675;
  const auto directory = first_directory(tiff);
  if (!directory) return {};
  const auto entry = find_entry(tiff, *directory, kIccTag);
  if (!entry) return {};
  const auto begin = read_number(tiff, entry->value_at, 4, directory->order);
  if (!begin || *begin > tiff.size() || tiff.size() - *begin < entry->count) return {};
  return tiff.subspan(*begin, entry->count);
}

}  // namespace penstock::convert
