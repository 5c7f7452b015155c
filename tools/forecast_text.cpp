#include "tools/forecast_text.h"

#include <fmt/core.h>

#include <chrono>

#include "tools/run_screen.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

std::string time_text(double seconds) {
  return format_duration(std::chrono::duration<double>(seconds));
}

std::string row(std::string_view name, double seconds, std::string_view what) {
  return fmt::format("\n  {:<12}{:>12}   {}", name, time_text(seconds), what);
}

std::string speed_text(const train::TimedPass& pass) {
  return fmt::format("{:.3g} images/s ({} timed, waiting {})", pass.images_per_s(),
                     format_counted(pass.num_batches, "batch", "batches"),
                     percent_text(pass.waiting_share()));
}

std::string stage_text(const train::RunForecast& forecast, const train::StageForecast& stage) {
  const std::string from = forecast.stages.size() > 1
                               ? fmt::format(" from epoch {} on", stage.first_epoch + 1)
                               : std::string();
  return fmt::format("{}{} at {}", format_counted(stage.num_steps, "step", "steps"), from,
                     speed_text(stage.timed));
}

}  // namespace

std::string forecast_text(const train::RunForecast& forecast) {
  const train::RunAhead& ahead = forecast.ahead;
  std::string text = "dry run: nothing was stored";
  if (ahead.num_steps() == 0 && ahead.num_validations() == 0) {
    return text + "\nthe run has come to its end: more --epochs go on with it";
  }
  text += fmt::format("\nforecast  about {} for {} of {}", time_text(forecast.total_s()),
                      format_counted(ahead.num_epochs, "epoch", "epochs"),
                      format_counted(ahead.steps_per_epoch, "step", "steps"));
  if (ahead.num_steps_done > 0) {
    text += fmt::format(", {} done", format_counted(ahead.num_steps_done, "step", "steps"));
  }
  text += row("start", forecast.setup_s, "dataset, network, memory");
  for (const train::StageForecast& stage : forecast.stages) {
    text += row("training", stage.train_s, stage_text(forecast, stage));
  }
  if (ahead.num_validations() > 0) {
    text += row("validation", forecast.validation_s(),
                fmt::format("{} samples {} at {}", format_count(ahead.num_validation_samples),
                            format_counted(ahead.num_validations(), "time", "times"),
                            speed_text(forecast.validation)));
  }
  text += "\nwriting checkpoints and weights is not counted";
  if (forecast.num_skipped > 0) {
    text += fmt::format("\n{} of those seen could not be used: their data failed",
                        format_counted(forecast.num_skipped, "sample", "samples"));
  }
  if (forecast.may_end_early) text += "\nearly stopping may end it before";
  if (forecast.is_cut_by_max_time()) {
    text += fmt::format("\n--max-time stops it before its end, after {}; --resume goes on",
                        time_text(forecast.max_s));
  }
  return text;
}

}  // namespace penstock::tools
