// One shard under repair: where it was found, what is wrong with it, and how much of it can be kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/care/care_shard.h"
#include "tools/care/shard_check.h"
#include "tools/care/shard_places.h"

namespace penstock::care {

struct Patient {
  ShardPlace place;  // with its split, by the manifest or by itself
  std::optional<CareShard> open{};
  ShardCheck check{};
  std::vector<std::string> damage{};
  std::vector<std::string> class_names{};  // its own, where they hold
  std::uint64_t num_kept = 0;

  bool is_rewritten() const { return !damage.empty() && num_kept > 0; }
  bool is_lost() const { return num_kept == 0; }
  /// By the manifest, else by itself; 0: nobody says.
  std::uint64_t num_there() const;
  std::uint64_t num_dropped() const;
  void give_up(const std::string& why);
};

/// Opens and checks it.
///
/// Errors  Unsupported when it is of a form that is not read here: nothing says that it is damaged; Io;
///         Stopped
/// Memory  what check_shard() says
Patient examine(ShardPlace place, const std::filesystem::path& dataset,
                const std::stop_token& stop);

/// Of shards with one uuid the one with most samples stays, of these the first by name. Returns what is to be said
/// of the others.
std::vector<std::string> leave_out_copies(std::vector<Patient>& patients);

}  // namespace penstock::care
