#include "tools/convert/image/tiff_tags.h"

#include "tools/convert/image/byte_reader.h"

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

}  // namespace

std::optional<std::uint32_t> read_tiff_tag(std::span<const std::byte> tiff, TiffTag tag) noexcept {
  const auto order = byte_order(tiff);
  if (!order || read_number(tiff, 2, 2, *order) != 42u) return std::nullopt;
  const auto directory = read_number(tiff, 4, 4, *order);
  if (!directory) return std::nullopt;
  const auto num_entries = read_number(tiff, *directory, 2, *order);
  if (!num_entries) return std::nullopt;
  for (std::uint64_t i = 0; i < *num_entries; ++i) {
    // At most 2^32 + 65535 * 12: no overflow in 64 bits.
    const std::uint64_t entry = *directory + 2 + i * kEntryBytes;
    const auto found = read_number(tiff, entry, 2, *order);
    if (!found) return std::nullopt;
    if (*found != static_cast<std::uint64_t>(tag)) continue;
    const auto type = read_number(tiff, entry + 2, 2, *order);
    const auto count = read_number(tiff, entry + 4, 4, *order);
    if (count != 1u || (type != kShort && type != kLong)) return std::nullopt;
    const auto value = read_number(tiff, entry + 8, type == kShort ? 2 : 4, *order);
    if (!value) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
  }
  return std::nullopt;
}

}  // namespace penstock::convert
