// What every command that converts puts around its work: signals, memory that goes back to the system, notices
// and a progress line, quiet.
#pragma once

#include <cstdio>
#include <stop_token>
#include <string>

#include "tools/convert/convert_job.h"
#include "tools/convert/convert_report.h"
#include "tools/library_remarks.h"
#include "tools/process_limits.h"
#include "tools/stop_signals.h"
#include "tools/terminal.h"

namespace penstock::tools {

class TerminalObserver final : public convert::ConvertObserver {
 public:
  TerminalObserver(Verbosity verbosity, std::FILE* stream)
      : verbosity_(verbosity), stream_(stream), line_(verbosity, stream) {}

  void notice(const std::string& text) override { print_notice(verbosity_, text, stream_); }

  void progress(const convert::ConvertProgress& progress) override {
    if (line_.is_due()) line_.update(convert::format_progress(progress));
  }

 private:
  Verbosity verbosity_;
  std::FILE* stream_;
  ProgressLine line_;
};

/// Runs work(observer, stop), which keeps to its limit of memory as far as freed memory is given back.
template <class Work>
auto watch_conversion(Verbosity verbosity, const Work& work) {
  // Before any other thread, so that they all leave the signals to it.
  const StopSignals signals;
  return_freed_memory();
  const LibraryRemarksSilenced silenced;
  TerminalObserver observer(verbosity, silenced.stream());
  return work(observer, signals.token());
}

}  // namespace penstock::tools
