// Splits that a source gives by itself, beside fractions that a user asks for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/split_rule.h"

namespace penstock::convert {

/// As with split folders: what is given stands, unless a split that is not given is asked for; that one
/// is drawn from the training split.
class GivenSplits {
 public:
  GivenSplits(const SplitRequest& request, std::string where);

  /// Notes that the source gives pictures of a split.
  ///
  /// Errors  InvalidArgument: a fraction is asked for it as well
  void note(SplitKind split) const;

  /// The split under which such a picture is listed; nothing: it is drawn.
  std::optional<SplitKind> listed(std::optional<SplitKind> given) const noexcept;

 private:
  SplitRequest request_;
  std::string where_;
};

/// The split that a path speaks of: the one name of a split between '/', '-', '_' and '.', as in
/// "imagenet-train-000.tar" and "val/000.tar". Nothing when there is none, or several.
std::optional<SplitKind> split_in_path(std::string_view path);

}  // namespace penstock::convert
