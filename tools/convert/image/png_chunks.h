// The chunks that a PNG is made of, one after another. Nothing is inflated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace penstock::convert {

inline constexpr std::size_t kPngSignatureBytes = 8;

struct PngChunk {
  std::string_view kind;                     // four letters
  std::span<const std::byte> data;           // as far as it is there
  std::span<const std::byte> kind_and_data;  // what the checksum is of
  std::span<const std::byte> whole;          // length and checksum too
  std::uint32_t crc = 0;                     // that the file says
  bool is_whole = true;
};

/// The chunk at `at`, which moves behind it; one that is cut short has what is there of it. Nothing where
/// there is none.
///
/// Source  PNG specification (W3C, 3rd edition), 5.3
std::optional<PngChunk> next_png_chunk(std::span<const std::byte> png, std::size_t& at) noexcept;

/// PNG specification, annex D.
std::uint32_t png_crc(std::span<const std::byte> kind_and_data) noexcept;

/// Appends a chunk with its length and its checksum.
void append_png_chunk(std::vector<std::byte>& png, std::string_view kind,
                      std::span<const std::byte> data);

}  // namespace penstock::convert
