// Classes from an array of labels: whole numbers, one-hot rows, or texts.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

#include "tools/convert/quarantine.h"
#include "tools/convert/source/array_store.h"

namespace penstock::convert {

/// Why a row has no class.
struct LabelFault {
  /// Or kRowWithoutLabel, a text of nothing or of spaces; kArchiveDamaged, one that is lost.
  ReasonCode reason = ReasonCode::kUnknownLabel;
  std::string detail;
};

/// A class by its number, below kMaxNumberedClasses; one by its name, UTF-8; or neither.
using LabelValue = std::variant<std::uint32_t, std::string, LabelFault>;

/// How the labels of an array are written.
enum class LabelForm : std::uint8_t {
  kNumber,  // integers [n] or [n, 1]
  kOneHot,  // numbers [n, k], k above 1: one of them 1, the others 0
  kText,    // texts [n] or [n, 1]
};

/// Errors  InvalidArgument: floats that are not one-hot, another shape
LabelForm label_form_of(const OpenArray& labels);

/// Reads the labels of the rows that are whole, in order and in pieces of at most 4 MiB (or one row).
/// Numbers that are negative or at least kMaxNumberedClasses, rows that are not one-hot, NaN among them,
/// and texts that are no text are LabelFaults; bytes of texts that are no UTF-8 become \xNN.
///
/// Errors  Io, Stopped; what `visit` throws
void read_labels(const ArrayStore& store, std::uint32_t array_idx, const std::stop_token& stop,
                 const std::function<void(std::uint64_t row, LabelValue label)>& visit);

}  // namespace penstock::convert
