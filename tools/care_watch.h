// What every command that looks after a dataset puts around its work: signals, a progress line, quiet.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "streamer/core/error.h"
#include "tools/care/check_report.h"
#include "tools/library_remarks.h"
#include "tools/stop_signals.h"
#include "tools/terminal.h"

namespace penstock::tools {

/// What was typed, as it is typed again after a signal.
struct TypedCommand {
  const char* name;       // "verify"
  std::string arguments;  // "photos.ds --deep", quoted for a shell
};

/// Runs work(listener, stop) with a progress line on stderr. A stop names the line that starts again.
template <class Work>
auto watch_care(Verbosity verbosity, const TypedCommand& typed, const Work& work) try {
  // Before any other thread, so that they all leave the signals to it.
  const StopSignals signals;
  const LibraryRemarksSilenced silenced;
  ProgressLine line(verbosity, silenced.stream());
  const care::CheckListener listener = [&](const care::CheckProgress& progress) {
    if (line.is_due()) line.update(care::check_progress_text(progress));
  };
  return work(listener, signals.token());
} catch (const Error& error) {
  if (error.code() != ErrorCode::kStopped) throw;
  throw Error(ErrorCode::kStopped, std::string("stopped: ") + typed.name + ": on request",
              std::string("once more: penstock ") + typed.name + " " + typed.arguments);
}

}  // namespace penstock::tools
