// The loader: shards in, batches out, in a reproducible order and within a memory limit.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/batch_transform.h"
#include "streamer/core/host_memory.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/rank.h"
#include "streamer/core/sample_transform.h"
#include "streamer/order/loader_state.h"
#include "streamer/order/sample_order.h"
#include "streamer/pipeline/epoch_batches.h"
#include "streamer/pipeline/loader_stats.h"
#include "streamer/read/cache_form.h"
#include "streamer/shard/dataset.h"

namespace penstock {

/// Bounds of LoaderConfig::window_bytes and piece_bytes.
inline constexpr std::uint64_t kMinWindowBytes = 64u << 10;
inline constexpr std::uint64_t kMaxWindowBytes = std::uint64_t{1} << 50;

struct LoaderConfig {
  /// What a batch is.
  BatchSpec batch = {};
  /// Changes whole batches before they are delivered (mixing of samples); null: nothing does.
  std::shared_ptr<const BatchTransform> batch_transform = {};  // shared with the caller
  /// Which sample stands at which position of an epoch; see streamer/order/README.md.
  SampleOrder order = SampleOrder::kShuffle;
  /// For SampleOrder::kWindowed: bytes of shard files within which samples are shuffled, 64 KiB to
  /// 1 PiB. A smaller one reads closer together, a larger one mixes better.
  std::uint64_t window_bytes = 256u << 20;
  /// For SampleOrder::kWindowed: bytes of the contiguous stretches that a window is made of, 64 KiB
  /// to 1 PiB; a window should hold several. Smaller ones mix a dataset better that is stored class
  /// by class, larger ones ask for fewer seeks; from the largest shard on, they are whole shards.
  std::uint64_t piece_bytes = 8u << 20;
  /// For SampleOrder::kWeighted, and needed there: a weight for each sample of the split, finite
  /// and at least 0, not all 0. Counted as the loader's memory: 4 bytes a sample.
  std::shared_ptr<const std::vector<float>> sample_weights = {};  // shared with the caller
  /// What each sample of the split weighs in the loss, by sample id: it comes as BatchView::weights, and draws
  /// nothing. Finite and at least 0, not all 0; null: 1 each. The caller counts its bytes.
  std::shared_ptr<const std::vector<float>> loss_weights = {};  // shared with the caller
  /// For orders with replacement (kWeighted, kClassBalanced): samples that an epoch draws over all
  /// ranks, 1 to 2^48; empty: as many as the split has.
  std::optional<std::uint64_t> num_samples_per_epoch = {};
  /// Seeds the order and every draw.
  std::uint64_t seed = 0;
  /// Epochs to deliver before the stream ends, at most 2^31; empty: no end. A resumed epoch counts
  /// as one.
  std::optional<std::uint32_t> num_epochs = 1;
  /// First epoch to deliver, below 2^31.
  std::uint32_t first_epoch = 0;
  /// Goes on where another loader stopped, in place of first_epoch. Refused when it comes from
  /// another dataset or from other settings, with the difference. Threads, slots, memory, the number
  /// of ranks, the size of a batch, the type of its values and their layout may differ: the ranks
  /// together deliver every position that was left, once. A batch transform sees other batches then.
  std::optional<LoaderState> resume_from = {};
  /// Leaves out the last, short batch of an epoch.
  bool drop_remainder = false;
  /// With drop_remainder: samples over all ranks that belong together, such as those of a step that takes
  /// several batches. What an epoch has beyond a multiple of them is left out. A multiple of the ranks'
  /// batches together; 0 for one of them.
  std::uint64_t remainder_of = 0;
  Rank rank = {};
  /// Threads that read and check stored bytes, 1 to 256; 0 for a rule: as many as there are usable
  /// cores, at most 64.
  std::uint32_t num_readers = 0;
  /// Threads that decode and augment, 1 to 256; 0 for the same rule. No more than the usable cores
  /// are taken.
  std::uint32_t num_workers = 0;
  /// Batches in flight or lent out, 2 to 64. next() asks that at least one is not lent out.
  std::uint32_t num_slots = 4;
  /// Bytes for encoded and decoded samples in flight; 0 for a rule: two sample runs for each reader
  /// and one for each worker, at least four, beside the costliest sample; at least 16 MiB, and
  /// no more than the budget has left. A run counts here as 16 average samples but at most 4 MiB;
  /// of small ones as max_run_samples, within 512 KiB.
  std::uint64_t work_bytes = 0;
  /// Keeps samples in memory from epoch to epoch: the first of the stream that fit into what the
  /// budget has left, given back when others draw it. Changes no byte of any batch. Which form is
  /// worth its bytes: streamer/read/README.md.
  CacheForm cache = CacheForm::kNone;
  /// The most that the cache takes; 0 for all that is left. It never takes more than it has a use
  /// for.
  std::uint64_t cache_bytes = 0;
  /// Places per sample run, 1 to 64; fewer are taken where readers would go without work.
  std::uint32_t max_run_samples = 64;
  /// Ends the epoch with TooManyBad above this share of failed samples, 0 to 1, of those that this
  /// rank delivers. A share above 0 allows one sample at least.
  double max_bad_fraction = 0.001;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// Lists every setting that affects bytes, one `key=value` per line: the loader's identity. A batch
/// transform's own lines come last.
/// Threads, memory, ranks and the number of epochs are not among them.
std::string loader_identity(const DatasetSplit& split, const LoaderConfig& config,
                            const SampleTransform& transform);

/// What try_next() came back with.
enum class NextOutcome : std::uint8_t { kBatch, kTimedOut, kEnd };

struct NextBatch {
  NextOutcome outcome = NextOutcome::kEnd;
  BatchLease lease = {};  // empty unless outcome is kBatch
};

/// Delivers batches of one split. Starts prefetching when made; goes on over the end of an epoch.
///
/// Order    a pure function of (split, order's settings, seed, epoch, position); see streamer/order
/// Stop     destruction stops every thread promptly, also with leases still out; it must not come
///          while another thread is inside next(): call request_stop() and join that thread first
/// Errors   the constructor refuses what cannot fit (OutOfMemory, with the arithmetic) and what the
///          transforms do not accept, before any thread starts; next() rethrows the first fatal error
/// Memory   drawn from the budget, which may die before the loader
/// Threads  one consumer at a time; leases may be released, the figures asked for and a stop be
///          requested from any thread
class Loader final : public BatchSource {
 public:
  Loader(DatasetSplit split, LoaderConfig config, std::shared_ptr<const SampleTransform> transform,
         MemoryBudget& budget, std::shared_ptr<HostMemory> host_memory = page_aligned_memory());
  ~Loader() override;

  const BatchSpec& spec() const noexcept override;
  BatchLease next() override;
  SourceStats stats() const override;

  /// As next(), but waits no longer than `timeout`; 0 or less only looks. What was not there in
  /// time is not lost: a later call hands it out.
  NextBatch try_next(std::chrono::nanoseconds timeout);

  /// The batches of `epoch`, which must be the one that comes next: epochs come in order, and one
  /// of which batches are left (next(), a loop left early, a resumed epoch) comes before the one
  /// after.
  ///
  ///     for (BatchLease batch : loader.epoch(0)) train_on(batch.view());
  ///
  /// Errors  InvalidArgument, naming the epoch that comes next, for any other
  EpochBatches epoch(std::uint32_t epoch);
  /// Whether the next batch is one of `epoch`.
  bool has_batches_left(std::uint32_t epoch) const noexcept;

  /// Figures of every stage; verdict() of loader_stats.h says what follows from them.
  LoaderStats detailed_stats() const;

  /// Ends the stream at once: next() throws Stopped, also where it waits already, or the fatal
  /// error that came before. Returns without waiting; the threads end by themselves. Batches that
  /// were ready are dropped, leases stay as they are; a stream that has ended stays ended. Takes
  /// locks: not for signal handlers.
  void request_stop() noexcept;

  /// Batches of this rank in one epoch.
  std::uint64_t num_batches_per_epoch() const noexcept;
  /// Where a stream would go on after `lease`: from the last batch consumed, not prefetched.
  LoaderState state_after(const BatchView& consumed) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
