#include "streamer/read/sample_cache.h"

#include <algorithm>

#include "streamer/core/error.h"
#include "streamer/read/decode_region.h"
#include "streamer/read/decoder_set.h"
#include "streamer/read/work_arena.h"

namespace penstock {
namespace {

enum class State : std::uint8_t {
  kFree = 0,  // as zeroed memory says
  kFilling,   // has its bytes; one task fills them
  kKept,
  kFailed,   // the sample is damaged; its bytes stay unused
  kDropped,  // its bytes are given back, or will be when nobody reads them
};

std::uint64_t mixed(std::uint64_t key) noexcept {  // SplitMix64's finaliser
  key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9u;
  key = (key ^ (key >> 27)) * 0x94D049BB133111EBu;
  return key ^ (key >> 31);
}

// Of the whole picture at decode scale.
RectPx whole_at_scale(const SampleTask& task) noexcept {
  const StoredInfo info = stored_info(task.record);
  return region_at_scale(info, whole_picture(info, task.request));
}

}  // namespace

struct SampleCache::Slot {
  std::uint64_t key = 0;
  std::uint64_t offset_bytes = 0;  // among the entries
  std::uint64_t size_bytes = 0;
  std::uint32_t num_pins = 0;  // tasks attached
  State state = State::kFree;
};

std::shared_ptr<SampleCache> SampleCache::make(CacheForm form, const CacheLayout& layout,
                                               MemoryBudget& budget) {
  const std::shared_ptr<SampleCache> cache(new SampleCache(form, layout));
  auto table = budget.draw_free(layout.table_bytes);
  if (!table) return nullptr;
  const std::scoped_lock lock(cache->mutex_);  // it can be asked from here on
  auto entries = budget.draw_reclaimable(layout.entries_bytes, cache);
  if (!entries) return nullptr;
  cache->table_share_ = std::move(*table);
  cache->entries_share_ = std::move(*entries);
  return cache;
}

SampleCache::SampleCache(CacheForm form, const CacheLayout& layout)
    : form_(form),
      layout_(layout),
      memory_(page_aligned_memory(), layout.total_bytes()),
      limit_bytes_(layout.entries_bytes) {
  static_assert(sizeof(Slot) == kCacheSlotBytes);
}

std::span<SampleCache::Slot> SampleCache::slots() const noexcept {
  return {reinterpret_cast<Slot*>(memory_.data()), layout_.num_slots};
}

void SampleCache::attach(std::span<SampleTask> tasks) {
  const std::scoped_lock lock(mutex_);
  num_places_ += tasks.size();
  for (SampleTask& task : tasks) attach_one(task);
}

void SampleCache::attach_one(SampleTask& task) {
  task.cached = {};
  if (task.record.status != 0) return;
  const StoredInfo info = stored_info(task.record);
  const bool keeps_pixels = form_ == CacheForm::kDecoded;
  // A region outside the picture is the decoder's to refuse.
  if (keeps_pixels && region_at_scale(info, task.request).width == 0) return;
  const std::size_t size_bytes = cache_entry_bytes(form_, info, task.request);
  if (size_bytes == 0) return;
  const std::uint64_t scale = keeps_pixels ? task.request.decode_scale : 0;
  const std::uint64_t key = task.info.sample_id << 4 | scale;

  Slot* const slot = find_slot(key);
  if (slot == nullptr) return;
  const bool has_no_bytes = slot->state == State::kFree || slot->state == State::kDropped;
  if (slot->state == State::kKept) {
    ++num_hits_;
    task.cached.use = keeps_pixels ? CacheUse::kPixels : CacheUse::kEncoded;
  } else if (has_no_bytes && slot->num_pins == 0 && reserve(*slot, key, size_bytes)) {
    task.cached.use = keeps_pixels ? CacheUse::kFillPixels : CacheUse::kFillEncoded;
  } else {
    return;
  }
  ++slot->num_pins;
  task.cached.slot_idx = static_cast<std::uint64_t>(slot - slots().data());
  task.cached.bytes =
      memory_.bytes().subspan(layout_.table_bytes + slot->offset_bytes, slot->size_bytes);
  if (task.cached.use == CacheUse::kFillPixels) {
    const DecodePrice whole = decode_price(info, whole_picture(info, task.request));
    task.price.scratch_bytes = std::max(task.price.scratch_bytes, whole.scratch_bytes);
  }
}

// The slot of `key`, or a free one; null when the table is full.
SampleCache::Slot* SampleCache::find_slot(std::uint64_t key) noexcept {
  const auto all = slots();
  for (std::uint64_t i = mixed(key) % all.size();; i = i + 1 == all.size() ? 0 : i + 1) {
    if (all[i].state == State::kFree) {
      return num_used_slots_ < layout_.max_entries ? &all[i] : nullptr;
    }
    if (all[i].key == key) return &all[i];
  }
}

bool SampleCache::reserve(Slot& slot, std::uint64_t key, std::size_t size_bytes) noexcept {
  if (size_bytes > limit_bytes_ - std::min(limit_bytes_, end_bytes_)) return false;
  if (slot.state == State::kFree) ++num_used_slots_;
  slot = {.key = key,
          .offset_bytes = end_bytes_,
          .size_bytes = size_bytes,
          .num_pins = 0,
          .state = State::kFilling};
  end_bytes_ += size_bytes;
  return true;
}

void SampleCache::detach(std::span<const SampleTask> tasks) noexcept {
  bool has_let_go = false;
  {
    const std::scoped_lock lock(mutex_);
    for (const SampleTask& task : tasks) {
      if (task.cached.use == CacheUse::kNone) continue;
      Slot& slot = slots()[task.cached.slot_idx];
      --slot.num_pins;
      if (slot.state == State::kFilling) {
        slot.state = task.cached.is_filled ? State::kKept : State::kFailed;
        if (task.cached.is_filled) {
          ++num_kept_;
          kept_bytes_ += slot.size_bytes;
        }
      } else if (slot.state == State::kDropped && slot.num_pins == 0) {
        --num_dropped_in_use_;
        has_let_go = true;
      }
    }
  }
  if (has_let_go) let_go_.notify_all();
}

void SampleCache::close() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    is_closed_ = true;
  }
  let_go_.notify_all();
}

void SampleCache::drop(Slot& slot) noexcept {
  if (slot.state == State::kKept) {
    --num_kept_;
    kept_bytes_ -= slot.size_bytes;
  }
  if (slot.num_pins > 0) ++num_dropped_in_use_;
  slot.state = State::kDropped;
}

// Of those that are there or still being read.
std::uint64_t SampleCache::end_of_entries() const noexcept {
  std::uint64_t end = 0;
  for (const Slot& slot : slots()) {
    if (slot.state == State::kFree || (slot.state == State::kDropped && slot.num_pins == 0))
      continue;
    end = std::max(end, slot.offset_bytes + slot.size_bytes);
  }
  return end;
}

std::uint64_t SampleCache::reclaim(std::uint64_t bytes) noexcept {
  std::unique_lock lock(mutex_);
  const std::uint64_t old_limit = limit_bytes_;
  const std::uint64_t limit = (old_limit - std::min(old_limit, bytes)) / kPageBytes * kPageBytes;
  limit_bytes_ = limit;
  for (Slot& slot : slots()) {
    const bool has_bytes = slot.state != State::kFree && slot.state != State::kDropped;
    if (has_bytes && slot.offset_bytes + slot.size_bytes > limit) drop(slot);
  }
  end_bytes_ = limit;  // nothing new is stored over what is still being read
  // No task is attached there any more, and those that are finish without the thread that draws.
  let_go_.wait(lock, [&] { return num_dropped_in_use_ == 0 || is_closed_; });

  const std::uint64_t end = end_of_entries();
  end_bytes_ = end;
  const std::uint64_t given_from =
      std::clamp((end + kPageBytes - 1) / kPageBytes * kPageBytes, limit, old_limit);
  const std::uint64_t given_bytes = old_limit - given_from;
  lock.unlock();  // nobody comes above the limit again, and large pieces take the system a while
  discard_pages(memory_.bytes().subspan(layout_.table_bytes + given_from, given_bytes));
  lock.lock();
  entries_share_.give_back(given_bytes);
  return given_bytes;
}

CacheStats SampleCache::stats() const {
  const std::scoped_lock lock(mutex_);
  return {.limit_bytes = table_share_.bytes() + entries_share_.bytes(),
          .kept_bytes = kept_bytes_,
          .num_kept = num_kept_,
          .num_places = num_places_,
          .num_hits = num_hits_};
}

DecodedView cached_picture(const SampleTask& task) noexcept {
  const RectPx whole = whole_at_scale(task);
  const RectPx region = region_at_scale(stored_info(task.record), task.request);
  const std::uint32_t channels = task.request.channels;
  const std::size_t row_bytes = std::size_t{whole.width} * channels;
  const auto* pixels = reinterpret_cast<const std::uint8_t*>(task.cached.bytes.data());
  DecodedView view;
  view.image = {.pixels_hwc = pixels + region.y * row_bytes + std::size_t{region.x} * channels,
                .width_px = region.width,
                .height_px = region.height,
                .channels = channels,
                .pixel_stride_bytes = channels,
                .row_stride_bytes = row_bytes};
  view.region = region;
  view.decode_scale = task.request.decode_scale;
  return view;
}

bool is_kept_as_decoded(const SampleTask& task, const DecodedView& view) noexcept {
  const RectPx whole = whole_at_scale(task);
  const std::uint32_t channels = task.request.channels;
  return view.region == whole && view.image.pixel_stride_bytes == channels &&
         view.image.row_stride_bytes == std::size_t{whole.width} * channels &&
         reinterpret_cast<const std::byte*>(view.image.pixels_hwc) == task.cached.bytes.data();
}

}  // namespace penstock
