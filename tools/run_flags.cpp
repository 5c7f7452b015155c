#include "tools/run_flags.h"

#include <algorithm>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/utf8.h"
#include "tools/command.h"
#include "tools/run_flag_texts.h"
#include "tools/terminal.h"
#include "train/run/settings/run_file.h"

namespace penstock::tools {
namespace {

constexpr std::string_view kPresetKey = "augment.preset";

// "augment.fill_mode" is --augment.fill-mode.
std::string flag_of(std::string_view key) {
  if (key == kPresetKey) return "--augment";
  std::string flag = "--" + std::string(key);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

// What a setting belongs to may be turned on by another flag or by the run file.
void turn_on_around(train::RunConfig& scratch) {
  if (std::max(scratch.mean.size(), scratch.std.size()) == 1) {
    scratch.color_mode = train::ColorMode::kGrayscale;
  }
  if (scratch.schedule.warmup_epochs > 0 || scratch.schedule.warmup_steps > 0) {
    scratch.schedule.kind = train::ScheduleKind::kConstant;
  }
  if (scratch.optimizer.ema_warmup) scratch.optimizer.ema_decay = 0.999;
  if (!scratch.reduces_on_plateau()) scratch.reduce_on_plateau.factor = 0.1;
  if (scratch.reduce_on_plateau.min_delta >= 1) {
    scratch.reduce_on_plateau.delta_mode = train::DeltaMode::kAbsolute;
  }
  if (scratch.steps_per_epoch > 0) scratch.epochs = 1;
  if (!scratch.stops_early()) scratch.early_stopping.patience = 1;
}

}  // namespace

// Reads the value into a run of its own, so that nonsense is a usage error. What this build or this
// machine cannot do is said later, when the command runs.
void check_run_flag(const RunOverride& given, const std::string& value) {
  const std::string example = given.flag + " " + value;
  if (!is_utf8(given.text)) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "run: " + given.flag + ": expected text in UTF-8, found '" + printable(given.text) + "'",
        example);
  }
  train::RunConfig scratch;
  try {
    apply_overrides(scratch, {given});
    turn_on_around(scratch);
    scratch.validate();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument) return;
    // A hint of a run file is a line of it; a flag's is the flag.
    const bool is_near = error.hint().rfind("did you mean", 0) == 0;
    throw Error(error.code(), error.what(), is_near ? error.hint() : example);
  }
}

void add_run_flags(CLI::App& command, std::vector<RunOverride>& overrides,
                   std::initializer_list<std::string_view> keys) {
  const auto is_wanted = [&](std::string_view key) {
    return keys.size() == 0 || std::ranges::any_of(keys, [&](std::string_view wanted) {
             return key == wanted || (wanted.ends_with('.') && key.starts_with(wanted));
           });
  };
  // A few need no headings.
  const bool are_all = keys.size() == 0;
  for (const RunFlagGroup& group : run_flag_groups()) {
    for (const RunFlagText& text : group.texts) {
      if (!is_wanted(text.key)) continue;
      const std::string flag = flag_of(text.key);
      add_value(command,
                {.name = flag,
                 .type = text.type,
                 .description = text.description,
                 .heading = are_all ? group.heading : ""},
                [&overrides, &text, flag](const std::string& given) {
                  overrides.push_back({flag, std::string(text.key), given});
                  check_run_flag(overrides.back(), text.example);
                });
    }
  }
}

void apply_overrides(train::RunConfig& config, const std::vector<RunOverride>& overrides) {
  // What brings settings of its own comes before those.
  const auto brings = [](const RunOverride& given) {
    return given.key == kPresetKey || given.key == "optimizer" || given.key == "schedule";
  };
  for (const bool is_preset : {true, false}) {
    for (const RunOverride& given : overrides) {
      if (brings(given) != is_preset) continue;
      train::set_run_value(config, given.key, given.text, given.flag);
    }
  }
}

void check_run_file(const std::filesystem::path& path) {
  if (path.empty()) return;
  try {
    train::read_run_file(path);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInvalidArgument) throw;
  }
}

}  // namespace penstock::tools
