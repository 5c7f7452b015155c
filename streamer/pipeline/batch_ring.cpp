#include "streamer/pipeline/batch_ring.h"

#include <algorithm>
#include <string>
#include <utility>

#include "streamer/core/error.h"

namespace penstock {
namespace {

std::size_t whole_pages(std::size_t bytes) noexcept {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

constexpr std::size_t kPlaceBytes = sizeof(SampleTask) + sizeof(std::uint32_t) + sizeof(float) +
                                    2 * sizeof(std::uint64_t) + sizeof(SampleEvent);

std::size_t targets_per_sample(const BatchSpec& spec) noexcept {
  return spec.label_form == LabelForm::kTargets ? spec.num_targets : 0;
}

[[noreturn]] void throw_all_lent(std::uint32_t num_slots) {
  throw Error(ErrorCode::kInvalidArgument,
              "loader: next batch: expected at most " + std::to_string(num_slots - 1) +
                  " leases held (num_slots less one), found " + std::to_string(num_slots),
              "release a lease before asking for the next, or raise num_slots");
}

}  // namespace

std::uint64_t BatchRing::price_bytes(const Config& config) noexcept {
  const std::uint64_t place_bytes = kPlaceBytes + targets_per_sample(config.spec) * sizeof(float);
  const std::uint64_t slot_bytes =
      whole_pages(config.spec.pixels_bytes()) + std::uint64_t{config.spec.batch} * place_bytes;
  return slot_bytes * config.num_slots;
}

BatchRing::BatchRing(Config config, MemoryBudget& budget, std::shared_ptr<HostMemory> host_memory)
    : config_(config),
      share_(budget.draw(price_bytes(config),
                         "batch ring of " + std::to_string(config.num_slots) + " batches")),
      pixels_(std::move(host_memory), whole_pages(config.spec.pixels_bytes()) * config.num_slots),
      slots_(config.num_slots) {
  const std::uint32_t batch = config_.spec.batch;
  free_.reserve(config_.num_slots);
  for (std::uint32_t i = config_.num_slots; i-- > 0;) {
    BatchSlot& slot = slots_[i];
    slot.pixels = pixels_.data() + i * whole_pages(config_.spec.pixels_bytes());
    slot.tasks.resize(batch);
    slot.class_idx.resize(batch);
    slot.targets.resize(batch * targets_per_sample(config_.spec));
    slot.weights.resize(batch);
    slot.sample_ids.resize(batch);
    slot.positions.resize(batch);
    slot.events.reserve(batch);
    free_.push_back(i);
  }
}

std::optional<std::uint32_t> BatchRing::acquire(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (free_.empty()) {
    const Stopwatch::Scope waiting(slot_waiting_);
    if (!freed_.wait(lock, stop, [&] { return !free_.empty(); })) return std::nullopt;
  }
  const std::uint32_t slot_idx = free_.back();
  free_.pop_back();
  return slot_idx;
}

void BatchRing::publish(std::uint32_t slot_idx) {
  {
    const std::scoped_lock lock(mutex_);
    if (error_ != nullptr) return;
    ready_.push_back(slot_idx);
    ready_bytes_.enter(config_.spec.pixels_bytes());
  }
  published_.notify_one();
}

void BatchRing::fail(std::exception_ptr error) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    if (error_ == nullptr) error_ = std::move(error);
  }
  published_.notify_all();
}

void BatchRing::stop() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    if (error_ == nullptr) {
      error_ = std::make_exception_ptr(
          Error(ErrorCode::kStopped, "loader: next batch: stopped on request"));
    }
    for (; !ready_.empty(); ready_.pop_front()) {
      free_.push_back(ready_.front());  // capacity was reserved: cannot throw
      ready_bytes_.leave(config_.spec.pixels_bytes());
    }
  }
  published_.notify_all();
}

void BatchRing::check_not_all_lent() const {
  if (error_ == nullptr && num_lent_ == config_.num_slots) throw_all_lent(num_lent_);
}

BatchLease BatchRing::take_ready() {
  if (ready_.empty()) std::rethrow_exception(error_);
  const std::uint32_t slot_idx = ready_.front();
  ready_.pop_front();
  ++num_lent_;
  ready_bytes_.leave(config_.spec.pixels_bytes());
  lent_bytes_.enter(config_.spec.pixels_bytes());
  return {view_of(slots_[slot_idx]), shared_from_this(), slot_idx};
}

BatchLease BatchRing::take() {
  std::unique_lock lock(mutex_);
  check_not_all_lent();
  published_.wait(lock, [&] { return has_news(); });
  return take_ready();
}

BatchLease BatchRing::take_within(std::chrono::nanoseconds timeout) {
  // The longest wait asked for must not carry the clock beyond its range.
  constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24 * 365);
  std::unique_lock lock(mutex_);
  check_not_all_lent();
  if (!published_.wait_for(lock, std::min(timeout, kLongest), [&] { return has_news(); }))
    return {};
  return take_ready();
}

void BatchRing::give_back(std::uint32_t slot_idx) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    free_.push_back(slot_idx);  // capacity was reserved: cannot throw
    --num_lent_;
    lent_bytes_.leave(config_.spec.pixels_bytes());
  }
  freed_.notify_one();
}

RingStats BatchRing::stats(std::int64_t now_ns) const noexcept {
  return {.ready = ready_bytes_.stats(),
          .lent = lent_bytes_.stats(),
          .slot_wait_ns = slot_waiting_.ns(now_ns)};
}

BatchView BatchRing::view_of(const BatchSlot& slot) const noexcept {
  BatchView view;
  view.spec = &config_.spec;
  view.pixels = slot.pixels;
  view.class_idx = slot.class_idx;
  view.targets = slot.targets;
  view.weights = slot.weights;
  view.sample_ids = slot.sample_ids;
  view.positions = slot.positions;
  view.events = slot.events;
  view.batch_idx = slot.stamp.seq;
  view.next_position = slot.stamp.next_position;
  view.epoch = slot.stamp.epoch;
  view.num_valid = slot.stamp.num_valid;
  view.ends_epoch = slot.stamp.ends_epoch;
  return view;
}

}  // namespace penstock
