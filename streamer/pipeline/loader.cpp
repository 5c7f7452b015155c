#include "streamer/pipeline/loader.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/usable_cores.h"
#include "streamer/order/epoch_order.h"
#include "streamer/order/resume_check.h"
#include "streamer/order/stream_epochs.h"
#include "streamer/pipeline/batch_admitter.h"
#include "streamer/pipeline/batch_graph.h"
#include "streamer/pipeline/batch_ring.h"
#include "streamer/pipeline/batch_stages.h"
#include "streamer/pipeline/consumer_place.h"
#include "streamer/pipeline/loader_depth.h"
#include "streamer/pipeline/loader_memory.h"
#include "streamer/pipeline/loader_meter.h"
#include "streamer/pipeline/loader_order.h"
#include "streamer/read/admission.h"
#include "streamer/read/decoder_set.h"
#include "streamer/read/reader_pool.h"
#include "streamer/read/sample_cache.h"
#include "streamer/read/work_arena.h"

namespace penstock {
namespace {

LoaderConfig validated(LoaderConfig config) {
  config.validate();
  return with_ruled_threads(std::move(config), num_usable_cores());
}

template <class T>
std::shared_ptr<T> not_null(std::shared_ptr<T> part, const std::string& name) {
  if (part != nullptr) return part;
  throw Error(ErrorCode::kInvalidArgument, "loader: " + name + ": expected one, found null",
              "make one with std::make_shared, or leave the argument out where it has a default");
}

void check_targets(const DatasetSplit& split, const BatchSpec& spec) {
  const std::size_t num_classes = split.class_names().size();
  if (spec.label_form == LabelForm::kClassIndex || spec.num_targets >= num_classes) return;
  throw Error(ErrorCode::kInvalidArgument,
              "loader: split " + split.name() + ": num_targets: expected at least " +
                  std::to_string(num_classes) + ", one for each class of the dataset, found " +
                  std::to_string(spec.num_targets),
              "num_targets = split.class_names().size()");
}

// Whoever has never heard of crops would write a picture into a place of other bytes.
void check_crops(const LoaderConfig& config, const SampleTransform& transform) {
  if (config.batch.crop_bytes == 0) return;
  const BatchTransform* const of_batch = config.batch_transform.get();
  const bool is_sample_fit = transform.writes_crops();
  if (is_sample_fit && (of_batch == nullptr || of_batch->takes_crops())) return;
  throw Error(ErrorCode::kUnsupported,
              "loader: crop_bytes: expected 0 with " +
                  std::string(is_sample_fit ? "a batch transform" : "a sample transform") +
                  " that knows finished pixels only, found " +
                  std::to_string(config.batch.crop_bytes),
              is_sample_fit ? "leave the batch transform out"
                            : "std::make_shared<penstock::augment::CropTransform>(config)");
}

[[noreturn]] void refuse_loss_weights(const DatasetSplit& split, const std::string& expected,
                                      const std::string& found) {
  throw Error(
      ErrorCode::kInvalidArgument,
      "loader: split " + split.name() + ": loss_weights: expected " + expected + ", found " + found,
      "one for each sample of the split, or leave them out");
}

void check_loss_weights(const DatasetSplit& split, const LoaderConfig& config) {
  if (config.loss_weights == nullptr) return;
  const std::vector<float>& weights = *config.loss_weights;
  if (weights.size() != split.num_samples()) {
    refuse_loss_weights(split, std::to_string(split.num_samples()) + " values",
                        std::to_string(weights.size()));
  }
  const auto is_weight = [](float weight) { return weight >= 0 && std::isfinite(weight); };
  const auto wrong = std::ranges::find_if_not(weights, is_weight);
  if (wrong != weights.end()) {
    refuse_loss_weights(split, "finite numbers, 0 or more", std::to_string(*wrong));
  }
  if (std::ranges::any_of(weights, [](float weight) { return weight > 0; })) return;
  if (!weights.empty()) refuse_loss_weights(split, "one above 0 at least", "only zeros");
}

std::span<const float> loss_weights_of(const LoaderConfig& config) {
  if (config.loss_weights == nullptr) return {};
  return *config.loss_weights;
}

std::uint64_t positions_per_epoch(const DatasetSplit& split, const LoaderConfig& config) {
  const std::uint64_t all = config.num_samples_per_epoch.value_or(split.num_samples());
  return config.remainder_of > 0 ? all - all % config.remainder_of : all;
}

StreamEpochs stream_epochs(const DatasetSplit& split, const LoaderConfig& config) {
  StreamEpochs::Config epochs{.whole = {.num_positions = positions_per_epoch(split, config),
                                        .batch = config.batch.batch,
                                        .rank = config.rank,
                                        .drop_remainder = config.drop_remainder},
                              .first_epoch = config.first_epoch,
                              .num_epochs = config.num_epochs};
  if (config.resume_from) {
    epochs.first_epoch = config.resume_from->epoch;
    epochs.first_position = config.resume_from->next_position;
  }
  return StreamEpochs(epochs);
}

// About as many as each rank delivers in an epoch: the same number on all of them.
std::uint64_t samples_per_rank(const EpochShape& shape) {
  return (shape.num_positions + shape.rank.world - 1) / shape.rank.world;
}

// Only with drop_remainder can there be none, or where the split is empty.
[[noreturn]] void throw_no_batch(const DatasetSplit& split, const LoaderConfig& config) {
  std::string needed = "a batch of " + std::to_string(config.batch.batch);
  if (config.rank.world > 1)
    needed += " on each of " + std::to_string(config.rank.world) + " ranks";
  if (config.remainder_of > 0) needed = "a step of " + std::to_string(config.remainder_of);
  const std::uint64_t num_samples = config.num_samples_per_epoch.value_or(split.num_samples());
  throw Error(ErrorCode::kInvalidArgument,
              "loader: split " + split.name() + ": expected samples for " + needed + ", found " +
                  std::to_string(num_samples) + " samples",
              num_samples == 0
                  ? "take another split: this one is empty"
                  : "lower the batch size, or keep the remainder (drop_remainder = false)");
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
  SourceStats stats() const;
  LoaderStats detailed_stats() const;
  const LoaderConfig& config() const noexcept { return config_; }
  const StreamEpochs& epochs() const noexcept { return epochs_; }
  const ConsumerPlace& consumer() const noexcept { return consumer_; }
  LoaderState state_after(const BatchView& consumed) const;

 private:
  void admit(const std::stop_token& stop);
  void fill(const SampleRun& run, std::uint32_t worker);
  void finish(const FilledBatch& batch);
  void deliver(const FilledBatch& batch);
  void fail(std::exception_ptr error) noexcept;
  template <class Take>
  BatchLease take_batch(const Take& take);

  DatasetSplit split_;  // with an index of the loader's own
  const LoaderConfig config_;
  const std::shared_ptr<const SampleTransform> transform_;  // shared with the caller
  const std::string identity_;
  const StreamEpochs epochs_;
  const MemoryBudget budget_;  // shared with the caller
  BudgetShare shards_share_;
  BudgetShare fixed_share_;
  BudgetShare order_share_;
  std::optional<OrderPlan> order_;
  std::shared_ptr<BatchRing> ring_;  // shared with the leases
  std::optional<Admission> admission_;
  std::optional<WorkArena> arena_;
  std::shared_ptr<SampleCache> cache_;  // shared with whoever reclaims from it; null: none
  BadSampleLimit bad_limit_;
  ConsumerPlace consumer_;
  LoaderDepth depth_;
  LoaderMeter meter_;
  std::stop_source stop_;             // of the graph's stages; the other threads have their own
  std::vector<DecoderSet> decoders_;  // one a worker
  std::optional<BatchGraph> graph_;
  std::optional<ReaderPool> readers_;
  std::jthread admission_thread_;
};

Loader::Impl::Impl(DatasetSplit split, LoaderConfig config,
                   std::shared_ptr<const SampleTransform> transform, MemoryBudget& budget,
                   std::shared_ptr<HostMemory> host_memory)
    : split_(std::move(split)),
      config_(validated(std::move(config))),
      transform_(not_null(std::move(transform), "transform")),
      identity_(loader_identity(split_, config_, *transform_)),
      epochs_(stream_epochs(split_, config_)),
      budget_(budget),
      bad_limit_({.max_fraction = config_.max_bad_fraction,
                  .samples_per_epoch = samples_per_rank(epochs_.whole())}),
      consumer_(epochs_) {
  host_memory = not_null(std::move(host_memory), "host_memory");
  check_targets(split_, config_.batch);
  check_loss_weights(split_, config_);
  check_crops(config_, *transform_);
  transform_->accept(config_.batch);
  if (config_.batch_transform != nullptr) config_.batch_transform->accept(config_.batch);
  if (config_.resume_from) {
    check_resume(*config_.resume_from, {.dataset_id = split_.dataset_id(),
                                        .settings = identity_,
                                        .num_positions = epochs_.whole().num_positions});
  }
  if (num_batches(epochs_.whole()) == 0) throw_no_batch(split_, config_);

  // Everything that can be refused is refused here, before any thread starts.
  const LoaderMemory memory = plan_loader_memory(split_, config_, *transform_, budget.room());
  check_memory(memory, config_);
  split_ = split_.with_index(memory.index, budget);
  shards_share_ = budget.draw(memory.shards_bytes, "open shards");
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
            .num_workers = config_.num_workers,
            .num_slots = config_.num_slots,
            .max_run_samples = bounds.max_samples,
            .max_run_bytes = bounds.max_bytes,
            .work_bytes = arena_->size_bytes()};

  meter_.begin();
  graph_.emplace(
      config_.num_workers,
      BatchGraph::Stages{
          .fill = [this](const SampleRun& run, std::uint32_t worker) { fill(run, worker); },
          .collate = [this](const SampleRun& run) { return collate_run(run, *ring_); },
          .finish = [this](const FilledBatch& batch) { finish(batch); },
          .deliver = [this](const FilledBatch& batch) { deliver(batch); },
          .on_error = [this](std::exception_ptr error) { fail(std::move(error)); }});
  decoders_ = std::vector<DecoderSet>(graph_->num_workers());  // before the first run is pushed
  readers_.emplace(config_.num_readers, *arena_,
                   ReaderPool::Callbacks{.on_read =
                                             [this](const SampleRun& run) {
                                               meter_.to_fill.enter(run.block.size_bytes);
                                               graph_->push(run);
                                             },
                                         .on_error =
                                             [this](std::exception_ptr error) {
                                               fail(std::move(error));
                                               graph_->cancel();
                                             }});
  admission_thread_ = std::jthread([this](const std::stop_token& stop) { admit(stop); });
}

void Loader::Impl::admit(const std::stop_token& stop) {
  const Stopwatch::Scope admitting(meter_.admission);
  try {
    BatchAdmitter(epochs_, *order_, *admission_,
                  {.ring = *ring_, .arena = *arena_, .readers = *readers_, .cache = cache_.get()})
        .run(stop);
  } catch (...) {
    fail(std::current_exception());
  }
}

void Loader::Impl::fill(const SampleRun& run, std::uint32_t worker) {
  meter_.to_fill.leave(run.block.size_bytes);
  const RunTimes times = fill_run(
      run,
      {.transform = *transform_, .ring = *ring_, .arena = *arena_, .decoders = decoders_[worker]},
      stop_.get_token());
  if (cache_) cache_->detach(run.tasks);
  add_times(times, meter_.fill_busy_ns);
}

void Loader::Impl::finish(const FilledBatch& batch) {
  const std::int64_t start_ns = steady_ns();
  BatchSlot& slot = ring_->slot(batch.slot_idx);
  finish_batch(slot, ring_->spec(), loss_weights_of(config_));
  if (config_.batch_transform != nullptr) {
    transform_batch(slot, ring_->spec(), config_.seed, *config_.batch_transform, stop_.get_token());
  }
  meter_.add_augment_ns(steady_ns() - start_ns);
}

void Loader::Impl::deliver(const FilledBatch& batch) {
  const std::int64_t start_ns = steady_ns();
  bad_limit_.count(ring_->slot(batch.slot_idx));
  ring_->publish(batch.slot_idx);
  meter_.deliver_busy_ns.add(steady_ns() - start_ns);
}

void Loader::Impl::fail(std::exception_ptr error) noexcept {
  ring_->fail(std::move(error));
  if (cache_) cache_->close();  // runs left half done are never detached
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
  if (consumer_.num_batches() == 0) {
    meter_.first_batch_wait_ns = meter_.consumer_wait.ns(steady_ns());
  }
  consumer_.count(lease.view());
  if (consumer_.has_ended()) meter_.end();
  return lease;
}

BatchLease Loader::Impl::next() {
  if (consumer_.has_ended()) return {};
  return take_batch([this] { return ring_->take(); });
}

NextBatch Loader::Impl::try_next(std::chrono::nanoseconds timeout) {
  if (consumer_.has_ended()) return {.outcome = NextOutcome::kEnd};
  BatchLease lease = take_batch([&] { return ring_->take_within(timeout); });
  if (!lease) return {.outcome = NextOutcome::kTimedOut};
  return {.outcome = NextOutcome::kBatch, .lease = std::move(lease)};
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
  return {.num_batches = consumer_.num_batches(),
          .num_samples = consumer_.num_samples(),
          .num_skipped = consumer_.num_skipped(),
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
  impl_->consumer().check_comes_next(epoch);
  return {*this, epoch};
}
bool Loader::has_batches_left(std::uint32_t epoch) const noexcept {
  return impl_->consumer().has_batches_left(epoch);
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
  return num_batches(impl_->epochs().whole());
}

LoaderState Loader::state_after(const BatchView& consumed) const {
  return impl_->state_after(consumed);
}

}  // namespace penstock
