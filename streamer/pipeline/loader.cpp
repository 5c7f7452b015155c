#include "streamer/pipeline/loader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/order/epoch_order.h"
#include "streamer/order/epoch_range.h"
#include "streamer/order/resume_check.h"
#include "streamer/pipeline/batch_graph.h"
#include "streamer/pipeline/batch_ring.h"
#include "streamer/pipeline/batch_stages.h"
#include "streamer/pipeline/loader_memory.h"
#include "streamer/pipeline/loader_order.h"
#include "streamer/read/admission.h"
#include "streamer/read/reader_pool.h"
#include "streamer/read/work_arena.h"

namespace penstock {
namespace {

LoaderConfig validated(LoaderConfig config) {
  config.validate();
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

  BatchLease next();
  SourceStats stats() const;
  const LoaderConfig& config() const noexcept { return config_; }
  EpochShape epoch_shape(std::uint32_t epoch) const noexcept;
  LoaderState state_after(const BatchView& consumed) const;

 private:
  void admit(const std::stop_token& stop);
  bool admit_epoch(std::uint32_t epoch, std::uint64_t& seq, const std::stop_token& stop);
  bool admit_runs(BatchSlot& slot, std::uint32_t slot_idx, const std::stop_token& stop);
  void deliver(const FilledBatch& batch);
  void fail(std::exception_ptr error) noexcept;

  const DatasetSplit split_;
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
  BadSampleLimit bad_limit_;
  std::optional<std::uint64_t> num_batches_total_;  // empty: no end

  // Written by the consumer in next(), read by stats() of any thread.
  std::atomic<std::uint64_t> num_batches_{0};
  std::atomic<std::uint64_t> num_samples_{0};
  std::atomic<std::uint64_t> num_skipped_{0};
  std::atomic<std::uint64_t> consumer_wait_us_{0};

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

  // Everything that can be refused is refused here, before any thread starts.
  const LoaderMemory memory = loader_memory(split_, config_, *transform_);
  fixed_share_ = budget.draw(memory.index_bytes + memory.fixed_bytes, "index, stacks and tables");
  order_share_ = budget.draw(memory.order_bytes, "order of the samples");
  order_.emplace(order_config(split_, config_));
  const BatchRing::Config ring{.spec = config_.batch, .num_slots = config_.num_slots};
  ring_ = std::make_shared<BatchRing>(ring, budget, std::move(host_memory));
  arena_.emplace(work_bytes(config_, memory.costliest_sample_bytes, budget), budget);
  const RunBounds bounds = run_bounds(config_, arena_->size_bytes());
  admission_.emplace(split_,
                     Admission::Config{.spec = config_.batch,
                                       .seed = config_.seed,
                                       .max_run_bytes = bounds.max_bytes,
                                       .max_run_samples = bounds.max_samples},
                     transform_);

  graph_.emplace(
      config_.num_augmenters,
      BatchGraph::Stages{
          .augment =
              [this](const SampleRun& run) { augment_run(run, *transform_, *ring_, *arena_); },
          .collate = [this](const SampleRun& run) { return collate_run(run, *ring_); },
          .deliver = [this](const FilledBatch& batch) { deliver(batch); },
          .on_error = [this](std::exception_ptr error) { fail(std::move(error)); }});
  readers_.emplace(
      config_.num_readers, *arena_,
      ReaderPool::Callbacks{.on_decoded = [this](const SampleRun& run) { graph_->push(run); },
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

void Loader::Impl::deliver(const FilledBatch& batch) {
  BatchSlot& slot = ring_->slot(batch.slot_idx);
  finish_batch(slot, ring_->spec());
  bad_limit_.count(slot);
  ring_->publish(batch.slot_idx);
}

void Loader::Impl::fail(std::exception_ptr error) noexcept {
  ring_->fail(std::move(error));
}

BatchLease Loader::Impl::next() {
  if (num_batches_total_ && num_batches_ == *num_batches_total_) return {};
  const auto start = std::chrono::steady_clock::now();
  BatchLease lease = ring_->take();
  const auto waited = std::chrono::steady_clock::now() - start;
  consumer_wait_us_ += static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(waited).count());
  ++num_batches_;
  num_samples_ += lease->num_valid;
  num_skipped_ += lease->events.size();
  return lease;
}

SourceStats Loader::Impl::stats() const {
  return {.num_batches = num_batches_,
          .num_samples = num_samples_,
          .num_skipped = num_skipped_,
          .consumer_wait_us = consumer_wait_us_,
          .limit_bytes = budget_.limit_bytes(),
          .high_water_bytes = budget_.high_water_bytes()};
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
SourceStats Loader::stats() const {
  return impl_->stats();
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
