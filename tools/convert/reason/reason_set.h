// The reasons that one picture has, and how often each occurred in a conversion.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <optional>

#include "tools/convert/reason/reason_code.h"

namespace penstock::convert {

class ReasonSet {
 public:
  ReasonSet() = default;
  ReasonSet(std::initializer_list<ReasonCode> codes) {
    for (const ReasonCode code : codes) add(code);
  }

  void add(ReasonCode code) { bits_.set(static_cast<std::size_t>(code)); }
  void add_if(bool holds, ReasonCode code) {
    if (holds) add(code);
  }
  void add(const ReasonSet& others) { bits_ |= others.bits_; }
  void remove(ReasonCode code) { bits_.reset(static_cast<std::size_t>(code)); }
  bool has(ReasonCode code) const { return bits_.test(static_cast<std::size_t>(code)); }
  bool empty() const noexcept { return bits_.none(); }

  /// Returns the first in the order of the table for which `is_wanted(code)` holds.
  template <class IsWanted>
  std::optional<ReasonCode> first(IsWanted&& is_wanted) const {
    for (std::size_t i = 0; i < kNumReasons; ++i) {
      const auto code = static_cast<ReasonCode>(i);
      if (bits_.test(i) && is_wanted(code)) return code;
    }
    return std::nullopt;
  }
  template <class Visit>
  void each(Visit&& visit) const {
    for (std::size_t i = 0; i < kNumReasons; ++i) {
      if (bits_.test(i)) visit(static_cast<ReasonCode>(i));
    }
  }

  friend bool operator==(const ReasonSet&, const ReasonSet&) = default;

 private:
  std::bitset<kNumReasons> bits_;
};

/// Pictures by reason. One picture may count for several.
struct ReasonCounts {
  std::array<std::uint64_t, kNumReasons> kept{};         // stored as if it were not so
  std::array<std::uint64_t, kNumReasons> fixed{};        // stored otherwise
  std::array<std::uint64_t, kNumReasons> quarantined{};  // each picture once, by its first reason

  void add_stored(const ReasonSet& reasons, const ReasonSet& mended) {
    reasons.each([&](ReasonCode code) { ++(mended.has(code) ? fixed : kept)[idx(code)]; });
  }
  void add_kept(ReasonCode code) { ++kept[idx(code)]; }
  void add_quarantined(ReasonCode code, std::uint64_t num_pictures = 1) {
    quarantined[idx(code)] += num_pictures;
  }
  void add(const ReasonCounts& others) {
    for (std::size_t i = 0; i < kNumReasons; ++i) {
      kept[i] += others.kept[i];
      fixed[i] += others.fixed[i];
      quarantined[i] += others.quarantined[i];
    }
  }

  std::uint64_t num_kept(ReasonCode code) const { return kept[idx(code)]; }
  std::uint64_t num_fixed(ReasonCode code) const { return fixed[idx(code)]; }
  std::uint64_t num_quarantined(ReasonCode code) const { return quarantined[idx(code)]; }
  std::uint64_t total_quarantined() const {
    return std::accumulate(quarantined.begin(), quarantined.end(), std::uint64_t{0});
  }

  friend bool operator==(const ReasonCounts&, const ReasonCounts&) = default;

 private:
  static std::size_t idx(ReasonCode code) { return static_cast<std::size_t>(code); }
};

}  // namespace penstock::convert
