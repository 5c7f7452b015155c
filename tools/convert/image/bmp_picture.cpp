#include "tools/convert/image/bmp_picture.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "tools/convert/image/bmp_header.h"
#include "tools/convert/image/byte_reader.h"
#include "tools/convert/image/picture_rows.h"

namespace penstock::convert {
namespace {

using Bytes = std::span<const std::byte>;

RowKind kind_of(const BmpHeader& header) {
  if (header.is_gray()) return RowKind::kGray;
  return header.has_alpha() ? RowKind::kRgba : RowKind::kRgb;
}

// Rows stand from the bottom up.
std::uint32_t row_of(const BmpHeader& header, std::uint64_t stored_row) {
  return static_cast<std::uint32_t>(header.is_top_down ? stored_row
                                                       : header.size.height_px - 1 - stored_row);
}

void put_indices(const BmpHeader& header, std::span<const std::uint8_t> indices, std::uint32_t y,
                 std::span<std::uint8_t> row, PictureRows& rows) {
  const std::size_t channels = header.is_gray() ? 1 : 3;
  for (std::size_t x = 0; x < indices.size(); ++x) {
    std::copy_n(header.palette[indices[x]].begin(), channels, &row[x * channels]);
  }
  rows.put(y, 0, row);
}

void unpack_indices(Bytes stored, unsigned num_bits, std::span<std::uint8_t> indices) {
  const unsigned per_byte = 8 / num_bits;
  for (std::size_t x = 0; x < indices.size(); ++x) {
    const auto byte = std::to_integer<unsigned>(stored[x / per_byte]);
    const auto shift = static_cast<unsigned>(8 - num_bits * (x % per_byte + 1));
    indices[x] = static_cast<std::uint8_t>(byte >> shift & ((1u << num_bits) - 1));
  }
}

void unpack_24_bits(Bytes stored, std::span<std::uint8_t> rgb) {
  for (std::size_t i = 0; i < rgb.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c)
      rgb[i + c] = std::to_integer<std::uint8_t>(stored[i + 2 - c]);
  }
}

void unpack_fields(Bytes stored, const BmpHeader& header, std::span<std::uint8_t> out) {
  const std::size_t pixel_bytes = header.num_bits / 8;
  const std::size_t channels = header.has_alpha() ? 4 : 3;
  for (std::size_t x = 0; x < out.size() / channels; ++x) {
    const auto pixel = static_cast<std::uint32_t>(
        *read_number(stored, x * pixel_bytes, pixel_bytes, ByteOrder::kLittle));
    for (std::size_t c = 0; c < channels; ++c) {
      out[x * channels + c] = header.fields[c].value_of(pixel);
    }
  }
}

DecodeOutcome decode_rows(Bytes data, const BmpHeader& header, const RgbColour& background) {
  const RowKind kind = kind_of(header);
  const std::uint64_t width_px = header.size.width_px;
  const std::uint64_t used_bytes = (width_px * header.num_bits + 7) / 8;
  const std::uint64_t stride_bytes = (width_px * header.num_bits + 31) / 32 * 4;
  // Of the last row the padding may be missing.
  if (data.size() < used_bytes ||
      (data.size() - used_bytes) / stride_bytes < header.size.height_px - 1) {
    return std::string("BMP with fewer bytes than its rows have");
  }
  PictureRows rows(header.size, kind, background);
  std::vector<std::uint8_t> row(width_px * num_samples(kind));
  std::vector<std::uint8_t> indices(header.has_palette() ? width_px : 0);
  for (std::uint64_t i = 0; i < header.size.height_px; ++i) {
    const Bytes stored = data.subspan(i * stride_bytes, used_bytes);
    const std::uint32_t y = row_of(header, i);
    if (header.has_palette()) {
      unpack_indices(stored, header.num_bits, indices);
      put_indices(header, indices, y, row, rows);
      continue;
    }
    if (header.num_bits == 24) {
      unpack_24_bits(stored, row);
    } else {
      unpack_fields(stored, header, row);
    }
    rows.put(y, 0, row);
  }
  return rows.take();
}

// Runs of indices, written to a picture of them whose rows stand as they are stored.
class RunReader {
 public:
  RunReader(Bytes data, const BmpHeader& header)
      : data_(data),
        is_4_bit_(header.coding == BmpCoding::kRunLength4),
        width_px_(header.size.width_px),
        indices_(header.size.num_px()) {}

  // False for what leads out of the picture, and where the end is missing.
  bool read() {
    while (true) {
      const auto count = next();
      const auto value = next();
      if (!count || !value) return row_ * width_px_ + x_ >= indices_.size();
      if (*count > 0) {
        if (!put_run(*count, *value)) return false;
        continue;
      }
      if (*value == kEndOfPicture) return true;
      if (!escape(*value)) return false;
    }
  }

  std::span<const std::uint8_t> indices() const { return indices_; }

 private:
  static constexpr unsigned kEndOfLine = 0;
  static constexpr unsigned kEndOfPicture = 1;
  static constexpr unsigned kMove = 2;

  std::optional<unsigned> next() {
    if (at_ == data_.size()) return std::nullopt;
    return std::to_integer<unsigned>(data_[at_++]);
  }
  std::size_t num_rows() const { return indices_.size() / width_px_; }
  bool has_room(unsigned num_px) const { return row_ < num_rows() && width_px_ - x_ >= num_px; }

  void put(unsigned index) { indices_[row_ * width_px_ + x_++] = static_cast<std::uint8_t>(index); }
  // Of 4 bit, pixels take turns between the upper half of the byte and the lower.
  unsigned index_of(unsigned byte, unsigned i) const {
    if (!is_4_bit_) return byte;
    return i % 2 == 0 ? byte >> 4 : byte & 15;
  }

  bool put_run(unsigned num_px, unsigned byte) {
    if (!has_room(num_px)) return false;
    for (unsigned i = 0; i < num_px; ++i) put(index_of(byte, i));
    return true;
  }

  bool escape(unsigned kind) {
    if (kind == kEndOfLine) {
      x_ = 0;
      ++row_;
      return true;
    }
    if (kind != kMove) return put_plain(kind);
    const auto right = next();
    const auto up = next();
    if (!right || !up) return false;
    x_ += *right;
    row_ += *up;
    return x_ <= width_px_ && row_ <= num_rows();
  }

  // So many pixels as they are, to a whole number of 16 bits.
  bool put_plain(unsigned num_px) {
    const std::size_t num_bytes = is_4_bit_ ? (num_px + 1) / 2 : num_px;
    if (!has_room(num_px) || data_.size() - at_ < num_bytes) return false;
    for (unsigned i = 0; i < num_px; ++i) {
      put(index_of(std::to_integer<unsigned>(data_[at_ + (is_4_bit_ ? i / 2 : i)]), i));
    }
    at_ = std::min(at_ + num_bytes + num_bytes % 2, data_.size());
    return true;
  }

  Bytes data_;
  bool is_4_bit_;
  std::size_t width_px_;
  std::size_t at_ = 0;
  std::size_t x_ = 0;
  std::size_t row_ = 0;
  std::vector<std::uint8_t> indices_;
};

DecodeOutcome decode_runs(Bytes data, const BmpHeader& header, const RgbColour& background) {
  RunReader runs(data, header);
  if (!runs.read()) return std::string("BMP whose runs are not those of its sides");
  const RowKind kind = kind_of(header);
  PictureRows rows(header.size, kind, background);
  const std::size_t width_px = header.size.width_px;
  std::vector<std::uint8_t> row(width_px * num_samples(kind));
  for (std::uint64_t i = 0; i < header.size.height_px; ++i) {
    put_indices(header, runs.indices().subspan(i * width_px, width_px), row_of(header, i), row,
                rows);
  }
  return rows.take();
}

}  // namespace

DecodeOutcome decode_bmp_picture(Bytes bmp, const DeclaredSize& declared,
                                 const RgbColour& background) {
  auto read = read_bmp_header(bmp);
  if (auto* const why = std::get_if<std::string>(&read)) return std::move(*why);
  const auto& header = std::get<BmpHeader>(read);
  if (auto why = other_sides(declared, header.size)) return *std::move(why);
  if (header.data_at > bmp.size()) return std::string("BMP without its pixels");
  const Bytes data = bmp.subspan(header.data_at);
  return header.coding == BmpCoding::kRows ? decode_rows(data, header, background)
                                           : decode_runs(data, header, background);
}

}  // namespace penstock::convert
