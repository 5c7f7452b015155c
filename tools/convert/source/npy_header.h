// The head of a .npy file: what numpy.save() writes before the elements. Reads it as text, never runs it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tools/convert/source/array_form.h"

namespace penstock::convert {

struct NpyHeader {
  ArrayForm form;
  std::uint64_t header_bytes = 0;  // the first element lies behind them
};

/// Longest header that is read: numpy itself refuses more than 10,000 bytes.
inline constexpr std::size_t kMaxNpyHeaderBytes = 64 << 10;

/// Whether these are the first bytes of a .npy file.
bool begins_as_npy(std::span<const std::byte> first_bytes) noexcept;

/// Parses what a .npy file begins with; `where` names it in messages. An array in Fortran order is taken
/// where the order makes no difference: at most one side above 1.
///
/// Errors  CorruptData: no header of format 1.0, 2.0 or 3.0, a key that is missing, twice or another
///         one, a size beyond counting; Unsupported: pickled objects, structures, complex numbers and
///         times, Fortran order, no dimension
/// Source  numpy.lib.format (numpy 2.4), "Format Version 1.0" to "3.0"
NpyHeader parse_npy_header(std::span<const std::byte> first_bytes, const std::string& where);

}  // namespace penstock::convert
