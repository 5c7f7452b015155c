#include "tools/convert/duplicate/near_search.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tools/convert/duplicate/copy_groups.h"

namespace penstock::convert {
namespace {

// With max_bits below 4 * 2 one of four bands of 16 bits differs in at most one.
constexpr unsigned kNumBands = 4;
constexpr unsigned kBandBits = 16;
static_assert(kMaxNearBits < 2 * kNumBands);

void store_be(std::uint64_t value, std::size_t num_bytes, std::uint8_t* at) {
  for (std::size_t i = num_bytes; i-- > 0; value >>= 8) at[i] = static_cast<std::uint8_t>(value);
}

std::uint64_t load_be(const std::uint8_t* at, std::size_t num_bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < num_bytes; ++i) value = value << 8 | at[i];
  return value;
}

std::uint16_t band_of(std::uint64_t look, unsigned band) {
  return static_cast<std::uint16_t>(look >> (band * kBandBits));
}

// Prints in a file that goes with it, sorted however many they are.
class SortedPrints {
 public:
  SortedPrints(const NearSearchConfig& config, const char* name)
      : config_(config), prints_(config.folder, name, 0) {}
  SortedPrints(const SortedPrints&) = delete;
  SortedPrints& operator=(const SortedPrints&) = delete;
  ~SortedPrints() {
    std::error_code ignored;  // a destructor has nobody to tell
    std::filesystem::remove(prints_.path(), ignored);
  }

  void add(const ContentPrint& print) {
    prints_.add(print);
    if (prints_.num_open() >= config_.prints_in_run) runs_.push_back(prints_.end_run());
  }
  void visit(const std::function<void(const ContentPrint& print)>& visit) {
    if (prints_.num_open() > 0) runs_.push_back(prints_.end_run());
    merge_runs(prints_, runs_, config_.folder, config_.merge, visit);
  }

 private:
  const NearSearchConfig& config_;
  PrintFile prints_;
  std::vector<PrintRun> runs_;
};

ReasonCode near_reason(ReasonCode copy_reason) {
  switch (copy_reason) {
    case ReasonCode::kDuplicateAcrossSplits:
      return ReasonCode::kNearDuplicateAcrossSplits;
    case ReasonCode::kDuplicateAcrossClasses:
      return ReasonCode::kNearDuplicateAcrossClasses;
    default:
      return ReasonCode::kNearDuplicateWithinClass;
  }
}

// Of one bucket or of all: the nearest of what it is offered, and of several the earliest.
class Nearest {
 public:
  explicit Nearest(const PictureList& pictures) : pictures_(pictures) {}

  void offer(std::uint32_t other_idx, unsigned distance_bits) {
    if (best_ && best_->second < distance_bits) return;
    if (best_ && best_->second == distance_bits &&
        !is_earlier_copy(pictures_, other_idx, best_->first)) {
      return;
    }
    best_ = {other_idx, distance_bits};
  }
  const std::optional<std::pair<std::uint32_t, unsigned>>& best() const noexcept { return best_; }

 private:
  const PictureList& pictures_;
  std::optional<std::pair<std::uint32_t, unsigned>> best_;
};

class NearSearch {
 public:
  NearSearch(const NearSearchConfig& config, const std::stop_token& stop)
      : config_(config),
        pictures_(*config.pictures),
        stop_(stop),
        firsts_(config, kNearFirstsName),
        found_(config, kNearFoundName) {}

  void run(const std::function<void(const NearFinding& finding)>& visit) {
    take_equal_looks();
    for (unsigned band = 0; band < kNumBands; ++band) search_band(band);
    report(visit);
  }

 private:
  struct Look {
    std::uint64_t bits = 0;
    std::uint32_t picture_idx = 0;
  };

  void check_stop() const {
    if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: conversion: on request");
  }

  // Sorted by picture, reason and distance.
  void find(const NearFinding& finding) {
    ContentPrint print{.digest = {}, .picture_idx = finding.picture_idx};
    store_be(finding.picture_idx, 4, print.digest.data());
    print.digest[4] = static_cast<std::uint8_t>(finding.reason);
    print.digest[5] = static_cast<std::uint8_t>(finding.distance_bits);
    store_be(finding.other_idx, 4, print.digest.data() + 6);
    found_.add(print);
  }

  void take_equal_looks() {
    std::vector<std::uint32_t> group;  // of one look, each of another content
    ContentPrint before{};
    const auto end_group = [&] {
      take_group(load_be(before.digest.data(), 8), group);
      group.clear();
    };
    merge_runs(*config_.looks, config_.runs, config_.folder, config_.merge,
               [&](const ContentPrint& print) {
                 check_stop();
                 const bool is_same_look =
                     !group.empty() && std::equal(print.digest.begin(), print.digest.begin() + 8,
                                                  before.digest.begin());
                 if (!group.empty() && !is_same_look) end_group();
                 if (group.empty() || print.digest != before.digest) {
                   group.push_back(print.picture_idx);
                 } else if (is_earlier_copy(pictures_, print.picture_idx, group.back())) {
                   group.back() = print.picture_idx;
                 }
                 before = print;
               });
    if (!group.empty()) end_group();
  }

  void take_group(std::uint64_t look, std::vector<std::uint32_t>& group) {
    resolve_copies(group, pictures_, {}, [&](const CopyFinding& copy) {
      find({.reason = near_reason(copy.reason),
            .picture_idx = copy.picture_idx,
            .other_idx = copy.other_idx,
            .distance_bits = 0});
    });
    // Sorted now: those of one split and class stand together.
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (i > 0 && is_of_one_place(pictures_[group[i - 1]], pictures_[group[i]])) continue;
      firsts_.add(look_print(look, {}, group[i]));
    }
  }

  static bool is_of_one_place(const ListedPicture& a, const ListedPicture& b) {
    return a.split == b.split && a.class_idx == b.class_idx;
  }

  // Each look under its own bits of the band, and where one may differ under those beside too.
  void search_band(unsigned band) {
    SortedPrints keyed(config_, kNearBandName);
    firsts_.visit([&](const ContentPrint& print) {
      check_stop();
      const std::uint64_t look = load_be(print.digest.data(), 8);
      const std::uint16_t own = band_of(look, band);
      add_keyed(keyed, own, look, print.picture_idx);
      if (config_.max_bits < kNumBands) return;
      for (unsigned bit = 0; bit < kBandBits; ++bit) {
        add_keyed(keyed, static_cast<std::uint16_t>(own ^ (1u << bit)), look, print.picture_idx);
      }
    });
    std::vector<Look> bucket;
    std::uint64_t key = 0;
    keyed.visit([&](const ContentPrint& print) {
      const std::uint64_t its_key = load_be(print.digest.data(), 2);
      if (its_key != key) {
        search_bucket(bucket, band, static_cast<std::uint16_t>(key));
        bucket.clear();
      }
      key = its_key;
      bucket.push_back({load_be(print.digest.data() + 2, 8), print.picture_idx});
    });
    search_bucket(bucket, band, static_cast<std::uint16_t>(key));
  }

  static void add_keyed(SortedPrints& keyed, std::uint16_t key, std::uint64_t look,
                        std::uint32_t picture_idx) {
    ContentPrint print{.digest = {}, .picture_idx = picture_idx};
    store_be(key, 2, print.digest.data());
    store_be(look, 8, print.digest.data() + 2);
    keyed.add(print);
  }

  // Two that are both there under a key beside their own meet under another, or are too far apart.
  void search_bucket(std::vector<Look>& bucket, unsigned band, std::uint16_t key) {
    const auto beside = std::partition(bucket.begin(), bucket.end(), [&](const Look& look) {
      return band_of(look.bits, band) == key;
    });
    const auto num_own = static_cast<std::size_t>(beside - bucket.begin());
    for (std::size_t i = 0; i < bucket.size(); ++i) {
      check_stop();
      search_one(bucket[i], std::span(bucket).first(i < num_own ? bucket.size() : num_own));
    }
  }

  void search_one(const Look& one, std::span<const Look> others) {
    Nearest in_split(pictures_);
    Nearest in_class(pictures_);
    Nearest same(pictures_);
    for (const Look& other : others) {
      const unsigned distance_bits = look_distance_bits(one.bits, other.bits);
      // Equal looks are done with.
      if (distance_bits > config_.max_bits || distance_bits == 0) continue;
      if (!is_earlier_copy(pictures_, other.picture_idx, one.picture_idx)) continue;
      const ListedPicture a = pictures_[one.picture_idx];
      const ListedPicture b = pictures_[other.picture_idx];
      if (is_of_one_place(a, b)) same.offer(other.picture_idx, distance_bits);
      if (a.split != b.split) in_split.offer(other.picture_idx, distance_bits);
      if (a.class_idx != b.class_idx) in_class.offer(other.picture_idx, distance_bits);
    }
    for (const auto& [reason, nearest] : {std::pair{ReasonCode::kNearDuplicateWithinClass, &same},
                                          {ReasonCode::kNearDuplicateAcrossClasses, &in_class},
                                          {ReasonCode::kNearDuplicateAcrossSplits, &in_split}}) {
      if (!nearest->best()) continue;
      find({.reason = reason,
            .picture_idx = one.picture_idx,
            .other_idx = nearest->best()->first,
            .distance_bits = nearest->best()->second});
    }
  }

  // By picture, then reason, then distance.
  void report(const std::function<void(const NearFinding& finding)>& visit) {
    std::optional<NearFinding> best;
    found_.visit([&](const ContentPrint& print) {
      check_stop();
      const NearFinding finding{
          .reason = static_cast<ReasonCode>(print.digest[4]),
          .picture_idx = print.picture_idx,
          .other_idx = static_cast<std::uint32_t>(load_be(print.digest.data() + 6, 4)),
          .distance_bits = print.digest[5]};
      const bool is_of_best =
          best && best->picture_idx == finding.picture_idx && best->reason == finding.reason;
      if (!is_of_best) {
        if (best) visit(*best);
        best = finding;
      } else if (finding.distance_bits == best->distance_bits &&
                 is_earlier_copy(pictures_, finding.other_idx, best->other_idx)) {
        best = finding;
      }
    });
    if (best) visit(*best);
  }

  const NearSearchConfig& config_;
  const PictureList& pictures_;
  const std::stop_token& stop_;
  SortedPrints firsts_;  // of each look, split and class
  SortedPrints found_;
};

}  // namespace

ContentPrint look_print(std::uint64_t look, const Digest128& content, std::uint32_t picture_idx) {
  ContentPrint print{.digest = {}, .picture_idx = picture_idx};
  store_be(look, 8, print.digest.data());
  std::copy_n(content.begin(), 8, print.digest.begin() + 8);
  return print;
}

void find_near_pairs(const NearSearchConfig& config, const std::stop_token& stop,
                     const std::function<void(const NearFinding& finding)>& visit) {
  check_internal(config.max_bits <= kMaxNearBits, "the distance is within its range");
  NearSearch(config, stop).run(visit);
}

}  // namespace penstock::convert
