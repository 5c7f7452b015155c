#include "tools/convert/write/shard_contribution.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace penstock::convert {

void ShardContribution::add(const ListedPicture& picture, const ImageVerdict& verdict,
                            SeveralScans several_scans) {
  switch (verdict.fate) {
    case FileFate::kKept:
      if (several_scans == SeveralScans::kRewritten &&
          (verdict.record.flags & kFlagProgressive) != 0) {
        ++num_in_several_scans;
      }
      break;
    case FileFate::kReencoded:
      ++num_reencoded;
      break;
    case FileFate::kRewritten:
      ++num_rewritten;
      break;
    case FileFate::kSkippedText:
      ++num_text_skipped;
      break;
    case FileFate::kQuarantined:
      quarantine.push_back({.path = std::string(picture.name),
                            .reason = verdict.reason,
                            .size_bytes = picture.size_bytes,
                            .detail = verdict.detail});
      break;
  }
  if (!is_stored(verdict.fate)) return;
  largest_scratch_bytes = std::max(largest_scratch_bytes, verdict.decode_scratch_bytes);
  if (picture.split == SplitKind::kTrain) sums.add(verdict.sums);
}

void ShardContribution::add(ShardContribution other) {
  sums.add(other.sums);
  largest_scratch_bytes = std::max(largest_scratch_bytes, other.largest_scratch_bytes);
  num_reencoded += other.num_reencoded;
  num_rewritten += other.num_rewritten;
  num_in_several_scans += other.num_in_several_scans;
  num_text_skipped += other.num_text_skipped;
  quarantine.insert(quarantine.end(), std::make_move_iterator(other.quarantine.begin()),
                    std::make_move_iterator(other.quarantine.end()));
}

}  // namespace penstock::convert
