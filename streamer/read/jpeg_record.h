// What the index says of a JPEG, from its header: conversion and new_picture write the same.
#pragma once

#include "streamer/read/jpeg_decoder.h"
#include "streamer/shard/shard_format.h"

namespace penstock {

/// Class, orientation and what the shard writer fills are left as they are by default.
inline IndexRecord jpeg_record(const JpegHeader& header) noexcept {
  IndexRecord record;
  record.width_px = header.width_px;
  record.height_px = header.height_px;
  record.codec = static_cast<std::uint8_t>(Codec::kJpeg);
  record.flags = header.has_several_scans ? kFlagProgressive : 0;
  record.components = header.components;
  record.subsampling_x = header.subsampling_x;
  record.subsampling_y = header.subsampling_y;
  return record;
}

}  // namespace penstock
