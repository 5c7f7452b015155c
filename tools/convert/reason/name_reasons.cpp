#include "tools/convert/reason/name_reasons.h"

#include <algorithm>

#include "streamer/core/checksum.h"
#include "streamer/core/utf8.h"
#include "tools/convert/reason/name_fold.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kLongestNameBytes = 255;  // NAME_MAX of Linux and most file systems

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

struct FoldedName {
  std::uint64_t hash = 0;
  std::uint32_t picture_idx = 0;
};

std::uint64_t hash_of(const std::u32string& folded) {
  return xxh3_64(std::as_bytes(std::span(folded)));
}

}  // namespace

ReasonSet reasons_of_name(std::string_view path) {
  ReasonSet reasons;
  reasons.add_if(std::any_of(path.begin(), path.end(), is_control), ReasonCode::kControlInName);
  reasons.add_if(!is_utf8(path), ReasonCode::kNotUtf8Name);
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    reasons.add_if(end > begin && path[begin] == '-', ReasonCode::kDashName);
    reasons.add_if(end - begin >= kLongestNameBytes, ReasonCode::kLongName);
    begin = end + 1;
  }
  return reasons;
}

NameReasons::NameReasons(const PictureList& pictures) {
  std::vector<FoldedName> names;
  names.reserve(pictures.size());
  for (std::uint32_t i = 0; i < pictures.size(); ++i) {
    names.push_back({hash_of(fold_name(pictures[i].name)), i});
  }
  std::sort(names.begin(), names.end(), [](const FoldedName& a, const FoldedName& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.picture_idx < b.picture_idx;
  });
  const auto is_twin = [&](std::size_t a, std::size_t b) {
    return names[a].hash == names[b].hash && fold_name(pictures[names[a].picture_idx].name) ==
                                                 fold_name(pictures[names[b].picture_idx].name);
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool has_twin =
        (i > 0 && is_twin(i - 1, i)) || (i + 1 < names.size() && is_twin(i, i + 1));
    if (has_twin) twins_.push_back(names[i].picture_idx);
  }
  std::sort(twins_.begin(), twins_.end());
}

ReasonSet NameReasons::of(std::uint32_t picture_idx, std::string_view path) const {
  ReasonSet reasons = reasons_of_name(path);
  reasons.add_if(std::binary_search(twins_.begin(), twins_.end(), picture_idx),
                 ReasonCode::kTwinName);
  return reasons;
}

}  // namespace penstock::convert
