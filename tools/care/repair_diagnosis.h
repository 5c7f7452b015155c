// What a repair finds before it writes anything: which shards are there, what is wrong with them and with the
// manifest, and what of the dataset can be kept.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "tools/care/repair_job.h"
#include "tools/care/repair_patient.h"

namespace penstock::care {

struct RepairDiagnosis {
  std::optional<Manifest> old_manifest{};          // none: lost, or not to be read
  std::optional<std::uint64_t> num_quarantined{};  // by the list, where there is no manifest
  std::vector<Patient> patients{};
  std::vector<std::string> class_names{};
};

/// Reads the manifest and checks every shard. What is to be said goes to `summary`.
///
/// Errors  InvalidArgument (no shards at all); CorruptData when shards disagree about their classes; those of
///         find_places() and examine()
/// Memory  what check_shard() says, 1 byte a sample
RepairDiagnosis diagnose(const RepairConfig& config, const std::stop_token& stop,
                         RepairSummary& summary);

/// Says what the manifest of before knew of bytes and copies: it is lost where samples are dropped.
void tell_lost_counts(const Manifest& old_manifest, RepairSummary& summary);

}  // namespace penstock::care
