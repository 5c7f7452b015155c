// The arrays of a source, opened: pixels beside their labels. What the labels mean is left to others.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "tools/convert/quarantine.h"
#include "tools/convert/source/array_store.h"
#include "tools/convert/source/picture_axes.h"
#include "tools/convert/source/source_request.h"
#include "tools/convert/source/split_rule.h"

namespace penstock::convert {

/// As many labels as pictures.
struct OpenedPair {
  std::uint32_t images_idx = 0;  // in the store
  std::uint32_t labels_idx = 0;
  PictureAxes axes{};
  std::optional<SplitKind> split{};  // by the names of several; nothing: they tell none
};

struct OpenedPairs {
  std::unique_ptr<ArrayStore> store{};
  std::vector<OpenedPair> pairs{};
  bool are_labels_texts = false;            // of all pairs; else numbers
  std::vector<QuarantineEntry> findings{};  // pictures in arrays without labels

  const OpenArray& images(const OpenedPair& pair) const { return store->array(pair.images_idx); }
  const OpenArray& labels(const OpenedPair& pair) const { return store->array(pair.labels_idx); }
  /// Whether one of them has pictures whose shape states channels.
  bool has_four_sides() const;
};

/// Opens the pairs of `request.arrays`, or those that the file `request.path` holds by the usual names.
///
/// Errors  InvalidArgument: pixels that are no uint8, no usual names, another number of labels than of
///         pictures, numbers beside texts, a channel axis where there is none; those of
///         ArrayStore::open(), label_form_of() and picture_axes_of()
OpenedPairs open_pairs(const SourceRequest& request, const std::stop_token& stop);

}  // namespace penstock::convert
