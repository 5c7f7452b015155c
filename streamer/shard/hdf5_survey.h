// Where the parts of a shard lie by its HDF5 metadata alone: for files whose header is gone or
// wrong, as h5repack and h5py leave them. Reads metadata only; the bytes are then read as ever.
//
// Hardened: the library works in a child process (hdf5_child.h). Taken are contiguous datasets of our own
// types, by hard links, in the file itself, unfiltered. No plugins. The loader never comes here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/shard/hdf5_child.h"

namespace penstock {

struct Hdf5Part {
  std::string name;  // a section of FORMAT.md, section 3
  std::uint64_t offset_bytes = 0;
  std::uint64_t length_bytes = 0;
  std::uint64_t element_bytes = 0;  // of /class_names: the width of a name
};

/// What the HDF5 metadata of a shard say. Attributes that are missing are empty, or 0.
struct Hdf5Survey {
  std::vector<Hdf5Part> parts;  // those there are; images, index and class_names always
  std::string split;
  std::string uuid;
  std::string writer;  // "penstock 0.1.0"
  std::uint64_t num_samples = 0;
  std::uint64_t num_classes = 0;

  const Hdf5Part* find(std::string_view name) const noexcept;
};

/// Surveys a file. On return every part lies within the file, and lengths are multiples of their
/// elements' sizes.
///
/// Errors   CorruptData when the library cannot open it, or a part is missing or lies outside;
///          Unsupported for chunks, filters, external files, links or types of other kinds; NotFound, Io
/// Threads  any
Hdf5Survey survey_hdf5(const std::filesystem::path& path);

/// The same of many files, ahead of whoever asks: one child process looks at one after another, so that no
/// file waits for a process of its own. A file that is refused ends the child; the next has another.
///
/// Threads  any
class Hdf5SurveyRun {
 public:
  explicit Hdf5SurveyRun(std::vector<std::filesystem::path> paths) : paths_(std::move(paths)) {}

  /// Takes the survey of the file at `path_idx`, once. Quick for those who ask in rising order. Throws as
  /// survey_hdf5() of that file.
  Hdf5Survey take(std::size_t path_idx);

 private:
  using Found = std::variant<Hdf5Survey, Error>;

  Found look_at_next();

  const std::vector<std::filesystem::path> paths_;
  std::mutex mutex_;                  // guards what follows
  std::unique_ptr<Hdf5Child> child_;  // at work on the files after those in found_
  std::vector<Found> found_;          // by file, from the first on
};

}  // namespace penstock
