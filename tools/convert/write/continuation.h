// Goes on with what an earlier conversion left in DATASET.partial, or begins there.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/convert/source/picture_source.h"
#include "tools/convert/write/journal.h"
#include "tools/convert/write/listed_rows.h"
#include "tools/convert/write/partial_folder.h"
#include "tools/convert/write/shard_plan.h"

namespace penstock::convert {

/// The setting that holds ReasonPolicies::changes(). Policies of reasons that no finished shard has met may
/// differ from those that were begun with.
inline constexpr const char* kPoliciesSetting = "reasons";
/// The distance in bits; there only where pictures that look alike are looked for.
inline constexpr const char* kNearDuplicatesSetting = "near_duplicates";

struct Continuation {
  Journal journal;
  std::unique_ptr<ListedRowsFile> rows;
  std::unique_ptr<PrintFile> prints;
  std::unique_ptr<PrintFile> looks;                 // nothing where none are taken
  std::vector<std::optional<JournalShard>> shards;  // by plan; nothing: still to be made
  std::vector<std::string> redone;  // of those: which were finished, and why they are not, in words
};

/// The conversion that is asked for; all of it outlives the call.
struct ConversionTask {
  const JournalHead* head = nullptr;
  const SourceScan* scan = nullptr;
  const std::vector<ShardPlan>* shards = nullptr;
  std::uint64_t one_picture_bytes = 0;  // ConvertMemory's
};

/// Called for each sample of each shard that need not be made again.
using VisitFinished = std::function<void(SplitKind split, const IndexRecord& record)>;

/// Reads the journal in `folder`, trusts a shard when all that it holds, its rows and its prints are what
/// they were, and when the limit of one picture makes no difference to it; and removes every other file. From
/// then on the folder is kept, if a shard is done. Without one that is finished it begins anew, whatever was
/// begun there.
///
/// Errors  AlreadyExists naming what differs: another conversion was begun there, or its source has
///         changed; Io; Stopped
Continuation begin_or_continue(PartialFolder& folder, const ConversionTask& task,
                               const VisitFinished& visit, const std::stop_token& stop);

}  // namespace penstock::convert
