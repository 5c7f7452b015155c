#include "train/run/run_before.h"

#include <string>
#include <system_error>

#include "train/run/folder/run_folder.h"
#include "train/run/folder/run_place.h"
#include "train/run/run_status.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

/// A run that was killed before it had stored its run.toml has left an empty folder, or a part of that file.
bool is_begun(const fs::path& folder) {
  if (has_run(folder)) return true;
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) return false;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (entry->path().filename() != std::string(kRunFileName) + ".tmp") return false;
  }
  return !failure;
}

}  // namespace

std::vector<std::string> RunBefore::notes() const {
  if (resume) return resume->notes();
  if (lock) return {"the run has no checkpoint yet: it starts from the beginning"};
  return {};
}

RunBefore open_run_before(const RunConfig& config, RunStart start) {
  RunBefore before;
  if (start == RunStart::kResume && is_begun(config.out)) {
    before.lock.emplace(config.out);
    before.resume = RunResume::open(config.out);
  } else {
    check_run_folder_is_free(config.out);
    check_run_place(config.out);
  }
  return before;
}

}  // namespace penstock::train
