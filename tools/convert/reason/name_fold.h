// Names as systems see them that do not tell case, or ways to write an accent, apart.
#pragma once

#include <string>
#include <string_view>

namespace penstock::convert {

/// Folds case and canonical equivalence of Latin, Greek, Cyrillic, kana and Hangul: two names with
/// the same result may be one file on macOS or Windows. Bytes that are no UTF-8 stay different.
std::u32string fold_name(std::string_view name);

}  // namespace penstock::convert
