// What `penstock evaluate` reports: text for the screen, JSON, the confusion matrix as CSV.
#pragma once

#include <cstdint>
#include <string>

#include "tools/result_stream.h"
#include "train/run/inference/evaluation.h"

namespace penstock::tools {

/// Most classes whose confusion matrix is printed; more than fit a terminal of 100 columns.
inline constexpr std::uint32_t kMaxPrintedMatrix = 12;
/// Most classes of a whole table; of more those of lowest F1 are printed.
inline constexpr std::size_t kMaxPrintedClasses = 50;
/// Most classes whose matrix is part of the JSON; --confusion writes any.
inline constexpr std::uint32_t kMaxJsonMatrix = 100;

/// Totals, class table, confusion matrix or the most confused pairs, worst mistakes; without a newline at the
/// end.
std::string evaluation_text(const train::EvaluationReport& report);

/// Keys in snake_case, with units; null where there is no number.
std::string evaluation_json(const train::EvaluationReport& report,
                            const train::EvaluationConfig& config);

/// A line of names, then a row for each label: how many of its samples were taken for which class.
/// Errors  Io; those of ConfusionMatrix::count
void write_confusion_csv(const train::EvaluationReport& report, ResultStream& out);

}  // namespace penstock::tools
