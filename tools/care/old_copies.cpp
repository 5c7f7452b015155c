#include "tools/care/old_copies.h"

#include <algorithm>
#include <compare>
#include <map>
#include <tuple>
#include <utility>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/shard/dataset.h"

namespace penstock::care {
namespace {

using convert::SplitKind;

struct NewKey {
  std::uint64_t xxh3 = 0;
  std::uint32_t length_bytes = 0;
  std::uint32_t split_idx = 0;
  std::uint64_t sample_id = 0;

  auto content() const { return std::tuple(xxh3, length_bytes); }
};

struct KnownSplit {
  SplitKind kind = SplitKind::kTrain;
  DatasetSplit split;
};

std::vector<KnownSplit> known_splits(const Dataset& dataset) {
  std::vector<KnownSplit> splits;
  for (const SplitKind kind : {SplitKind::kTrain, SplitKind::kValidation, SplitKind::kTest}) {
    const std::string name(split_name(kind));
    if (dataset.manifest().find_split(name) != nullptr)
      splits.push_back({kind, dataset.split(name)});
  }
  return splits;
}

// Bare pixels of another shape are another picture.
bool is_same_shape(const IndexRecord& a, const IndexRecord& b) {
  return a.codec == b.codec && a.height_px == b.height_px && a.width_px == b.width_px &&
         a.components == b.components;
}

// Nothing for a sample that is damaged: that is not for an addition to tell.
std::optional<Digest128> digest_of(const StoredSample& sample) {
  try {
    return xxh3_128(sample.read_bytes());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorruptData) throw;
    return std::nullopt;
  }
}

// kTest is the last of the enumeration.
bool is_earlier(const CopyPlace& a, const CopyPlace& b) {
  return std::tuple(b.split, a.class_idx, std::string_view(a.name)) <
         std::tuple(a.split, b.class_idx, std::string_view(b.name));
}

void offer(OldCopy& copy, const CopyPlace& old) {
  const bool is_split_same = old.split == copy.added.split;
  const bool is_class_same = old.class_idx == copy.added.class_idx;
  const std::array<bool, kCopyReasonOrder.size()> holds = {!is_split_same, !is_class_same,
                                                           is_split_same && is_class_same};
  for (std::size_t i = 0; i < holds.size(); ++i) {
    std::optional<CopyPlace>& other = copy.others[i];
    if (holds[i] && (!other || is_earlier(old, *other))) other = old;
  }
}

class Search {
 public:
  Search(const OldCopySearch& search, const std::stop_token& stop)
      : old_(known_splits(Dataset::open(search.dataset))),
        added_(known_splits(Dataset::open(search.added))),
        max_keys_(std::max<std::size_t>(1, search.memory_bytes / 4 / sizeof(NewKey))),
        stop_(stop) {}

  OldCopies run() {
    for (std::uint32_t s = 0; s < added_.size(); ++s) {
      added_[s].split.scan_index([&](std::uint64_t first_id, std::span<const IndexRecord> records) {
        for (const IndexRecord& record : records) {
          keys_.push_back({record.xxh3, record.length_bytes, s, first_id++});
          if (keys_.size() == max_keys_) compare_with_old();
        }
      });
    }
    compare_with_old();
    OldCopies copies;
    for (auto& [place, candidate] : candidates_) {
      if (candidate.is_copy) {
        copies.named.push_back(std::move(candidate.copy));
      } else if (candidate.is_unnamed_copy) {
        ++copies.num_unnamed;
      }
    }
    return copies;
  }

 private:
  struct Candidate {
    std::optional<Digest128> digest;
    OldCopy copy;
    bool is_copy = false;
    bool is_unnamed_copy = false;
  };

  void compare_with_old() {
    std::ranges::sort(keys_, {}, &NewKey::content);
    for (const KnownSplit& known : old_) {
      known.split.scan_index([&](std::uint64_t first_id, std::span<const IndexRecord> records) {
        if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: add: on request");
        for (std::size_t i = 0; i < records.size(); ++i) compare(known, first_id + i, records[i]);
      });
    }
    keys_.clear();
  }

  void compare(const KnownSplit& known, std::uint64_t sample_id, const IndexRecord& record) {
    const auto [begin, end] = std::ranges::equal_range(
        keys_, std::tuple(record.xxh3, record.length_bytes), {}, &NewKey::content);
    std::optional<Digest128> digest;
    CopyPlace old{.name = {}, .split = known.kind, .class_idx = record.class_idx};
    for (auto key = begin; key != end; ++key) {
      if (!digest) {
        digest = digest_of(known.split.sample(sample_id));
        old.name = known.split.read_name(sample_id);
        if (!digest) return;
      }
      Candidate& candidate = candidate_of(*key);
      const IndexRecord added = added_[key->split_idx].split.record(key->sample_id);
      if (candidate.digest != digest || !is_same_shape(added, record)) continue;
      if (old.name.empty() || candidate.copy.added.name.empty()) {
        candidate.is_unnamed_copy = true;
        continue;
      }
      candidate.is_copy = true;
      offer(candidate.copy, old);
    }
  }

  Candidate& candidate_of(const NewKey& key) {
    const auto [found, is_new] = candidates_.try_emplace({key.split_idx, key.sample_id});
    Candidate& candidate = found->second;
    if (is_new) {
      const KnownSplit& known = added_[key.split_idx];
      const StoredSample sample = known.split.sample(key.sample_id);
      candidate.digest = digest_of(sample);
      candidate.copy.added = {.name = known.split.read_name(key.sample_id),
                              .split = known.kind,
                              .class_idx = sample.record().class_idx};
      candidate.copy.length_bytes = key.length_bytes;
    }
    return candidate;
  }

  const std::vector<KnownSplit> old_;
  const std::vector<KnownSplit> added_;
  const std::size_t max_keys_;
  const std::stop_token& stop_;
  std::vector<NewKey> keys_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, Candidate> candidates_;  // by place
};

}  // namespace

OldCopies find_old_copies(const OldCopySearch& search, const std::stop_token& stop) {
  return Search(search, stop).run();
}

}  // namespace penstock::care
