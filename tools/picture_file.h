// A picture file as `penstock predict` takes it: read within the memory limit and made into what
// `convert` would store, so that a file and its sample in a dataset give the same answer.
#pragma once

#include <cstdint>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "tools/convert/image/image_check.h"
#include "train/run/inference/predictor.h"

namespace penstock::tools {

/// A picture, and its part of the memory limit.
struct BudgetedPicture {
  train::EncodedPicture picture;
  BudgetShare share;
};

/// What is said of a file that was never meant as a picture: text, an archive, something unknown.
class NoPicture final : public Error {
 public:
  using Error::Error;
};

/// Reads picture files, one at a time.
class PictureFiles {
 public:
  /// Pictures above `max_px` are refused; `encode` as the dataset's conversion had it. What is read is drawn
  /// from `budget`, which is shared.
  PictureFiles(std::uint64_t max_px, const convert::EncodeSettings& encode, MemoryBudget& budget);

  /// Errors  CorruptData when it does not decode, NoPicture (CorruptData too) saying what it is; NotFound,
  ///         Io; OutOfMemory when it does not fit what is left of the budget
  BudgetedPicture read(const std::string& path);

  /// The same refusal for a picture that was read and then did not decode.
  [[noreturn]] void refuse_undecodable(const std::string& path, const SampleFault& fault) const;

 private:
  [[noreturn]] void refuse(const std::string& path, convert::ReasonCode reason,
                           const std::string& detail) const;

  std::uint64_t max_px_;
  MemoryBudget& budget_;
  convert::ImageChecker checker_;
};

}  // namespace penstock::tools
