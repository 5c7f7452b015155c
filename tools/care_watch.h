// What every command that looks after a dataset puts around its work: signals, a progress line, quiet.
#pragma once

#include <functional>
#include <stop_token>

#include "tools/care/check_report.h"
#include "tools/library_remarks.h"
#include "tools/stop_signals.h"
#include "tools/terminal.h"

namespace penstock::tools {

/// Runs work(listener, stop) with a progress line on stderr.
template <class Work>
auto watch_care(Verbosity verbosity, const Work& work) {
  // Before any other thread, so that they all leave the signals to it.
  const StopSignals signals;
  const LibraryRemarksSilenced silenced;
  ProgressLine line(verbosity, silenced.stream());
  const care::CheckListener listener = [&](const care::CheckProgress& progress) {
    if (line.is_due()) line.update(care::check_progress_text(progress));
  };
  return work(listener, signals.token());
}

}  // namespace penstock::tools
