// Hears a conversion for a test.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tools/convert/convert_job.h"

namespace penstock::tests {

// Remembers what it hears; may stop the conversion, or do something, at a file.
class Listener final : public convert::ConvertObserver {
 public:
  void notice(const std::string& text) override {
    notices += text + "\n";
    if (at_notice) at_notice();
  }
  void progress(const convert::ConvertProgress& progress) override {
    last = progress;
    if (at_file) at_file(progress.num_done);
  }

  std::string notices;
  convert::ConvertProgress last;
  std::function<void()> at_notice;  // the first comes between scan and check
  std::function<void(std::uint64_t)> at_file;
};

}  // namespace penstock::tests
