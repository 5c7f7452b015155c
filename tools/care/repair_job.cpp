#include "tools/care/repair_job.h"

#include <fmt/core.h>

#include "streamer/core/error.h"
#include "tools/care/dataset_change.h"
#include "tools/care/decode_check.h"
#include "tools/care/repair_diagnosis.h"
#include "tools/care/repair_treatment.h"
#include "tools/convert/write/folder_lock.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

// What an addition or a removal left half done is not for repair to guess at.
void settle(const RepairConfig& config, RepairSummary& summary) {
  if (config.mode == RepairMode::kDryRun) {
    if (!fs::exists(config.dataset / kUnfinishedChangeName)) return;
    summary.notes.emplace_back(
        "a change of the dataset was cut short; repair ends it or takes it back first");
  } else if (const auto change = settle_change(config.dataset)) {
    summary.notes.emplace_back(change->is_done
                                   ? "a change of the dataset that was cut short is ended"
                                   : "a change of the dataset that was cut short is taken back");
  }
}

void check_anything_left(const RepairConfig& config, const RepairSummary& summary) {
  if (summary.num_samples > 0) return;
  throw Error(ErrorCode::kCorruptData,
              fmt::format("repair: {}: expected at least one sample that can be saved, found none",
                          printable_path(config.dataset)),
              "restore the dataset from a copy, or convert the source again");
}

}  // namespace

void RepairConfig::validate() const {
  check_decode_memory("repair", limits.memory_bytes);
}

std::uint64_t RepairSummary::num_dropped() const noexcept {
  std::uint64_t sum = 0;
  for (const RepairedShard& shard : shards) sum += shard.num_dropped;
  return sum;
}

RepairSummary repair_dataset(const RepairConfig& config, const CheckListener& listener,
                             const std::stop_token& stop) {
  config.validate();
  if (!fs::is_directory(config.dataset)) {
    throw Error(
        ErrorCode::kNotFound,
        fmt::format("dataset: {}: expected a folder, found none", printable_path(config.dataset)),
        "check the path");
  }
  const convert::DatasetLock lock(config.dataset);
  RepairSummary summary;
  settle(config, summary);
  RepairDiagnosis diagnosis = diagnose(config, stop, summary);
  check_anything_left(config, summary);
  if (config.mode == RepairMode::kRepair && !summary.is_whole()) {
    lock.check_in_place();
    treat(config, diagnosis, listener, stop, summary);
  }
  return summary;
}

}  // namespace penstock::care
