// What a conversion is told.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/convert/bad_limit.h"
#include "tools/convert/image/check_settings.h"
#include "tools/convert/reason/reason_policies.h"
#include "tools/convert/source/combined_source.h"
#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/source_request.h"
#include "tools/convert/source/split_draw.h"
#include "tools/convert/table/table_columns.h"
#include "tools/convert/write/partial_folder.h"

namespace penstock::convert {

struct ConvertConfig {
  /// Whatever scan_source() knows: folders, archives, batches, tables.
  std::filesystem::path source{};
  /// Further sources; names of pictures then begin with the name of their source.
  std::vector<std::filesystem::path> more_sources{};
  std::filesystem::path dataset{};  // must not exist, unless `existing` says otherwise
  SplitRequest split{};
  LayoutRequest layout{};
  /// Table of paths and labels for a flat folder: CSV, JSON lines or a list. Empty: none.
  std::filesystem::path labels{};
  /// Columns of that table, or of a source that is a table. Empty names: found by the usual ones.
  TableRequest table{};
  /// Size of source files at which a shard is closed, at least 1 MiB; a larger one has its own shard. What
  /// is encoded anew may make it larger or smaller.
  std::uint64_t shard_size_bytes = 256ull << 20;
  /// Threads that read and decode; 0: one per core. Does not affect the result.
  unsigned num_jobs = 0;
  /// Larger pictures are quarantined, by their header alone.
  std::uint64_t max_px = 100'000'000;
  ExistingTarget existing = ExistingTarget::kRefuse;
  /// Keep each file's path, relative to the source.
  bool store_names = true;
  SeveralScans several_scans = SeveralScans::kKept;
  /// JPEG of several scans whose coefficients take more, in bytes, are rewritten as baseline; 0: all.
  std::uint64_t max_coefficient_bytes = kMaxCoefficientBytes;
  /// Store JPEG and PNG without EXIF, text, thumbnails and what lies behind the end; see strip_jpeg(),
  /// strip_png().
  bool strip_metadata = false;
  /// Which label of CIFAR-100 is learned; nothing: the fine one.
  std::optional<CifarLabel> label{};
  /// Other names for the classes, as class_name_file.h says. Empty: as in the source.
  std::filesystem::path class_names_file{};
  /// Names of pictures begin with that of their source even where it is the only one.
  SourceNames source_names = SourceNames::kWhereSeveral;
  /// What is done about each reason for which a file is not an ordinary picture, or a row no sample.
  ReasonPolicies policies{};
  /// What transparent pictures are laid onto.
  RgbColour background{};
  /// What is encoded anew on request: size, quality, colours, codec.
  EncodeSettings encode{};
  /// Changes what the scan found before splits are drawn: `penstock add` leaves out what a dataset has
  /// and takes over its classes, of which it warns itself. Empty: nothing.
  std::function<void(SourceScan&)> amend_scan{};
  /// With kHeader, JPEG is stored as its header says, without being decoded; no statistics then.
  CheckDepth depth = CheckDepth::kDecode;
  /// Report pictures that look alike too: whose look_hash() differs in at most so many bits, 0 to 7. Not
  /// with kHeader. Nothing: they are not looked for.
  std::optional<unsigned> near_duplicate_bits{};
  /// Limit of what the process holds above what it held at the entry of main, in bytes, at least
  /// kLeastMemoryBytes.
  /// A picture that takes more than half of it is quarantined; else the result does not depend on it.
  std::uint64_t memory_bytes = 1ull << 30;
  /// Beyond it the conversion stops; what was done can be gone on with.
  BadLimit max_bad{};
  /// Pairs of arrays in place of `source`; where their channels stand.
  std::vector<ArrayFiles> arrays{};
  ChannelAxis channel_axis = ChannelAxis::kBySize;
  /// Of a dataset as source: classes to keep (empty: all), the fraction of its samples to keep, above 0 and
  /// below 1, drawn by the seed (nothing: all), and its splits.
  std::vector<std::string> classes{};
  std::optional<double> fraction{};
  DatasetSplits dataset_splits = DatasetSplits::kKept;

  /// What the check of a picture goes by.
  CheckSettings check_settings() const;

  /// Throws InvalidArgument naming the field, its value and the range, or what contradicts what.
  void validate() const;
};

}  // namespace penstock::convert
