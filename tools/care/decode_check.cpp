#include "tools/care/decode_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "streamer/core/error.h"
#include "streamer/core/host_memory.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"
#include "streamer/core/stored_info.h"
#include "streamer/read/decoder_set.h"
#include "streamer/read/jpeg_decoder.h"
#include "tools/care/parallel_items.h"
#include "tools/convert/image/stored_picture_check.h"

namespace penstock::care {
namespace {

DecodeRequest whole_picture(const IndexRecord& record) {
  return {.region = {0, 0, record.width_px, record.height_px}, .decode_scale = 1, .channels = 3};
}

struct SamplePrice {
  std::uint64_t encoded_bytes = 0;
  std::uint64_t decoded_bytes = 0;
  std::uint64_t scratch_bytes = 0;

  std::uint64_t total_bytes() const noexcept {
    return encoded_bytes + decoded_bytes + scratch_bytes;
  }
};

bool is_jpeg(const IndexRecord& record) {
  return static_cast<Codec>(record.codec) == Codec::kJpeg;
}

// A strip stays in a core's cache while its pixels are added.
std::uint64_t strip_bytes(const IndexRecord& record) {
  const std::uint64_t row_bytes = std::uint64_t{record.width_px} * 3;
  return std::clamp(row_bytes * record.height_px, row_bytes,
                    std::max(convert::kStripBytes, row_bytes));
}

SamplePrice price_of(const IndexRecord& record) {
  const DecodePrice price = decode_price(stored_info(record), whole_picture(record));
  return {record.length_bytes, is_jpeg(record) ? strip_bytes(record) : price.decoded_bytes,
          price.scratch_bytes};
}

// A page of one shard's index: what a thread takes at a time.
struct PageOfSamples {
  std::size_t item_idx = 0;
  std::uint64_t page_idx = 0;
};

// What one thread needs. Buffers grow to what its costliest sample takes.
struct Worker {
  DecoderSet decoders;
  JpegDecoder jpeg_decoder;
  std::vector<std::byte> encoded;
  std::vector<std::byte> pixels;  // of a JPEG, a strip of them
  std::vector<std::byte> scratch;
  convert::PixelSums sums;
};

class SampleDecoding {
 public:
  SampleDecoding(std::span<const DecodeItem> items, const std::stop_token& stop, bool takes_sums)
      : items_(items), stop_(stop), takes_sums_(takes_sums) {}

  std::uint64_t run(const DecodeLimits& limits, const std::function<void(std::uint64_t)>& tell,
                    convert::PixelSums* sums) {
    list_pages();
    const unsigned num_threads = fitting_threads(limits);
    std::vector<Worker> workers(num_threads);
    run_items(
        {.num_items = pages_.size(), .num_threads = num_threads},
        [&](unsigned thread_idx, std::size_t i) { decode_page(workers[thread_idx], pages_[i]); },
        [&] { tell(num_decoded_); });
    if (sums != nullptr) {
      for (const Worker& worker : workers) sums->add(worker.sums);
    }
    return num_decoded_;
  }

 private:
  // Also finds the costliest sample, in one pass over the index.
  void list_pages() {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      for (std::uint64_t page = 0; page < items_[i].shard->num_index_pages(); ++page) {
        check_stop();
        bool has_any = false;
        for_each_wanted(items_[i], page, [&](std::uint64_t, const IndexRecord& record) {
          has_any = true;
          const SamplePrice price = price_of(record);
          dearest_.encoded_bytes = std::max(dearest_.encoded_bytes, price.encoded_bytes);
          dearest_.decoded_bytes = std::max(dearest_.decoded_bytes, price.decoded_bytes);
          dearest_.scratch_bytes = std::max(dearest_.scratch_bytes, price.scratch_bytes);
        });
        if (has_any) pages_.push_back({i, page});
      }
    }
  }

  unsigned fitting_threads(const DecodeLimits& limits) const {
    const std::uint64_t one_bytes = std::max<std::uint64_t>(1, dearest_.total_bytes());
    if (one_bytes > limits.memory_bytes) {
      const SizeTexts texts = format_bytes_apart(one_bytes, limits.memory_bytes);
      throw Error(ErrorCode::kOutOfMemory,
                  fmt::format("decode: the largest sample: expected at most {} (--memory), found "
                              "that it takes {}",
                              texts.there, texts.needed),
                  fmt::format("--memory {}M", (one_bytes + (1u << 20) - 1) >> 20));
    }
    return static_cast<unsigned>(
        std::min<std::uint64_t>(limits.num_threads, limits.memory_bytes / one_bytes));
  }

  template <class Visit>
  static void for_each_wanted(const DecodeItem& item, std::uint64_t page, const Visit& visit) {
    const std::uint64_t first = page * kRecordsPerPage;
    const auto begin = item.is_wanted.begin() + static_cast<std::ptrdiff_t>(first);
    const auto length = static_cast<std::ptrdiff_t>(
        std::min<std::uint64_t>(kRecordsPerPage, item.shard->num_samples() - first));
    if (std::find(begin, begin + length, 1) == begin + length) return;
    std::uint64_t ignored = 0;
    const std::vector<IndexRecord> records = item.shard->read_index_page(page, ignored);
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (item.is_wanted[first + i] != 0) visit(first + i, records[i]);
    }
  }

  void decode_page(Worker& worker, const PageOfSamples& page) {
    const DecodeItem& item = items_[page.item_idx];
    for_each_wanted(item, page.page_idx, [&](std::uint64_t sample_idx, const IndexRecord& record) {
      check_stop();
      if (const auto why = decode(worker, item, record)) {
        const std::lock_guard lock(mutex_);
        if (item.damage != nullptr) item.damage->push_back({sample_idx, *why});
        item.is_wanted[sample_idx] = 0;
      } else {
        ++num_decoded_;
      }
    });
  }

  // Why it does not decode; nothing: it does.
  std::optional<std::string> decode(Worker& worker, const DecodeItem& item,
                                    const IndexRecord& record) const {
    if (record.status != 0)
      return fmt::format("decode: expected status 0, found {}", record.status);
    SampleDecoder* const decoder = worker.decoders.find(static_cast<Codec>(record.codec));
    if (decoder == nullptr) {
      return fmt::format("decode: expected a codec of this build, found number {}", record.codec);
    }
    const SamplePrice price = price_of(record);
    grow(worker.pixels, price.decoded_bytes);
    grow(worker.scratch, price.scratch_bytes);
    try {
      item.shard->read_sample(record, worker.encoded);
    } catch (const Error& error) {
      return error.what();
    }
    return is_jpeg(record) ? decode_strips(worker, record) : decode_whole(*decoder, worker, record);
  }

  std::optional<std::string> decode_whole(SampleDecoder& decoder, Worker& worker,
                                          const IndexRecord& record) const {
    const Result<DecodedView> decoded =
        decoder.decode(worker.encoded, stored_info(record), whole_picture(record), worker.pixels,
                       worker.scratch, stop_);
    check_stop();
    if (!decoded.ok()) return "decode: " + std::string(decoded.fault().detail());
    if (takes_sums_) worker.sums.add(decoded.value().image);
    return std::nullopt;
  }

  // A fault may come after strips have been seen: what they add up to counts only without one.
  std::optional<std::string> decode_strips(Worker& worker, const IndexRecord& record) const {
    convert::PixelSums sums;
    const Result<StripsDone> decoded = worker.jpeg_decoder.decode_in_strips(
        worker.encoded, stored_info(record), std::span(worker.pixels).first(strip_bytes(record)),
        worker.scratch,
        [&](const ImageView& rows) {
          if (takes_sums_) sums.add(rows);
        },
        stop_);
    check_stop();
    if (!decoded.ok()) return "decode: " + std::string(decoded.fault().detail());
    worker.sums.add(sums);
    return std::nullopt;
  }

  static void grow(std::vector<std::byte>& buffer, std::uint64_t bytes) {
    if (buffer.size() < bytes) buffer.resize(bytes);
  }

  void check_stop() const {
    if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: check: on request");
  }

  const std::span<const DecodeItem> items_;
  const std::stop_token stop_;
  const bool takes_sums_;
  std::vector<PageOfSamples> pages_;
  SamplePrice dearest_;
  std::mutex mutex_;  // guards what is in items_
  std::atomic<std::uint64_t> num_decoded_ = 0;
};

}  // namespace

void check_decode_memory(std::string_view owner, std::uint64_t memory_bytes) {
  constexpr std::uint64_t kMinBytes = 1u << 20;
  if (memory_bytes >= kMinBytes) return;
  refuse_setting({.owner = owner,
                  .field = "memory",
                  .expected = "at least 1M",
                  .found = format_size_bytes(memory_bytes),
                  .hint = "--memory 1G"});
}

std::uint64_t decode_samples(std::span<const DecodeItem> items, const DecodeLimits& limits,
                             const std::function<void(std::uint64_t)>& tell,
                             const std::stop_token& stop, convert::PixelSums* sums) {
  return SampleDecoding(items, stop, sums != nullptr).run(limits, tell, sums);
}

}  // namespace penstock::care
