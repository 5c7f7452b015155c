#include "tools/training_trials.h"

#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "streamer/core/number_text.h"
#include "tools/exit_code.h"
#include "tools/forecast_text.h"
#include "tools/run_report.h"
#include "tools/run_screen.h"
#include "train/optim/lr_finder_plot.h"
#include "train/run/trial/learning_rate_search.h"
#include "train/run/trial/overfit_check.h"
#include "train/run/trial/run_rehearsal.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;

Json figure(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

/// Two digits: a search says no more.
std::string rate_text(double rate) {
  return fmt::format("{:.2g}", rate);
}

std::string search_json(const train::LearningRateSearch& search) {
  Json points = Json::array();
  for (const train::LrFinderPoint& point : search.points) {
    points.push_back({{"learning_rate", point.learning_rate},
                      {"loss", point.loss},
                      {"smoothed_loss", point.smoothed_loss}});
  }
  const auto rate = search.learning_rate();
  return Json{{"learning_rate", rate ? Json(*rate) : Json(nullptr)}, {"points", points}}.dump(2);
}

/// Why there is no suggestion, in words.
std::string no_rate_text(const train::LearningRateSearch& search) {
  const std::string where =
      search.points.empty()
          ? std::string("no step")
          : fmt::format("{} up to rate {}", format_counted(search.points.size(), "step", "steps"),
                        rate_text(search.points.back().learning_rate));
  const train::LrFinderFall& fall = search.fall;
  if (!(fall.depth > 0)) {
    return fmt::format("train: --find-lr: expected a loss that falls, found none in {}", where);
  }
  return fmt::format(
      "train: --find-lr: expected a loss that falls by more than batches differ ({}), "
      "found a fall of {} from {} in {}",
      loss_text(fall.noise), loss_text(fall.depth), loss_text(fall.start_loss), where);
}

std::string overfit_json(const train::OverfitReport& report) {
  return Json{
      {"is_learned", report.is_learned},       {"num_samples", report.num_samples},
      {"num_steps", report.num_steps},         {"num_skipped_steps", report.num_skipped_steps},
      {"learning_rate", report.learning_rate}, {"first_loss", figure(report.first_loss)},
      {"last_loss", figure(report.last_loss)}, {"last_top1", figure(report.last_top1)}}
      .dump(2);
}

}  // namespace

int run_learning_rate_search(const train::RunConfig& config, const TrialScreen& screen,
                             const std::stop_token& stop) {
  const train::LrFinderConfig finder;
  ProgressLine line(screen.verbosity);
  const auto show = [&](std::uint32_t num_steps) {
    if (line.is_due()) line.update(fmt::format("step {} of {}", num_steps, finder.num_steps));
  };
  const train::LearningRateSearch search = search_learning_rate(config, finder, show, stop);
  const auto rate = search.learning_rate();
  if (screen.is_json) {
    print_result(search_json(search));
  } else {
    if (screen.verbosity == Verbosity::kNormal) {
      print_result(lr_finder_plot(search.points, search.suggested));
    }
    if (rate) print_result("try: --learning-rate " + rate_text(*rate));
  }
  if (rate) return kExitDone;
  print_error(no_rate_text(search),
              "a larger --batch-size, another --seed, or see whether it learns at "
              "all: penstock train DATASET --overfit-batch");
  return kExitFailed;
}

int run_overfit_check(const train::RunConfig& config, std::uint32_t num_steps,
                      const TrialScreen& screen, const std::stop_token& stop) {
  ProgressLine line(screen.verbosity);
  const auto show = [&](const train::OverfitReport& so_far) {
    if (!line.is_due()) return;
    line.update(fmt::format("step {} of {}: loss {}", so_far.num_steps, num_steps,
                            loss_text(so_far.last_loss)));
  };
  const train::OverfitReport report =
      overfit_one_batch(config, {.num_steps = num_steps}, show, stop);
  print_result(screen.is_json ? overfit_json(report) : report.text());
  return report.is_learned ? kExitDone : kExitFailed;
}

int run_dry_run(const train::RunConfig& config, train::RunStart start, RunScreen& start_screen,
                const TrialScreen& screen, const std::stop_token& stop) {
  std::optional<ProgressLine> line(std::in_place, screen.verbosity);
  const auto show = [&](const char* what, std::uint64_t num_batches) {
    if (line->is_due()) line->update(fmt::format("dry run: {} {}", what, num_batches));
  };
  const train::RunForecast forecast = train::rehearse_run(
      config, start, {},
      {.at_start = [&](const train::RunOverview& overview) { start_screen.on_start(overview); },
       .at_train_batch = [&](std::uint64_t count) { show("training batch", count); },
       .at_validation_batch = [&](std::uint64_t count) { show("validation batch", count); }},
      stop);
  line.reset();  // takes the line away
  if (screen.is_json) {
    print_result(forecast_json(start_screen.overview(), forecast));
  } else if (screen.verbosity == Verbosity::kNormal) {
    print_result(forecast_text(forecast));
  }
  return kExitDone;
}

}  // namespace penstock::tools
