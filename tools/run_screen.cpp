#include "tools/run_screen.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "tools/augment_text.h"
#include "tools/bench/process_memory.h"
#include "train/plan/memory_text.h"

namespace penstock::tools {
namespace {

using train::EpochReport;
using train::PassReport;
using train::RunConfig;
using train::RunOverview;

constexpr std::size_t kMinBarCells = 3;
constexpr std::size_t kMaxBarCells = 20;

std::string bar(const PassReport& pass, std::size_t num_cells) {
  const std::uint64_t total = pass.num_expected;
  const std::uint64_t full = total > 0 ? std::min(pass.num_samples, total) * num_cells / total : 0;
  return "[" + std::string(full, '#') + std::string(num_cells - full, '.') + "]";
}

std::string counts_text(const PassReport& pass) {
  return fmt::format("{}/{}", format_count(pass.num_samples), format_count(pass.num_expected));
}

// "45s", "12m05s", "2h03m": six columns for most runs.
std::string short_duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
}

std::string short_percent(double share) {
  if (!std::isfinite(share)) return "-";
  return share >= 0.9995 ? "100%" : fmt::format("{:.1f}%", 100 * share);
}

std::string short_loss(double loss) {
  return std::isfinite(loss) ? fmt::format("{:.3f}", loss) : "-";
}

std::string short_time_left(const PassReport& pass) {
  const std::uint64_t left = pass.num_expected - std::min(pass.num_expected, pass.num_samples);
  const double per_sample =
      pass.num_samples > 0 ? pass.elapsed_s / static_cast<double>(pass.num_samples) : 0;
  return short_duration(per_sample * static_cast<double>(left));
}

// "812M", "2.0G": six columns at most.
std::string short_bytes(std::uint64_t bytes) {
  const double mib = static_cast<double>(bytes) / (1u << 20);
  return mib < 1023.5 ? fmt::format("{:.0f}M", mib) : fmt::format("{:.1f}G", mib / 1024);
}

std::string epoch_name(const EpochReport& report) {
  return fmt::format("epoch {}/{}", report.epoch_idx + 1, report.num_epochs);
}

std::string learning_text(const PassReport& pass) {
  return fmt::format("loss {}, top-1 {}", loss_text(pass.totals.loss()),
                     percent_text(pass.totals.top1()));
}

std::string speed_text(const PassReport& pass) {
  return fmt::format("{:.0f} images/s", pass.images_per_s());
}

std::string optimizer_name_text(const train::OptimizerConfig& optimizer) {
  std::string text(train::optimizer_name(optimizer.kind));
  if (optimizer.kind != train::OptimizerKind::kSgd || optimizer.momentum == 0) return text;
  return text + fmt::format(", momentum {:g}{}", optimizer.momentum,
                            optimizer.nesterov ? " (Nesterov)" : "");
}

std::string optimizer_text(const RunConfig& config) {
  const std::string cut = config.steps_per_epoch > 0
                              ? fmt::format(" of {} steps", format_count(config.steps_per_epoch))
                              : std::string();
  const std::string batch = config.batch_size == train::kWholeEpoch
                                ? std::string("all")
                                : std::to_string(config.batch_size);
  const bool drops = config.drop_remainder && config.batch_size != train::kWholeEpoch;
  return fmt::format("{}{}, batch {}{}, {} to {:g}, {}, weight decay {:g}, label smoothing {:g}",
                     format_counted(config.epochs, "epoch", "epochs"), cut, batch,
                     drops ? " (remainder dropped)" : "", schedule_name(config.schedule.kind),
                     config.optimizer.learning_rate, optimizer_name_text(config.optimizer),
                     config.optimizer.weight_decay, config.label_smoothing);
}

/// Empty for plain cross-entropy.
std::string loss_settings_text(const RunConfig& config) {
  std::string text;
  if (config.loss == train::LossKind::kSoftmaxFocal) {
    text += fmt::format(", focal loss with gamma {:g}", config.focal_gamma);
  }
  if (config.balances_classes) return text + ", classes balanced";
  return config.class_weights.empty() ? text : text + ", classes weighted";
}

/// Empty when nothing follows a metric.
std::string monitors_text(const RunConfig& config) {
  std::string text;
  if (config.has_ema()) text += fmt::format(", EMA {:g}", config.optimizer.ema_decay);
  if (config.reduces_on_plateau()) {
    text += fmt::format(", rate times {:g} when {} stands for {}", config.reduce_on_plateau.factor,
                        config.reduce_on_plateau.monitor,
                        format_counted(config.reduce_on_plateau.patience, "epoch", "epochs"));
  }
  if (config.stops_early()) {
    text += fmt::format(", ends when {} stands for {}", config.early_stopping.monitor,
                        format_counted(config.early_stopping.patience, "epoch", "epochs"));
  }
  return text;
}

bool has_frozen(const RunOverview& overview) {
  return std::ranges::any_of(overview.learning, [&](const RunOverview::Learning& stage) {
    return stage.num_params < overview.num_params;
  });
}

// "5,130 of 11,181,642 parameters, from epoch 4 on 11,181,642"; epochs as the screen counts them, from 1.
std::string learning_counts_text(const RunOverview& overview) {
  std::string text;
  for (const RunOverview::Learning& stage : overview.learning) {
    const std::string count = format_count(stage.num_params);
    text += text.empty()
                ? fmt::format("{} of {} parameters", count, format_count(overview.num_params))
                : fmt::format(", from epoch {} on {}", stage.first_epoch + 1, count);
  }
  return text;
}

/// The network's row by role.
std::string network_text(const RunOverview& overview) {
  return fmt::format(
      "\n    kept    {:>12}: {}\n    passing {:>12}: {}, sharing places",
      format_bytes(overview.network_kept_bytes), train::kept_text(overview.network_roles),
      format_bytes(overview.network_passing_bytes), train::passing_text(overview.network_roles));
}

/// "network, on the GPU             812 MiB of 70.1 GiB; 1.2 GiB taken with what libraries need"
std::string gpu_memory_text(const RunOverview& overview) {
  const RunOverview::Device& device = *overview.device;
  std::string text =
      fmt::format("\n  {:<28}{:>12} of {}", "network, on the GPU", format_bytes(device.arena_bytes),
                  format_bytes(device.limit_bytes));
  if (device.used_bytes > 0) {
    text += fmt::format("; {} taken with what libraries need", format_bytes(device.used_bytes));
  }
  return text + network_text(overview);
}

std::string memory_text(const RunOverview& overview) {
  std::string text = overview.device ? gpu_memory_text(overview) : "";
  for (const train::MemoryRow& row : overview.memory) {
    text += fmt::format("\n  {:<28}{:>12}", row.what, format_bytes(row.bytes));
    const bool is_network = !overview.device && &row == &overview.memory.front();
    if (is_network) text += network_text(overview);
  }
  text += fmt::format("\n  {:<28}{:>12}", "batch buffers", overview.batch_memory);
  return text;
}

/// 0 where the kernel does not say: a screen ends no run.
std::uint64_t resident_bytes() {
  try {
    return bench::process_memory().resident_bytes;
  } catch (const Error&) {
    return 0;
  }
}

std::string num_skipped_text(const PassReport& pass) {
  return fmt::format("{} skipped", format_count(pass.num_skipped));
}

}  // namespace

std::string samples_text(const PassReport& pass) {
  const std::string count = fmt::format("{} of {} samples", format_count(pass.num_samples),
                                        format_count(pass.num_expected + pass.num_left_out));
  const std::string left_out =
      pass.num_left_out > 0
          ? fmt::format("{} left out by drop_remainder, ", format_count(pass.num_left_out))
          : std::string();
  const std::string skipped = left_out + num_skipped_text(pass);
  const std::uint64_t num_again = pass.num_samples - std::min(pass.num_samples, pass.num_distinct);
  if (num_again > 0) {
    return fmt::format("{}, {} of them again, {}", count, format_count(num_again), skipped);
  }
  if (pass.is_each_once()) return fmt::format("{}, each once, {}", count, skipped);
  return fmt::format("{}, {}", count, skipped);
}

std::string percent_text(double share) {
  return std::isfinite(share) ? fmt::format("{:.1f} %", 100 * share) : "-";
}

std::string more_metrics_text(const train::MetricTable& metrics) {
  std::string text;
  for (const train::MetricValue& one : metrics.values()) {
    if (one.metric.name == "val_top5_accuracy") text += ", top-5 " + percent_text(one.value);
    if (one.metric.name == "val_macro_f1") text += ", macro F1 " + loss_text(one.value);
  }
  return text;
}

std::string loss_text(double loss) {
  return std::isfinite(loss) ? fmt::format("{:.4f}", loss) : "-";
}

std::string progress_text(const PassReport& pass) {
  return fmt::format("{} {}  {}", bar(pass, kMaxBarCells), counts_text(pass), speed_text(pass));
}

std::string train_progress_text(const EpochReport& so_far, const MemoryUse& memory,
                                std::size_t width) {
  const PassReport& pass = so_far.train;
  const std::string head = epoch_name(so_far);
  const std::string figures = fmt::format("{} {:.0f}/s loss {} acc {} {} left", counts_text(pass),
                                          pass.images_per_s(), short_loss(pass.totals.loss()),
                                          short_percent(pass.totals.top1()), short_time_left(pass));
  const std::string waiting = fmt::format("wait {:.0f}%", 100 * pass.waiting_share());
  const std::string held =
      fmt::format("{}/{}", short_bytes(memory.held_bytes), short_bytes(memory.limit_bytes));
  const auto line_of = [&](const std::string& tail) {
    const std::size_t rest = head.size() + tail.size() + 4;  // blanks and brackets
    const std::size_t num_cells = std::min(width - std::min(width, rest), kMaxBarCells);
    if (num_cells < kMinBarCells) return head + " " + tail;
    return fmt::format("{} {} {}", head, bar(pass, num_cells), tail);
  };
  const std::string line = line_of(fmt::format("{} {} {}", figures, held, waiting));
  return line.size() <= width ? line : line_of(figures + " " + waiting);
}

std::string skipped_line(const train::SkippedSample& sample) {
  return "skipped   " + printable(train::skipped_text(sample));
}

RunScreen::RunScreen(Verbosity verbosity)
    : verbosity_(verbosity), bytes_before_(resident_bytes()) {}

std::uint64_t RunScreen::held_bytes() const {
  const std::uint64_t now_bytes = resident_bytes();
  return now_bytes - std::min(now_bytes, bytes_before_);
}

ProgressLine& RunScreen::line() {
  if (line_ == nullptr) line_ = std::make_unique<ProgressLine>(verbosity_);
  return *line_;
}

void RunScreen::on_start(const RunOverview& overview) {
  overview_ = overview;
  const RunConfig& config = overview.config;
  print_notice(
      verbosity_,
      fmt::format("dataset   {}: {} training, {} validation, {} classes",
                  printable(config.dataset.native()), format_count(overview.num_train_samples),
                  format_count(overview.num_validation_samples), overview.num_classes));
  if (overview.num_classes == 1) {
    print_notice(verbosity_, "warning   there is only one class: nothing to tell apart");
  }
  print_notice(verbosity_,
               fmt::format("model     {}, {}x{} pixels{}, {} parameters", printable(config.model),
                           config.image_height_px, config.image_width_px,
                           config.color_mode == train::ColorMode::kRgb ? "" : ", gray",
                           format_count(overview.num_params)));
  if (!overview.initial_weights.empty()) {
    print_notice(verbosity_, fmt::format("weights   {}: {}", printable(config.init_from.native()),
                                         printable(overview.initial_weights)));
  }
  if (!overview.statistics_note.empty()) on_warning(overview.statistics_note);
  if (!config.loss_weights.empty()) {
    print_notice(verbosity_, fmt::format("weighted  {}: {} of {} samples in the loss",
                                         printable(config.loss_weights.native()),
                                         format_count(overview.num_loss_weights),
                                         format_count(overview.num_train_samples)));
  }
  if (has_frozen(overview)) print_notice(verbosity_, "learning  " + learning_counts_text(overview));
  print_notice(verbosity_, "training  " + optimizer_text(config) + loss_settings_text(config) +
                               monitors_text(config));
  if (!overview.steps_note.empty()) on_warning(overview.steps_note);
  if (!overview.batch_note.empty()) print_notice(verbosity_, "fits      " + overview.batch_note);
  print_notice(verbosity_, "augment   " + augment_text(config));
  for (const std::string& sentence : overview.idle) {
    print_notice(verbosity_, "          " + sentence);
  }
  print_notice(verbosity_, fmt::format("device    {}: {}, {}", config.device, overview.backend,
                                       train::compute_type_name(config.precision)));
  if (!overview.device_note.empty()) on_warning(overview.device_note);
  if (!overview.precision_note.empty()) on_warning(overview.precision_note);
  if (!overview.memory_note.empty()) on_warning(overview.memory_note);
  print_notice(verbosity_, fmt::format("threads   {}", overview.cores.text()));
  if (overview.cores.num_compute > overview.num_usable_cores) {
    print_notice(verbosity_,
                 fmt::format("warning   {} compute threads share {}: steps take longer than with "
                             "--threads {}",
                             overview.cores.num_compute,
                             format_counted(overview.num_usable_cores, "core", "cores"),
                             overview.num_usable_cores));
  }
  print_notice(verbosity_,
               fmt::format("seed      {} (run {})", config.seed, hex(overview.identity_hash)));
  print_notice(verbosity_, "memory" + memory_text(overview));
  for (const std::string& note : overview.resume_notes) {
    print_notice(verbosity_, "resume    " + printable(note));
  }
}

void RunScreen::on_train_step(const EpochReport& so_far) {
  if (!verdict_.empty()) print_notice(verbosity_, std::exchange(verdict_, {}));
  ProgressLine& shown = line();
  if (!shown.is_due()) return;
  const MemoryUse memory{.held_bytes = held_bytes(), .limit_bytes = overview_.config.memory_bytes};
  shown.update(train_progress_text(so_far, memory, shown.width()));
}

void RunScreen::on_validation_step(const EpochReport& train_done, const PassReport& so_far) {
  ProgressLine& shown = line();
  if (!shown.is_due()) return;
  shown.update(fmt::format("{} validation {}", epoch_name(train_done), progress_text(so_far)));
}

void RunScreen::on_epoch(const EpochReport& report) {
  std::string text =
      fmt::format("{}: {}; {} in {}, {}, waiting {}", epoch_name(report),
                  samples_text(report.train), speed_text(report.train),
                  format_duration(std::chrono::duration<double>(report.train.elapsed_s)),
                  learning_text(report.train), percent_text(report.train.waiting_share()));
  if (report.validation) {
    text += "; validation " + learning_text(*report.validation) + more_metrics_text(report.metrics);
    if (report.validation->num_skipped > 0) text += ", " + num_skipped_text(*report.validation);
  }
  line().end(text);
  line_.reset();
}

void RunScreen::on_warning(const std::string& text) {
  line_.reset();  // takes the line away
  print_notice(Verbosity::kNormal, "warning   " + printable(text));
}

void RunScreen::on_skipped(const train::SkippedSample& sample) {
  line().end(skipped_line(sample));
  line_.reset();
}

void RunScreen::on_validation(const EpochReport& so_far, const train::MetricTable& metrics) {
  line().end(fmt::format("{} step {}: validation {}{}", epoch_name(so_far),
                         format_count(so_far.num_steps), learning_text(*so_far.validation),
                         more_metrics_text(metrics)));
  line_.reset();
}

void RunScreen::on_note(const std::string& text) {
  // The end of a run says the verdict of its last epoch.
  const bool is_verdict = text.starts_with("learning: ");
  if (is_verdict) {
    verdict_ = text;
  } else {
    print_notice(verbosity_, text);
  }
}

void RunScreen::on_skipped_step(const train::SkippedStep& step) {
  line().end("skipped   " + train::skipped_step_text(step));
  line_.reset();
}

}  // namespace penstock::tools
