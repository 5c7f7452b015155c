// Which pictures of a source have names that a dataset has.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "streamer/shard/manifest.h"
#include "tools/convert/source/picture_list.h"

namespace penstock::care {

struct NamesThere {
  std::vector<bool> is_there;     // by picture index
  std::uint64_t num_unnamed = 0;  // samples of the dataset that keep no name to compare
};

/// Finds them by the hash of each name, then by the name itself.
///
/// Memory  names_there_bytes(), whatever the dataset has in other shards
/// Errors  those of ShardFile::open() and read_names()
NamesThere find_names_there(const convert::PictureList& pictures,
                            const std::filesystem::path& dataset, const Manifest& manifest);

/// 17 bytes a picture, and the names of the dataset's largest shard, at 50 bytes each.
std::uint64_t names_there_bytes(std::uint64_t num_pictures, const Manifest& manifest);

}  // namespace penstock::care
