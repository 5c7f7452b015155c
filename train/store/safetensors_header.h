// The JSON header of a safetensors file, parsed and checked; the file itself stays outside.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::train {

struct TensorEntry {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin_bytes = 0;  // from the start of the data
  std::uint64_t end_bytes = 0;
};

struct SafetensorsHeader {
  std::vector<TensorEntry> entries;  // in the order of their bytes
  std::map<std::string, std::string> metadata;
};

/// What JSON takes for a text at least, beside its bytes.
inline constexpr std::uint64_t kQuoteBytes = 2;

/// Bytes that float32 values of this shape take; nothing for 2^64 and more.
std::optional<std::uint64_t> float_bytes(const std::vector<std::uint64_t>& shape);

/// Parses `json` and checks that the tensors fill `data_bytes` without overlap or hole, within the bounds of
/// safetensors.h. Messages show the first bytes of long names.
///
/// Errors  CorruptData, Unsupported; `where` names the file
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                           const std::string& where);

/// Formats the header, padded with spaces so that the data starts at a multiple of 8.
std::string format_safetensors_header(const SafetensorsHeader& header);

}  // namespace penstock::train
