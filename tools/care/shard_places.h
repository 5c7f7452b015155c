// Which file of a dataset's folder is which shard. Shards are known by their uuid, which the header's checksum
// or HDF5's vouches for, whatever their files are called.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"

namespace penstock::care {

/// A shard of the dataset, and where it was found.
struct ShardPlace {
  std::string file;      // the name it shall have
  std::string found_as;  // the name it has; empty: nowhere
  std::string split;     // by the manifest; empty: the shard itself says
  std::optional<ManifestShard> listed;
  std::uint64_t first_sample_idx = 0;  // within the split, by the manifest

  bool has_its_name() const { return found_as.empty() || found_as == file; }
};

struct ShardPlaces {
  std::vector<ShardPlace> places;
  std::vector<std::string> notes;  // files that are left where they are, and why
};

/// The shards that the manifest lists, in its order. A file under the name of a shard that is another one of
/// the list is that other; a shard that its name does not lead to is looked for in all files *.h5 and *.h5.*
/// of the folder, among them what a repair that was cut short has left. A second copy is left out.
///
/// Errors  CorruptData when under a shard's name lies one of another split that the manifest does not list:
///         taken for the one listed, its samples would change splits; InvalidArgument when what lies there is
///         no regular file; Io
ShardPlaces find_places(const std::filesystem::path& dataset, const Manifest& manifest);

/// Where no manifest tells: every file *.h5, and *.h5.repaired where its *.h5 is gone, by name. Copies are among
/// them. Throws Io.
ShardPlaces list_places(const std::filesystem::path& dataset);

/// What becomes of a file that stands in the way and is no shard that can be told.
enum class InTheWay : std::uint8_t { kPutAside, kRemoved };

/// Gives every shard its name. A file that stands in the way and is no shard that can be told is put aside as
/// *.damaged first, or removed; any other changes names with the one that takes its place. Whatever the moment
/// it is ended, the same call goes on. Throws Io.
void take_places(const std::filesystem::path& dataset, std::vector<ShardPlace>& places,
                 InTheWay in_the_way);

}  // namespace penstock::care
