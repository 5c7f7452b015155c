// What an array is made of, whatever file it lies in: its elements and its shape. Knows no files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::convert {

enum class ElementKind : std::uint8_t {
  kUnsigned,
  kSigned,
  kFloat,
  kBytes,    // numpy's 'S': text of a fixed number of bytes, zeros behind it
  kUnicode,  // numpy's 'U': text of a fixed number of UCS-4 characters, zeros behind it
};

struct ArrayForm {
  ElementKind kind = ElementKind::kUnsigned;
  std::uint32_t element_bytes = 1;
  bool is_big_endian = false;
  std::string type_text{};             // for messages: "float32"
  std::vector<std::uint64_t> shape{};  // C order; at least one dimension

  std::uint64_t num_rows() const noexcept { return shape[0]; }
  /// Of one step along the first dimension.
  std::uint64_t row_bytes() const noexcept {
    std::uint64_t bytes = element_bytes;
    for (std::size_t i = 1; i < shape.size(); ++i) bytes *= shape[i];
    return bytes;
  }
};

/// Whether all of it has a size that can be counted in 63 bits, so that no product of sides overflows.
bool has_countable_size(const ArrayForm& form) noexcept;

/// "[60000, 28, 28]"
std::string shape_text(const std::vector<std::uint64_t>& shape);

}  // namespace penstock::convert
