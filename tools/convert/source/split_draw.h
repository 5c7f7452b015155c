// Draws the splits that a source leaves open.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "tools/convert/source/picture_list.h"
#include "tools/convert/source/split_rule.h"

namespace penstock::convert {

enum class SplitDraw : std::uint8_t {
  kByHash,      // each picture for itself: fractions are approximate, added files move none
  kStratified,  // exact in each class; added files may move others
};

/// What the user asked for; nothing set: the defaults of SplitRule where a source has no splits,
/// and its splits as they are where it has some.
struct SplitRequest {
  std::optional<double> validation_fraction = std::nullopt;
  std::optional<double> test_fraction = std::nullopt;
  std::uint64_t seed = 0;
  SplitDraw draw = SplitDraw::kByHash;
};

/// What is drawn where a request says nothing: SplitRule's own fractions when no picture has a split,
/// none when some have. `where` names the source in messages.
///
/// Errors  InvalidArgument: a fraction asked for of a split that the source has; fractions out of range
SplitRule split_rule_of(const PictureList& pictures, const SplitRequest& request,
                        const std::string& where);

struct DrawnSplits {
  std::uint64_t num_drawn = 0;                           // pictures
  std::array<std::uint64_t, kNumSplits> num_by_split{};  // among those drawn
};

/// Gives each picture without a split the one that `rule` draws by its name; pictures that the source
/// has for training as well when the request names a fraction.
///
/// Cost  stratified: 16 bytes a drawn picture while it sorts
DrawnSplits draw_splits(PictureList& pictures, const SplitRequest& request, const SplitRule& rule);

/// "validation: about 10 %: 341 of 3,409; ..." or nothing where nothing is drawn into another split.
std::string drawn_splits_text(const DrawnSplits& drawn, const SplitRequest& request,
                              const SplitRule& rule);

}  // namespace penstock::convert
