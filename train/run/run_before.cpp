#include "train/run/run_before.h"

#include "train/run/folder/run_folder.h"
#include "train/run/folder/run_place.h"
#include "train/run/run_status.h"

namespace penstock::train {
std::vector<std::string> RunBefore::notes() const {
  if (resume) return resume->notes();
  if (lock) return {"the run has no checkpoint yet: it starts from the beginning"};
  return {};
}

RunBefore open_run_before(const RunConfig& config, RunStart start) {
  RunBefore before;
  if (start == RunStart::kResume && has_begun_run(config.out)) {
    before.lock.emplace(config.out);
    before.resume = RunResume::open(config.out);
  } else {
    check_run_folder_is_free(config.out);
    check_run_place(config.out);
  }
  return before;
}

}  // namespace penstock::train
