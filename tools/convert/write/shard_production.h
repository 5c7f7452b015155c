// Makes the shards of a conversion that are not there yet: chunks of pictures are checked on all
// threads, what is to be stored is written in order, and each shard is finished behind the next.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/convert/duplicate/print_runs.h"
#include "tools/convert/write/listed_rows.h"
#include "tools/convert/write/picture_worker.h"
#include "tools/convert/write/shard_committer.h"
#include "tools/convert/write/shard_plan.h"

namespace penstock::convert {

struct ShardProductionConfig {
  const PictureList* pictures = nullptr;           // outlives the production
  const std::vector<ShardPlan>* shards = nullptr;  // outlives the production
  PictureWorkerConfig worker{};
  std::filesystem::path folder{};
  std::vector<std::string> class_names{};  // UTF-8
  unsigned num_jobs = 1;
  std::uint64_t pool_bytes = 0;  // for pictures in memory
  bool store_names = true;
  /// Of the size of a shard's files, what is reserved for it at first; more as it grows.
  double reserved_share = 1.0;
  ListedRowsFile* rows =
      nullptr;  // of what is quarantined, or stored with a loss; outlives the production
  PrintFile* prints = nullptr;  // outlives the production
  PrintFile* looks = nullptr;   // the same; nothing: none are taken
};

/// Who hears of the shards while they are made.
class ProductionListener {
 public:
  virtual ~ProductionListener() = default;
  /// On the calling thread, for each picture in order; `record` is what the index says of it, class
  /// included, when it is stored. May throw: that ends the production.
  virtual void checked(const ListedPicture& picture, const ImageVerdict& verdict,
                       const IndexRecord& record) = 0;
  /// On the calling thread, when a shard's file is made, and when all its samples are in it.
  virtual void shard_begun() = 0;
  virtual void shard_filled() = 0;
  /// On another thread, one shard at a time: it lies on the disk under its name, if it has samples.
  virtual void shard_finished(std::size_t shard_idx, JournalShard record) = 0;
};

/// Makes all shards that are not done; `is_done` has an entry for each.
///
/// Errors  the first by picture, of the source; Io of the disk; Stopped. Shards that were finished
///         before it stay.
/// Reproducible  for any number of jobs and any pool
void produce_shards(const ShardProductionConfig& config, const std::vector<bool>& is_done,
                    ProductionListener& listener, const std::stop_token& stop);

}  // namespace penstock::convert
