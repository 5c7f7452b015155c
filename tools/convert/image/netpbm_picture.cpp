#include "tools/convert/image/netpbm_picture.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "tools/convert/image/picture_rows.h"

namespace penstock::convert {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t kMostMaximum = 65535;

bool is_space(unsigned char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// Walks over numbers in digits, with white space and comments between them.
class Tokens {
 public:
  explicit Tokens(Bytes bytes) : bytes_(bytes) {}

  // Stands behind the last digit then. Nothing at the end, and where something else stands.
  std::optional<std::uint64_t> number() {
    skip_space();
    std::uint64_t value = 0;
    const std::size_t begin = at_;
    for (; at_ < bytes_.size() && is_digit(here()); ++at_) {
      if (value > UINT32_MAX) return std::nullopt;
      value = value * 10 + (here() - '0');
    }
    if (at_ == begin) return std::nullopt;
    return value;
  }

  // A bit may follow the one before it without space.
  std::optional<std::uint64_t> bit() {
    skip_space();
    if (at_ == bytes_.size() || (here() != '0' && here() != '1')) return std::nullopt;
    return here_and_on() == '1' ? 1 : 0;
  }

  // What follows the one space that ends a header.
  Bytes behind_space() const { return at_ < bytes_.size() ? bytes_.subspan(at_ + 1) : Bytes{}; }

 private:
  static bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
  unsigned char here() const { return std::to_integer<unsigned char>(bytes_[at_]); }
  unsigned char here_and_on() { return std::to_integer<unsigned char>(bytes_[at_++]); }

  void skip_space() {
    bool is_comment = false;
    for (; at_ < bytes_.size() && (is_comment || here() == '#' || is_space(here())); ++at_) {
      if (here() == '#') is_comment = true;
      if (here() == '\n' || here() == '\r') is_comment = false;
    }
  }

  Bytes bytes_;
  std::size_t at_ = 0;
};

struct Header {
  bool is_in_digits = false;
  bool is_bits = false;
  bool is_colour = false;
  std::uint64_t max = 1;

  std::size_t row_bytes(std::uint64_t width_px) const {
    if (is_bits) return (width_px + 7) / 8;
    return width_px * (is_colour ? 3 : 1) * (max > 255 ? 2 : 1);
  }
};

// A one is black.
std::uint8_t of_bit(std::uint64_t bit) {
  return bit != 0 ? 0 : 255;
}

void unpack(Bytes in, const Header& header, std::span<std::uint8_t> out) {
  const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(in[i]); };
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (header.is_bits) {
      out[i] = of_bit(byte(i / 8) >> (7 - i % 8) & 1);
    } else {
      const unsigned value = header.max > 255 ? byte(2 * i) << 8 | byte(2 * i + 1) : byte(i);
      out[i] = to_8_bit_of(std::min<std::uint64_t>(value, header.max), header.max);
    }
  }
}

bool read_digits(Tokens& tokens, const Header& header, std::span<std::uint8_t> out) {
  for (std::uint8_t& value : out) {
    const auto found = header.is_bits ? tokens.bit() : tokens.number();
    if (!found) return false;
    value = header.is_bits ? of_bit(*found) : to_8_bit_of(std::min(*found, header.max), header.max);
  }
  return true;
}

}  // namespace

DecodeOutcome decode_netpbm_picture(Bytes pnm, const DeclaredSize& declared) {
  if (pnm.size() < 2) return std::string("PNM without a whole header");
  const auto kind = std::to_integer<char>(pnm[1]);
  Header header{.is_in_digits = kind <= '3',
                .is_bits = kind == '1' || kind == '4',
                .is_colour = kind == '3' || kind == '6'};
  Tokens tokens(pnm.subspan(2));
  const auto width_px = tokens.number();
  const auto height_px = tokens.number();
  const auto max = header.is_bits ? std::optional<std::uint64_t>(1) : tokens.number();
  if (!width_px || !height_px || !max) return std::string("PNM without a whole header");
  if (*max == 0 || *max > kMostMaximum) return std::string("PNM whose maximum is none");
  if (auto why = other_sides(declared, {*width_px, *height_px})) return *std::move(why);
  header.max = *max;

  PictureRows rows(declared, header.is_colour ? RowKind::kRgb : RowKind::kGray, {});
  rows.set_had_16_bits(header.max > 255);
  std::vector<std::uint8_t> row(declared.width_px * (header.is_colour ? 3 : 1));
  const std::size_t row_bytes = header.row_bytes(declared.width_px);
  Bytes rest = tokens.behind_space();
  for (std::uint32_t y = 0; y < declared.height_px; ++y) {
    if (header.is_in_digits) {
      if (!read_digits(tokens, header, row)) return std::string("PNM with a value that is none");
    } else {
      if (rest.size() < row_bytes) return std::string("PNM with too few bytes");
      unpack(rest.first(row_bytes), header, row);
      rest = rest.subspan(row_bytes);
    }
    rows.put(y, 0, row);
  }
  return rows.take();
}

}  // namespace penstock::convert
