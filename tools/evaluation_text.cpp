#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "streamer/core/csv_field.h"
#include "tools/evaluation_report.h"
#include "tools/run_screen.h"
#include "tools/terminal.h"
#include "train/run/inference/confused_classes.h"

namespace penstock::tools {
namespace {

using train::EvaluationReport;

constexpr std::size_t kNumConfusedShown = 10;
constexpr std::size_t kNumLowestShown = 20;

std::size_t width_of_names(const EvaluationReport& report,
                           const std::vector<std::uint32_t>& shown) {
  std::size_t width = std::string("class").size();
  for (const std::uint32_t idx : shown) {
    width = std::max(width, printable(report.class_names[idx]).size());
  }
  return width;
}

std::string share_text(double share, std::uint64_t whole) {
  return whole == 0 ? "-" : percent_text(share);
}

std::string totals_text(const EvaluationReport& report) {
  const train::ClassificationMetrics& metrics = report.metrics;
  const train::PrecisionRecall macro = metrics.report().macro;
  std::string text = fmt::format(
      "{}, split {}: {}\n"
      "loss {}  top-1 {} ({} of {})  {:.0f} images/s\n",
      printable(report.dataset.native()), report.split, samples_text(report.pass),
      loss_text(report.loss), percent_text(report.top1),
      format_count(metrics.confusion().num_correct()), format_count(metrics.num_samples()),
      report.pass.images_per_s());
  if (metrics.config().top_k < metrics.config().num_classes) {
    text +=
        fmt::format("top-{} {}  ", metrics.config().top_k, percent_text(metrics.top_k_accuracy()));
  }
  text += fmt::format("macro precision {}  recall {}  F1 {}  calibration error {}",
                      percent_text(macro.precision), percent_text(macro.recall),
                      percent_text(macro.f1), percent_text(metrics.calibration().expected_error()));
  if (report.is_flipped) {
    text += "\neach picture by the mean of its probabilities and its mirror image's";
  }
  return text;
}

/// All classes, or those of lowest F1 among those that occur.
std::vector<std::uint32_t> classes_to_show(const EvaluationReport& report) {
  std::vector<std::uint32_t> shown(report.class_names.size());
  std::iota(shown.begin(), shown.end(), 0u);
  if (shown.size() <= kMaxPrintedClasses) return shown;
  return train::lowest_f1_classes(report.metrics.confusion().classes(), kNumLowestShown);
}

std::string class_table(const EvaluationReport& report) {
  const train::ClassReport figures = report.metrics.report();
  const auto counts = report.metrics.confusion().classes();
  const std::vector<std::uint32_t> shown = classes_to_show(report);
  const std::size_t width = width_of_names(report, shown);
  std::string text = fmt::format("{:<{}}  {:>8}  {:>8}  {:>9}  {:>8}", "class", width, "samples",
                                 "recall", "precision", "F1");
  for (const std::uint32_t idx : shown) {
    const train::PrecisionRecall& one = figures.classes[idx];
    const train::ClassCounts& count = counts[idx];
    text +=
        fmt::format("\n{:<{}}  {:>8}  {:>8}  {:>9}  {:>8}", printable(report.class_names[idx]),
                    width, format_count(count.num_actual), share_text(one.recall, count.num_actual),
                    share_text(one.precision, count.num_predicted),
                    share_text(one.f1, count.num_actual + count.num_predicted));
  }
  if (shown.size() < report.class_names.size()) {
    text += fmt::format("\n{} of lowest F1 of {} classes; --json has all",
                        format_count(shown.size()), format_count(report.class_names.size()));
  }
  return text;
}

/// Rows are labels, columns what they were taken for; a dot is none.
std::string matrix_text(const EvaluationReport& report) {
  const train::ConfusionMatrix& confusion = report.metrics.confusion();
  std::vector<std::uint32_t> all(confusion.num_classes());
  std::iota(all.begin(), all.end(), 0u);
  const std::size_t name_width = width_of_names(report, all);
  std::size_t width = 3;
  for (const train::ClassCounts& counts : confusion.classes()) {
    width = std::max(width, std::to_string(counts.num_actual).size());
  }
  std::string text = fmt::format("{:<{}}    ", "taken for", name_width);
  for (const std::uint32_t idx : all) text += fmt::format("  {:>{}}", idx, width);
  for (const std::uint32_t actual : all) {
    text +=
        fmt::format("\n{:<{}}  {:>2}", printable(report.class_names[actual]), name_width, actual);
    for (const std::uint32_t predicted : all) {
      const std::uint64_t count = confusion.count({actual, predicted});
      text += fmt::format("  {:>{}}", count == 0 ? "." : std::to_string(count), width);
    }
  }
  return text;
}

std::string confused_text(const EvaluationReport& report) {
  std::string text;
  for (const train::ConfusedClasses& one :
       train::most_confused(report.metrics.confusion(), kNumConfusedShown)) {
    const auto [actual, predicted] = one.pair;
    text += fmt::format("\n  {} taken for {}: {} of {}", printable(report.class_names[actual]),
                        printable(report.class_names[predicted]), format_count(one.num_samples),
                        format_count(report.metrics.confusion().classes()[actual].num_actual));
  }
  return text.empty() ? text : "most confused" + text;
}

std::string worst_text(const EvaluationReport& report) {
  std::string text;
  for (const train::NamedMistake& one : report.worst) {
    const train::Mistake& mistake = one.mistake;
    const std::string name = one.name.empty() ? "" : " (" + printable(one.name) + ")";
    text += fmt::format("\n  sample {}{}: {} taken for {} with {}, loss {}", mistake.sample_id,
                        name, printable(report.class_names[mistake.label_idx]),
                        printable(report.class_names[mistake.predicted_idx]),
                        percent_text(mistake.predicted_probability), loss_text(mistake.loss));
  }
  return text.empty() ? text : "worst mistakes" + text;
}

}  // namespace

std::string evaluation_text(const EvaluationReport& report) {
  const bool is_small = report.class_names.size() <= kMaxPrintedMatrix;
  std::string text = totals_text(report);
  for (const std::string& part :
       {class_table(report), is_small ? matrix_text(report) : confused_text(report),
        worst_text(report)}) {
    if (!part.empty()) text += "\n" + part;
  }
  return text;
}

void write_confusion_csv(const EvaluationReport& report, ResultStream& out) {
  const train::ConfusionMatrix& confusion = report.metrics.confusion();
  std::string line = "label";
  for (const std::string& name : report.class_names) line += "," + csv_field(name);
  out.write(line + "\n");
  for (std::uint32_t actual = 0; actual < confusion.num_classes(); ++actual) {
    line = csv_field(report.class_names[actual]);
    for (std::uint32_t predicted = 0; predicted < confusion.num_classes(); ++predicted) {
      line += "," + std::to_string(confusion.count({actual, predicted}));
    }
    out.write(line + "\n");
  }
}

}  // namespace penstock::tools
