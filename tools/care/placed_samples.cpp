#include "tools/care/placed_samples.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "streamer/core/batch.h"
#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/shard/index_page.h"

namespace penstock::care {
namespace {

class SamplePlacer {
 public:
  SamplePlacer(const CareShard& shard, ShardCheck& check) : shard_(shard), check_(check) {}

  std::vector<PlacedSample> run(const IndexVerdict& verdict, const std::stop_token& stop) {
    read_index(verdict, stop);
    leave_out_overlaps();
    return std::move(samples_);
  }

 private:
  void damage(std::uint64_t sample_idx, std::string what) {
    check_.sample_damage.push_back({sample_idx, std::move(what)});
  }

  void read_index(const IndexVerdict& verdict, const std::stop_token& stop) {
    const ShardPart* const sums = shard_.find("index_page_xxh3");
    const ShardPart* const index = shard_.find("index");
    // The header's checksum speaks of the whole index; a page's, where that fails, of the page.
    const bool is_vouched_for = verdict.is_index_whole && index->xxh3.has_value();
    samples_.reserve(shard_.num_samples());
    for (std::uint64_t page = 0; page < shard_.num_index_pages(); ++page) {
      if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: check: on request");
      std::uint64_t found = 0;
      std::uint64_t expected = 0;
      try {
        const std::vector<IndexRecord> records = shard_.read_index_page(page, found);
        const std::optional<std::uint64_t> sum = shard_.read_page_sum(page);
        const bool agrees = sum == found;
        expected = sum.value_or(0);
        if (!agrees && is_vouched_for && sums != nullptr && verdict.are_page_sums_whole) {
          check_.shard_damage.push_back(fmt::format("index page {}: expected checksum {}, found {}",
                                                    page, hex(expected), hex(found)));
        }
        if (agrees || is_vouched_for) {
          for (std::size_t i = 0; i < records.size(); ++i) {
            place(records[i], page * kRecordsPerPage + i);
          }
        } else {
          lose_page(page, records.size(),
                    fmt::format("its index page {}: expected checksum {}, found {}", page,
                                hex(expected), hex(found)));
        }
      } catch (const Error& error) {
        if (error.code() == ErrorCode::kStopped) throw;
        lose_page(
            page,
            std::min<std::uint64_t>(kRecordsPerPage, shard_.num_samples() - page * kRecordsPerPage),
            fmt::format("its index page {}: {}", page, error.what()));
      }
    }
  }

  void lose_page(std::uint64_t page, std::uint64_t num_records, const std::string& why) {
    for (std::uint64_t i = 0; i < num_records; ++i) damage(page * kRecordsPerPage + i, why);
  }

  void place(IndexRecord record, std::uint64_t sample_idx) {
    const ShardPart& images = *shard_.find("images");
    record.offset_bytes = shard_.offset_of(record);
    try {
      check_index_record(record,
                         {.images_offset_bytes = images.offset_bytes,
                          .images_length_bytes = images.length_bytes,
                          .num_classes = shard_.num_classes()},
                         {.shard = shard_.path(), .sample_idx = sample_idx}, RecordUse::kRead);
    } catch (const Error& error) {
      damage(sample_idx, std::string("record: ") + error.what());
      return;
    }
    samples_.push_back({.offset_bytes = record.offset_bytes,
                        .xxh3 = record.xxh3,
                        .length_bytes = record.length_bytes,
                        .sample_idx = static_cast<std::uint32_t>(sample_idx)});
    if (record.class_idx == kUnlabelled) {
      ++check_.num_unlabelled;
    } else {
      ++check_.num_by_class[record.class_idx];
    }
  }

  void leave_out_overlaps() {
    if (!std::ranges::is_sorted(samples_, {}, &PlacedSample::offset_bytes)) {
      std::ranges::stable_sort(samples_, {}, &PlacedSample::offset_bytes);
    }
    std::size_t num_kept = 0;
    for (const PlacedSample& sample : samples_) {
      if (num_kept > 0 && samples_[num_kept - 1].end_bytes() > sample.offset_bytes) {
        damage(sample.sample_idx,
               fmt::format("record: expected bytes of its own, found those of "
                           "sample {} from {} on",
                           samples_[num_kept - 1].sample_idx, sample.offset_bytes));
        continue;
      }
      samples_[num_kept++] = sample;
    }
    samples_.resize(num_kept);
  }

  const CareShard& shard_;
  ShardCheck& check_;
  std::vector<PlacedSample> samples_;
};

}  // namespace

std::vector<PlacedSample> place_samples(const CareShard& shard, const IndexVerdict& verdict,
                                        const std::stop_token& stop, ShardCheck& check) {
  return SamplePlacer(shard, check).run(verdict, stop);
}

}  // namespace penstock::care
