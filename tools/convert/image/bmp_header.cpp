#include "tools/convert/image/bmp_header.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "tools/convert/image/byte_reader.h"
#include "tools/convert/image/picture_rows.h"

namespace penstock::convert {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kFileHeaderBytes = 14;
constexpr std::uint64_t kCoreHeaderBytes = 12;
constexpr std::uint64_t kInfoHeaderBytes = 40;
constexpr std::uint64_t kHeaderWithMasksBytes = 52;
constexpr std::uint64_t kHeaderWithAlphaBytes = 56;
constexpr std::uint64_t kOs2HeaderBytes = 64;  // its 3 and 4 are codings of its own
constexpr std::size_t kMasksAt = 54;

// biCompression in wingdi.h
enum Compression : std::uint64_t {
  kRgb = 0,
  kRle8 = 1,
  kRle4 = 2,
  kBitFields = 3,
  kAlphaFields = 6
};

std::uint64_t number(Bytes bmp, std::size_t at, std::size_t num_bytes) {
  return read_number(bmp, at, num_bytes, ByteOrder::kLittle).value_or(0);
}

// Behind the file's header stands one of several sizes; what it is too short for is zero.
std::uint64_t info(Bytes bmp, std::uint64_t header_bytes, std::size_t at, std::size_t num_bytes) {
  return at + num_bytes <= kFileHeaderBytes + header_bytes ? number(bmp, at, num_bytes) : 0;
}

bool is_possible(unsigned num_bits, std::uint64_t compression) {
  switch (compression) {
    case kRgb:
      return num_bits == 1 || num_bits == 2 || num_bits == 4 || num_bits == 8 || num_bits == 16 ||
             num_bits == 24 || num_bits == 32;
    case kRle8:
      return num_bits == 8;
    case kRle4:
      return num_bits == 4;
    case kBitFields:
    case kAlphaFields:
      return num_bits == 16 || num_bits == 32;
    default:
      return false;
  }
}

void read_fields(Bytes bmp, std::uint64_t header_bytes, std::uint64_t compression,
                 BmpHeader& header) {
  if (compression == kRgb) {
    const bool is_16 = header.num_bits == 16;
    header.fields[0].mask = is_16 ? 0x7C00 : 0xFF0000;
    header.fields[1].mask = is_16 ? 0x03E0 : 0x00FF00;
    header.fields[2].mask = is_16 ? 0x001F : 0x0000FF;
    return;
  }
  const bool has_alpha = header_bytes >= kHeaderWithAlphaBytes || compression == kAlphaFields;
  for (std::size_t i = 0; i < (has_alpha ? 4 : 3); ++i) {
    header.fields[i].mask = static_cast<std::uint32_t>(number(bmp, kMasksAt + 4 * i, 4));
  }
}

std::size_t palette_at(std::uint64_t header_bytes, std::uint64_t compression) {
  const bool has_masks_behind = header_bytes < kHeaderWithMasksBytes &&
                                (compression == kBitFields || compression == kAlphaFields);
  const std::size_t masks_bytes = !has_masks_behind ? 0 : compression == kBitFields ? 12 : 16;
  return kFileHeaderBytes + header_bytes + masks_bytes;
}

void read_palette(Bytes bmp, std::size_t at, std::size_t num_entries, std::size_t entry_bytes,
                  BmpHeader& header) {
  const std::size_t end = std::min(header.data_at, bmp.size());
  for (std::size_t i = 0; i < num_entries && at + 3 <= end; ++i, at += entry_bytes) {
    for (std::size_t c = 0; c < 3; ++c) {
      header.palette[i][c] = std::to_integer<std::uint8_t>(bmp[at + 2 - c]);
    }
  }
}

}  // namespace

std::uint8_t BmpField::value_of(std::uint32_t pixel) const noexcept {
  if (mask == 0) return 0;
  const int shift = std::countr_zero(mask);
  return to_8_bit_of((pixel & mask) >> shift, mask >> shift);
}

bool BmpHeader::is_gray() const noexcept {
  return has_palette() &&
         std::ranges::all_of(std::span(palette).first(std::size_t{1} << num_bits),
                             [](const auto& c) { return c[0] == c[1] && c[1] == c[2]; });
}

std::variant<BmpHeader, std::string> read_bmp_header(Bytes bmp) {
  const auto size = read_declared_size(ImageFormat::kBmp, bmp);
  const std::uint64_t header_bytes = number(bmp, kFileHeaderBytes, 4);
  const bool is_core = header_bytes == kCoreHeaderBytes;
  constexpr std::uint64_t kLeastInfoBytes = 16;
  if (!size || (!is_core && header_bytes < kLeastInfoBytes) ||
      header_bytes > bmp.size() - kFileHeaderBytes) {
    return std::string("BMP without a whole header");
  }
  BmpHeader header{.size = *size, .data_at = number(bmp, 10, 4)};
  header.num_bits = static_cast<unsigned>(number(bmp, is_core ? 24 : 28, 2));
  std::uint64_t compression = is_core ? 0 : info(bmp, header_bytes, 30, 4);
  const bool is_os2 = header_bytes == kOs2HeaderBytes && compression >= kBitFields;
  if (is_os2 || !is_possible(header.num_bits, compression)) {
    return fmt::format("a picture with {} bits in coding {} of BMP", header.num_bits, compression);
  }
  header.is_top_down = !is_core && (number(bmp, 22, 4) >> 31) != 0;
  if (compression == kRle8) header.coding = BmpCoding::kRunLength8;
  if (compression == kRle4) header.coding = BmpCoding::kRunLength4;
  if (header.num_bits == 16 || header.num_bits == 32) {
    read_fields(bmp, header_bytes, compression, header);
  }
  if (header.has_palette()) {
    const std::uint64_t most = std::uint64_t{1} << header.num_bits;
    const std::uint64_t used = is_core ? 0 : info(bmp, header_bytes, 46, 4);
    read_palette(bmp, palette_at(header_bytes, compression),
                 used == 0 ? most : std::min(used, most), is_core ? 3 : 4, header);
  }
  return header;
}

}  // namespace penstock::convert
