// A small converted dataset for the tests of what looks after one, and the folder it came from.
#pragma once

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <string>

#include "streamer/core/file.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/care/add_job.h"
#include "tools/care/dataset_check.h"
#include "tools/convert/convert_job.h"

namespace penstock::tests {

namespace fs = std::filesystem;

class SilentObserver final : public convert::ConvertObserver {
 public:
  void notice(const std::string&) override {}
  void progress(const convert::ConvertProgress&) override {}
};

inline void no_progress(const care::CheckProgress&) {}

/// Every file below `folder`, by its path within.
inline std::map<std::string, std::string> files_below(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[entry.path().lexically_relative(folder)] = read_text_file(entry.path());
  }
  return files;
}

inline void convert_quietly(const fs::path& source, const fs::path& dataset,
                            double validation_fraction = 0.3) {
  SilentObserver observer;
  convert::ConvertConfig config{.source = source, .dataset = dataset, .num_jobs = 1};
  config.split = {.validation_fraction = validation_fraction, .test_fraction = {}, .seed = 0};
  convert_folder(config, observer, {});
}

inline care::AddSummary add(const fs::path& dataset, const fs::path& source,
                            care::NewClasses new_classes = care::NewClasses::kRefused) {
  SilentObserver observer;
  return care::add_to_dataset({.dataset = dataset, .source = source, .new_classes = new_classes},
                              observer, {});
}

/// `num_each` cats and dogs; training and validation, one shard each.
class CaredDataset {
 public:
  explicit CaredDataset(std::uint32_t num_each = 8) {
    write_cats_and_dogs(source(), num_each);
    convert_quietly(source(), path());
  }
  fs::path folder() const { return folder_.path(); }
  fs::path source() const { return folder_.path() / "photos"; }
  fs::path path() const { return folder_.path() / "photos.ds"; }
  fs::path train() const { return path() / "train-00000.h5"; }

  care::DatasetCheck check(care::CheckReach reach = care::CheckReach::kBytes) const {
    return care::check_dataset({.dataset = path(), .reach = reach, .num_jobs = 2}, no_progress, {});
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace penstock::tests
