// Where pictures come from: a folder, an archive, an array. One source lists what it has from metadata
// alone (SourceScan), then gives the bytes of any picture, in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/convert/quarantine.h"
#include "tools/convert/source/folder_scan.h"
#include "tools/convert/source/picture_list.h"
#include "tools/convert/source_picture.h"

namespace penstock::convert {

/// Threads  read() from any, also at once
class PictureSource {
 public:
  virtual ~PictureSource() = default;

  /// Reads one picture of the source's own list, as it was listed, into memory of its size; `into`
  /// keeps its buffer from call to call.
  ///
  /// Errors  Io and NotFound; concerns_one_path() tells by their errno whether others may still be read
  ///         (0: yes). CorruptData: this picture alone
  virtual void read(const ListedPicture& picture, SourcePicture& into) const = 0;

  /// Reads at least the first `num_bytes` of a picture, or all of it; the rest where that costs little.
  virtual void read_start(const ListedPicture& picture, std::size_t /*num_bytes*/,
                          SourcePicture& into) const {
    read(picture, into);
  }

  /// Names the picture in messages, so that a user finds it: "photos/cat/1.jpg".
  virtual std::string where(const ListedPicture& picture) const = 0;

  /// What it holds in memory, where that grows with the number of pictures.
  virtual std::uint64_t memory_bytes() const { return 0; }
};

/// A file as it was when it was listed; other ones since then, another conversion.
struct SourceFile {
  std::string path;  // as it was opened
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // since 1970, as the file system counts

  friend bool operator==(const SourceFile&, const SourceFile&) = default;
};

/// What a source holds, found without opening a picture.
struct SourceScan {
  std::string description;                      // in words: "class folders"
  std::map<std::string, std::string> settings;  // what of the source's reading affects bytes
  std::vector<std::string> class_names;  // UTF-8, all different; their place is the class index
  /// Where a user finds each class first named: "labels.csv:12". Empty where folders are classes.
  std::vector<std::string> class_where;
  PictureList pictures;                   // those without a split are drawn
  std::vector<QuarantineEntry> findings;  // what could not be listed, and why
  /// Each of what `skipped` and `num_outside` count, for those who want it listed or refused.
  std::vector<QuarantineEntry> passed_over;
  std::vector<std::string> unreadable;  // names among `pictures` that may not be read
  SkippedFiles skipped;
  std::uint64_t num_outside = 0;  // files in no class
  std::vector<std::string> warnings;
  std::vector<SourceFile>
      files;  // those that hold many pictures each: archives, batches, arrays, shards
  /// Archives and batches that were read to their end, as `findings` would call one that was not.
  std::vector<std::string> whole_archives;
  /// Names say only which row of an array a picture is: another source may use them for others.
  bool names_are_numbers = false;
  /// Others of the source are in a dataset already: it is no error when none of these can be stored.
  bool is_rest = false;
  /// What whoever amends a scan holds beside the list until the conversion's end.
  std::uint64_t held_bytes = 0;
  std::unique_ptr<const PictureSource> source;
};

}  // namespace penstock::convert
