// A dataset back into files: the stored bytes of each sample under its name.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/care/dataset_check.h"

namespace penstock::care {

struct ExtractConfig {
  std::filesystem::path dataset{};
  std::filesystem::path folder{};  // must not exist
  std::string split{};             // empty: all of them
  unsigned num_jobs = 0;           // threads that write files; 0: one per core
};

/// A sample whose file is not called as the sample is.
struct RenamedSample {
  std::string name;  // as stored; empty when there is none
  std::string file;  // within the folder
};

struct ExtractSummary {
  std::uint64_t num_files = 0;
  std::uint64_t written_bytes = 0;
  std::uint64_t num_raw_as_png = 0;
  /// Files whose name says another format than what is in them: pictures that conversion re-encoded, or
  /// that were called so in the source.
  std::uint64_t num_other_format = 0;
  /// JPEG that got an EXIF orientation, because the index said one that they did not.
  std::uint64_t num_orientation_told = 0;
  std::uint64_t num_unnamed = 0;           // numbered, for want of any name
  std::vector<RenamedSample> renamed;      // whose names could not be used
  std::vector<Damage> damage;              // what could not be extracted
  std::uint64_t num_lost = 0;              // samples among it: all of a shard that cannot be read
  std::vector<std::string> empty_classes;  // no file is in them
  /// These have empty folders, so that the classes behind them keep their indices.
  bool has_empty_folders = false;
  /// True when paths do not tell the classes, and labels.csv does: path,label,split.
  bool has_labels_file = false;
  std::chrono::duration<double> elapsed{};
};

/// Extracts. On any error, and on a stop, nothing is left of the folder. Damaged samples are left out
/// and listed; every byte written has passed its checksum.
///
/// Errors  those of Dataset::open(); InvalidArgument (a folder within the dataset); AlreadyExists, NotFound,
///         Io (space too; samples are missing from a dataset that was changed meanwhile); Stopped
/// Memory  what check_shard() says, the names of all samples, and a sample for each thread
ExtractSummary extract_dataset(const ExtractConfig& config, const CheckListener& listener,
                               const std::stop_token& stop);

}  // namespace penstock::care
