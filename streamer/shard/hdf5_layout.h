// The HDF5 side of a shard: where its datasets lie, and the metadata bytes that make the file one
// that HDF5 tools open. Works in memory: the HDF5 library never touches the disk, so that a full
// disk or a failing one cannot leave it in a broken state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace penstock {

struct Hdf5Shape {
  std::string split;
  std::string uuid;  // 32 hexadecimal digits
  std::uint64_t num_samples = 0;
  std::uint64_t payload_bytes = 0;  // length of /images
  std::uint32_t num_classes = 0;
  std::uint32_t class_name_bytes = 0;  // width of one entry of /class_names
  std::uint64_t names_bytes = 0;       // length of /names; 0 leaves it and /name_offsets out
};

struct MetadataPiece {
  std::uint64_t offset_bytes = 0;
  std::vector<std::byte> bytes;
};

struct Hdf5Layout {
  std::uint64_t images_offset_bytes = 0;
  std::uint64_t index_offset_bytes = 0;
  std::uint64_t index_page_xxh3_offset_bytes = 0;
  std::uint64_t class_names_offset_bytes = 0;
  std::uint64_t name_offsets_offset_bytes = 0;  // 0 when left out
  std::uint64_t names_offset_bytes = 0;         // 0 when left out
  std::uint64_t file_size_bytes = 0;
  std::vector<MetadataPiece> metadata;  // to be written in this order
};

/// Lays out a shard. The offsets depend on all but split and uuid; names come last, so the others
/// do not depend on names_bytes.
///
/// Errors   Internal, with the HDF5 library's own words
/// Threads  any; calls wait for each other, since the library may be built without locks
Hdf5Layout lay_out_hdf5(const Hdf5Shape& shape);

}  // namespace penstock
