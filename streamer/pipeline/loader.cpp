#include "streamer/pipeline/loader.h"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/usable_cores.h"
#include "streamer/order/epoch_order.h"
#include "streamer/order/epoch_range.h"
#include "streamer/order/resume_check.h"
#include "streamer/pipeline/batch_graph.h"
#include "streamer/pipeline/batch_ring.h"
#include "streamer/pipeline/batch_stages.h"
#include "streamer/pipeline/loader_depth.h"
#include "streamer/pipeline/loader_memory.h"
#include "streamer/pipeline/loader_meter.h"
#include "streamer/pipeline/loader_order.h"
#include "streamer/read/admission.h"
#include "streamer/read/reader_pool.h"
#include "streamer/read/sample_cache.h"
#include "streamer/read/work_arena.h"

namespace penstock {
namespace {

LoaderConfig validated(LoaderConfig config) {
  config.validate();
  config = with_ruled_threads(std::move(config), num_usable_cores());
  // The graph's arena takes no more threads than that.
  config.num_augmenters = std::min(config.num_augmenters, num_usable_cores());
  return config;
}

void check_labels(const BatchSpec& spec) {
  if (spec.label_form == LabelForm::kClassIndex) return;
  throw Error(ErrorCode::kUnsupported,
              "loader: label_form: expected class indices, found targets, which shards do not hold",
              "set BatchSpec::label_form to LabelForm::kClassIndex");
}

// About as many as each rank delivers in an epoch: the same number on all of them.
std::uint64_t samples_per_rank(std::uint64_t num_positions, const Rank& rank) {
  return (num_positions + rank.world - 1) / rank.world;
}

// Only with drop_remainder can there be none.
[[noreturn]] void throw_no_batch(const DatasetSplit& split, const EpochShape& shape) {
  std::string needed = "a batch of " + std::to_string(shape.batch);
  if (shape.rank.world > 1) needed += " on each of " + std::to_string(shape.rank.world) + " ranks";
  throw Error(ErrorCode::kInvalidArgument,
              "loader: split " + split.name() + ": expected samples for " + needed + ", found " +
                  std::to_string(shape.num_positions) + " samples",
              "lower the batch size, or keep the remainder (drop_remainder = false)");
}

}  // namespace

// The stages in the order in which a batch walks through them; destruction runs the other way, so
// that whoever pushes is gone before whoever is pushed to.
class Loader::Impl {
 public:
  Impl(DatasetSplit split, LoaderConfig config, std::shared_ptr<const SampleTransform> transform,
       MemoryBudget& budget, std::shared_ptr<HostMemory> host_memory);
  ~Impl() { request_stop(); }  // of all threads, before the first is joined

  BatchLease next();
  void request_stop() noexcept;
  NextBatch try_next(std::chrono::nanoseconds timeout);
  void check_comes_next(std::uint32_t epoch) const;
  bool has_batches_left(std::uint32_t epoch) const noexcept;
  SourceStats stats() const;
  LoaderStats detailed_stats() const;
  const LoaderConfig& config() const noexcept { return config_; }
  EpochShape epoch_shape(std::uint32_t epoch) const noexcept;
  LoaderState state_after(const BatchView& consumed) const;

 private:
  void admit(const std::stop_token& stop);
  bool admit_epoch(std::uint32_t epoch, std::uint64_t& seq, const std::stop_token& stop);
  bool admit_runs(BatchSlot& slot, std::uint32_t slot_idx, const std::stop_token& stop);
  void augment(const SampleRun& run);
  void deliver(const FilledBatch& batch);
  void fail(std::exception_ptr error) noexcept;
  bool has_ended() const noexcept;
  template <class Take>
  BatchLease take_batch(const Take& take);

  DatasetSplit split_;  // with an index of the loader's own
  const LoaderConfig config_;
  const std::shared_ptr<const SampleTransform> transform_;  // shared with the caller
  const std::string identity_;
  const std::uint64_t num_positions_;  // of an epoch, over all ranks
  const std::uint32_t first_epoch_;
  const MemoryBudget budget_;  // shared with the caller
  BudgetShare fixed_share_;
  BudgetShare order_share_;
  std::optional<OrderPlan> order_;
  std::shared_ptr<BatchRing> ring_;  // shared with the leases
  std::optional<Admission> admission_;
  std::optional<WorkArena> arena_;
  std::shared_ptr<SampleCache> cache_;  // shared with whoever reclaims from it; null: none
  BadSampleLimit bad_limit_;
  std::optional<std::uint64_t> num_batches_total_;  // empty: no end
  // Where the consumer stands: written in next() only.
  std::uint32_t current_epoch_;
  std::uint64_t num_left_of_epoch_;

  // Written by the consumer in next(), read by stats() of any thread.
  std::atomic<std::uint64_t> num_batches_{0};
  std::atomic<std::uint64_t> num_samples_{0};
  std::atomic<std::uint64_t> num_skipped_{0};

  LoaderDepth depth_;
  LoaderMeter meter_;
  std::stop_source stop_;  // of the graph's stages; the other threads have their own
  std::optional<BatchGraph> graph_;
  std::optional<ReaderPool> readers_;
  std::jthread admission_thread_;
};

Loader::Impl::Impl(DatasetSplit split, LoaderConfig config,
                   std::shared_ptr<const SampleTransform> transform, MemoryBudget& budget,
                   std::shared_ptr<HostMemory> host_memory)
    : split_(std::move(split)),
      config_(validated(std::move(config))),
      transform_(std::move(transform)),
      identity_(loader_identity(split_, config_, *transform_)),
      num_positions_(config_.num_samples_per_epoch.value_or(split_.num_samples())),
      first_epoch_(config_.resume_from ? config_.resume_from->epoch : config_.first_epoch),
      budget_(budget),
      bad_limit_({.max_fraction = config_.max_bad_fraction,
                  .samples_per_epoch = samples_per_rank(num_positions_, config_.rank)}) {
  check_labels(config_.batch);
  transform_->accept(config_.batch);
  if (config_.resume_from) {
    check_resume(*config_.resume_from, {.dataset_id = split_.dataset_id(),
                                        .settings = identity_,
                                        .num_positions = num_positions_});
  }
  const std::uint64_t per_epoch = num_batches(epoch_shape(first_epoch_ + 1));
  if (per_epoch == 0) throw_no_batch(split_, epoch_shape(first_epoch_ + 1));
  if (config_.num_epochs) {
    const std::uint64_t num_epochs = *config_.num_epochs;
    num_batches_total_ =
        num_epochs == 0 ? 0 : num_batches(epoch_shape(first_epoch_)) + (num_epochs - 1) * per_epoch;
  }

  current_epoch_ = first_epoch_;
  num_left_of_epoch_ = num_batches_total_ == 0 ? 0 : num_batches(epoch_shape(first_epoch_));

  // Everything that can be refused is refused here, before any thread starts.
  const LoaderMemory memory = plan_loader_memory(split_, config_, *transform_, budget.room());
  check_memory(memory, config_);
  split_ = split_.with_index(memory.index, budget);
  fixed_share_ = budget.draw(memory.fixed_bytes, "stacks, tables and small allocations");
  order_share_ = budget.draw(memory.order_bytes, "order of the samples");
  order_.emplace(order_config(split_, config_));
  const BatchRing::Config ring{.spec = config_.batch, .num_slots = config_.num_slots};
  ring_ = std::make_shared<BatchRing>(ring, budget, std::move(host_memory));
  arena_.emplace(memory.work_bytes, budget, std::size_t{config_.batch.batch} * config_.num_slots);
  if (memory.cache.total_bytes() > 0) {
    cache_ = SampleCache::make(config_.cache, memory.cache, budget);
  }
  const RunBounds bounds = run_bounds(config_, arena_->size_bytes());
  admission_.emplace(split_,
                     Admission::Config{.spec = config_.batch,
                                       .seed = config_.seed,
                                       .max_run_bytes = bounds.max_bytes,
                                       .max_run_samples = bounds.max_samples},
                     transform_);
  depth_ = {.num_readers = config_.num_readers,
            .num_augmenters = config_.num_augmenters,
            .num_slots = config_.num_slots,
            .max_run_samples = bounds.max_samples,
            .max_run_bytes = bounds.max_bytes,
            .work_bytes = arena_->size_bytes()};

  meter_.begin();
  graph_.emplace(config_.num_augmenters,
                 BatchGraph::Stages{
                     .augment = [this](const SampleRun& run) { augment(run); },
                     .collate = [this](const SampleRun& run) { return collate_run(run, *ring_); },
                     .deliver = [this](const FilledBatch& batch) { deliver(batch); },
                     .on_error = [this](std::exception_ptr error) { fail(std::move(error)); }});
  readers_.emplace(config_.num_readers, *arena_,
                   ReaderPool::Callbacks{.on_decoded =
                                             [this](const SampleRun& run) {
                                               meter_.to_augment.enter(run.block.size_bytes);
                                               graph_->push(run);
                                             },
                                         .on_error =
                                             [this](std::exception_ptr error) {
                                               fail(std::move(error));
                                               graph_->cancel();
                                             }});
  admission_thread_ = std::jthread([this](const std::stop_token& stop) { admit(stop); });
}

EpochShape Loader::Impl::epoch_shape(std::uint32_t epoch) const noexcept {
  const bool is_resumed = config_.resume_from && epoch == config_.resume_from->epoch;
  return {.num_positions = num_positions_,
          .first_position = is_resumed ? config_.resume_from->next_position : 0,
          .batch = config_.batch.batch,
          .rank = config_.rank,
          .drop_remainder = config_.drop_remainder};
}

void Loader::Impl::admit(const std::stop_token& stop) {
  const Stopwatch::Scope admitting(meter_.admission);
  try {
    std::uint64_t seq = 0;
    for (std::uint32_t i = 0; !config_.num_epochs || i < *config_.num_epochs; ++i) {
      if (!admit_epoch(first_epoch_ + i, seq, stop)) return;
    }
  } catch (...) {
    fail(std::current_exception());
  }
}

bool Loader::Impl::admit_epoch(std::uint32_t epoch, std::uint64_t& seq,
                               const std::stop_token& stop) {
  const EpochShape shape = epoch_shape(epoch);
  const EpochOrder order = order_->epoch(epoch);
  const std::uint64_t count = num_batches(shape);
  for (std::uint64_t batch = 0; batch < count; ++batch) {
    const auto slot_idx = ring_->acquire(stop);
    if (!slot_idx || stop.stop_requested()) return false;
    const PositionRange range = batch_range(shape, batch);
    BatchSlot& slot = ring_->slot(*slot_idx);
    slot.stamp = {.seq = seq++,
                  .next_position = position_after(shape, batch),
                  .epoch = epoch,
                  .num_valid = range.size(),
                  .ends_epoch = batch + 1 == count};
    slot.places_left = range.size();
    for (std::uint32_t place = 0; place < range.size(); ++place) {
      if (stop.stop_requested()) return false;
      const std::uint64_t position = range.begin + place;
      admission_->plan(
          {.sample_id = order.sample_at(position), .position = position, .epoch = epoch},
          slot.tasks[place]);
    }
    if (!admit_runs(slot, *slot_idx, stop)) return false;
  }
  return true;
}

bool Loader::Impl::admit_runs(BatchSlot& slot, std::uint32_t slot_idx,
                              const std::stop_token& stop) {
  const std::span tasks = std::span(slot.tasks).first(slot.stamp.num_valid);
  if (cache_) cache_->attach(tasks);
  std::uint32_t place = 0;
  do {
    SampleRun run{.slot_idx = slot_idx, .first_place = place, .batch_seq = slot.stamp.seq};
    if (!tasks.empty()) {
      const auto rest = tasks.subspan(place);
      run.tasks = rest.first(admission_->next_run_size(rest));
      const auto block = arena_->acquire(run_layout(run.tasks).total_bytes(), stop);
      if (!block) return false;
      run.block = *block;
    }
    place += static_cast<std::uint32_t>(run.tasks.size());
    readers_->push(run);  // a batch without samples on this rank is a run without tasks
  } while (place < tasks.size());
  return true;
}

void Loader::Impl::augment(const SampleRun& run) {
  const std::int64_t start_ns = steady_ns();
  meter_.to_augment.leave(run.block.size_bytes);
  augment_run(run, *transform_, *ring_, *arena_, stop_.get_token());
  if (cache_) cache_->detach(run.tasks);
  meter_.augment_busy_ns.add(steady_ns() - start_ns);
}

void Loader::Impl::deliver(const FilledBatch& batch) {
  const std::int64_t start_ns = steady_ns();
  BatchSlot& slot = ring_->slot(batch.slot_idx);
  finish_batch(slot, ring_->spec());
  bad_limit_.count(slot);
  ring_->publish(batch.slot_idx);
  meter_.deliver_busy_ns.add(steady_ns() - start_ns);
}

void Loader::Impl::fail(std::exception_ptr error) noexcept {
  ring_->fail(std::move(error));
  if (cache_) cache_->close();  // runs left half done are never detached
}

bool Loader::Impl::has_ended() const noexcept {
  return num_batches_total_ && num_batches_ == *num_batches_total_;
}

// Takes by `take` and counts what comes; an empty lease is passed on.
template <class Take>
BatchLease Loader::Impl::take_batch(const Take& take) {
  BatchLease lease;
  {
    const Stopwatch::Scope waiting(meter_.consumer_wait);
    lease = take();
  }
  if (!lease) return lease;
  if (num_batches_ == 0) meter_.first_batch_wait_ns = meter_.consumer_wait.ns(steady_ns());
  ++num_batches_;
  if (num_batches_total_ && num_batches_ == *num_batches_total_) meter_.end();
  num_samples_ += lease->num_valid;
  num_skipped_ += lease->events.size();
  if (lease->epoch != current_epoch_) {
    current_epoch_ = lease->epoch;
    num_left_of_epoch_ = num_batches(epoch_shape(current_epoch_));
  }
  --num_left_of_epoch_;
  return lease;
}

BatchLease Loader::Impl::next() {
  if (has_ended()) return {};
  return take_batch([this] { return ring_->take(); });
}

NextBatch Loader::Impl::try_next(std::chrono::nanoseconds timeout) {
  if (has_ended()) return {.outcome = NextOutcome::kEnd};
  BatchLease lease = take_batch([&] { return ring_->take_within(timeout); });
  if (!lease) return {.outcome = NextOutcome::kTimedOut};
  return {.outcome = NextOutcome::kBatch, .lease = std::move(lease)};
}

// The first epoch may have no batch at all, when a resumed one has nothing left: it is then both
// this one and over.
bool Loader::Impl::has_batches_left(std::uint32_t epoch) const noexcept {
  if (has_ended()) return false;
  if (epoch == current_epoch_) return num_left_of_epoch_ > 0;
  return num_left_of_epoch_ == 0 && epoch == current_epoch_ + 1;
}

void Loader::Impl::check_comes_next(std::uint32_t epoch) const {
  const bool is_empty_first = num_batches_ == 0 && epoch == first_epoch_;
  if (has_batches_left(epoch) || is_empty_first) return;
  if (has_ended()) {
    throw Error(ErrorCode::kInvalidArgument,
                "loader: epoch: expected none, all " + std::to_string(*config_.num_epochs) +
                    " are delivered, found " + std::to_string(epoch),
                "raise num_epochs, or leave it empty for no end");
  }
  const std::uint32_t next = current_epoch_ + (num_left_of_epoch_ == 0 ? 1 : 0);
  throw Error(ErrorCode::kInvalidArgument,
              "loader: epoch: expected " + std::to_string(next) + ", which comes next, found " +
                  std::to_string(epoch),
              "take the batches before it, or set first_epoch");
}

void Loader::Impl::request_stop() noexcept {
  meter_.end();
  ring_->stop();  // first: from here on nobody looks at a batch that the others leave half done
  stop_.request_stop();
  admission_thread_.request_stop();
  readers_->request_stop();
  graph_->cancel();
  if (cache_) cache_->close();
}

LoaderStats Loader::Impl::detailed_stats() const {
  LoaderStats all =
      meter_.stats(stats(), depth_, {.ring = *ring_, .arena = *arena_, .readers = *readers_});
  if (cache_) all.cache = cache_->stats();
  return all;
}

SourceStats Loader::Impl::stats() const {
  return {.num_batches = num_batches_,
          .num_samples = num_samples_,
          .num_skipped = num_skipped_,
          .consumer_wait_us =
              static_cast<std::uint64_t>(meter_.consumer_wait.ns(meter_.now_ns()) / 1000),
          .limit_bytes = budget_.limit_bytes(),
          .high_water_bytes = budget_.high_water_bytes(),
          .in_flight_limit_bytes = arena_->size_bytes(),
          .in_flight_high_water_bytes = arena_->high_water_bytes()};
}

LoaderState Loader::Impl::state_after(const BatchView& consumed) const {
  const bool ends = consumed.ends_epoch;
  return {.dataset_id = split_.dataset_id(),
          .settings_hash = xxh3_64(identity_),
          .settings = identity_,
          .epoch = consumed.epoch + (ends ? 1 : 0),
          .next_position = ends ? 0 : consumed.next_position};
}

Loader::Loader(DatasetSplit split, LoaderConfig config,
               std::shared_ptr<const SampleTransform> transform, MemoryBudget& budget,
               std::shared_ptr<HostMemory> host_memory)
    : impl_(std::make_unique<Impl>(std::move(split), std::move(config), std::move(transform),
                                   budget, std::move(host_memory))) {}
Loader::~Loader() = default;

const BatchSpec& Loader::spec() const noexcept {
  return impl_->config().batch;
}
BatchLease Loader::next() {
  return impl_->next();
}
NextBatch Loader::try_next(std::chrono::nanoseconds timeout) {
  return impl_->try_next(timeout);
}
EpochBatches Loader::epoch(std::uint32_t epoch) {
  impl_->check_comes_next(epoch);
  return {*this, epoch};
}
bool Loader::has_batches_left(std::uint32_t epoch) const noexcept {
  return impl_->has_batches_left(epoch);
}
SourceStats Loader::stats() const {
  return impl_->stats();
}
LoaderStats Loader::detailed_stats() const {
  return impl_->detailed_stats();
}
void Loader::request_stop() noexcept {
  impl_->request_stop();
}

std::uint64_t Loader::num_batches_per_epoch() const noexcept {
  EpochShape shape = impl_->epoch_shape(0);
  shape.first_position = 0;
  return num_batches(shape);
}

LoaderState Loader::state_after(const BatchView& consumed) const {
  return impl_->state_after(consumed);
}

}  // namespace penstock
