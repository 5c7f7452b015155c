#include "tools/care/repair_patient.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

// To drop it would lose what another program reads.
[[noreturn]] void refuse_form(const Error& error) {
  throw Error(ErrorCode::kUnsupported, std::string("repair: ") + error.what(),
              error.hint() + "; or move it out of the folder to go on without it");
}

}  // namespace

std::uint64_t Patient::num_there() const {
  if (place.listed) return place.listed->num_samples;
  return open ? open->num_samples() : 0;
}

std::uint64_t Patient::num_dropped() const {
  return num_there() - std::min(num_there(), num_kept);
}

void Patient::give_up(const std::string& why) {
  damage.push_back(why);
  std::ranges::fill(check.is_whole, std::uint8_t{0});
  num_kept = 0;
}

Patient examine(ShardPlace found, const std::filesystem::path& dataset,
                const std::stop_token& stop) {
  Patient patient{.place = std::move(found)};
  ShardPlace& place = patient.place;
  if (place.found_as.empty()) {
    patient.damage.push_back("expected this shard in the folder, found it nowhere");
    return patient;
  }
  try {
    patient.open = CareShard::open(dataset / place.found_as, patient.damage);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kIo) throw;
    if (error.code() == ErrorCode::kUnsupported) refuse_form(error);
    patient.damage.push_back(error.what());
    return patient;
  }
  if (place.split.empty()) place.split = patient.open->split();
  if (place.split != patient.open->split()) {
    patient.damage.push_back(
        fmt::format("split: expected \"{}\", found \"{}\"", place.split, patient.open->split()));
  }
  patient.check = check_shard(*patient.open, {.stop = stop, .done_bytes = nullptr});
  patient.damage.insert(patient.damage.end(), patient.check.shard_damage.begin(),
                        patient.check.shard_damage.end());
  if (!patient.check.sample_damage.empty() && patient.damage.empty()) {
    patient.damage.push_back("samples: expected every one whole, found damaged ones");
  }
  patient.num_kept =
      static_cast<std::uint64_t>(std::ranges::count(patient.check.is_whole, std::uint8_t{1}));
  try {
    patient.class_names = patient.open->read_class_names();
  } catch (const Error&) {
    patient.class_names.clear();  // told by check_shard()
  }
  return patient;
}

std::vector<std::string> leave_out_copies(std::vector<Patient>& patients) {
  std::map<std::string, std::size_t> chosen;  // by uuid
  const auto has_uuid = [](const Patient& patient) {
    return patient.open && !patient.open->uuid().empty();
  };
  for (std::size_t i = 0; i < patients.size(); ++i) {
    if (!has_uuid(patients[i])) continue;
    const auto [found, is_new] = chosen.emplace(patients[i].open->uuid(), i);
    if (patients[i].num_kept > patients[found->second].num_kept) found->second = i;
  }
  std::vector<std::string> notes;
  std::vector<Patient> kept;
  for (std::size_t i = 0; i < patients.size(); ++i) {
    const std::size_t other = has_uuid(patients[i]) ? chosen.at(patients[i].open->uuid()) : i;
    if (other == i) continue;
    notes.push_back(fmt::format("{}: the same shard as {}: left out, and left where it is",
                                tools::printable(patients[i].place.found_as),
                                tools::printable(patients[other].place.file)));
  }
  for (std::size_t i = 0; i < patients.size(); ++i) {
    const bool is_kept = !has_uuid(patients[i]) || chosen.at(patients[i].open->uuid()) == i;
    if (is_kept) kept.push_back(std::move(patients[i]));
  }
  patients = std::move(kept);
  return notes;
}

}  // namespace penstock::care
