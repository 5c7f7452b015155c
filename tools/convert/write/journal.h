// What a conversion has done so far, in DATASET.partial: its settings, its source, and every shard
// that is finished with all that it contributed. README.md describes the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "streamer/shard/manifest.h"
#include "tools/convert/write/shard_contribution.h"

namespace penstock::convert {

inline constexpr const char* kJournalName = "journal";

/// Which conversion it is: another one must not go on with its shards.
struct JournalHead {
  std::map<std::string, std::string> settings;  // whatever affects bytes
  std::string source_digest;                    // source_stamp.h

  friend bool operator==(const JournalHead&, const JournalHead&) = default;
};

/// One finished shard.
struct JournalShard {
  std::string file;                    // as planned: "train-00000.h5"
  std::optional<ManifestShard> shard;  // nothing when no picture of it was stored
  ShardContribution contribution;
  std::uint64_t one_picture_bytes = 0;  // what one picture could take when it was made
};

struct JournalContents {
  JournalHead head;
  std::vector<JournalShard> shards;
  std::uint64_t size_bytes = 0;  // of its whole lines
};

/// Reads the journal in `folder` up to the first line that is not whole: a crash tears the last one.
/// Nothing when there is no journal or not even a whole head. Throws Io.
std::optional<JournalContents> read_journal(const std::filesystem::path& folder);

/// Names the settings that differ: "seed: 0 before, now 5".
std::vector<std::string> setting_differences(const JournalHead& before, const JournalHead& now);

/// Appends to a journal; every line is on the disk when the call returns.
///
/// Errors  Io
class Journal {
 public:
  /// Begins a new one in `folder`, in place of any that is there.
  Journal(const std::filesystem::path& folder, const JournalHead& head);
  /// Puts one of these contents in place of any that is there: whole, or not at all.
  Journal(const std::filesystem::path& folder, const JournalHead& head,
          const std::vector<JournalShard>& shards);
  /// Goes on with one that was read, behind its last whole line.
  Journal(const std::filesystem::path& folder, const JournalContents& contents);

  void add(const JournalShard& shard);

 private:
  void append(const std::string& text);

  std::filesystem::path path_;
  UniqueFd file_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace penstock::convert
