#include "tools/convert/write/shard_contribution.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace penstock::convert {
namespace {

QuarantineEntry entry_of(const ListedPicture& picture, ReasonCode reason, std::string detail) {
  return {.path = std::string(picture.name),
          .reason = reason,
          .size_bytes = picture.size_bytes,
          .detail = std::move(detail)};
}

template <class Entry>
void append(std::vector<Entry>& all, std::vector<Entry> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

void ShardContribution::add(const ListedPicture& picture, const ImageVerdict& verdict,
                            bool rewrites_several_scans) {
  switch (verdict.fate) {
    case FileFate::kKept:
      if (rewrites_several_scans && (verdict.record.flags & kFlagProgressive) != 0) {
        ++num_in_several_scans;
      }
      break;
    case FileFate::kReencoded:
      ++num_reencoded;
      break;
    case FileFate::kRewritten:
      if (verdict.mended.has(ReasonCode::kProgressive)) ++num_rewritten;
      if (verdict.is_optimized) ++num_optimized;
      break;
    case FileFate::kSkippedText:
      ++num_text_skipped;
      break;
    case FileFate::kQuarantined:
      quarantine.push_back(entry_of(picture, verdict.reason, verdict.detail));
      break;
  }
  if (!is_stored(verdict.fate)) return;
  if (verdict.stripped_bytes > 0) ++num_stripped;
  stripped_bytes += verdict.stripped_bytes;
  reasons.add_stored(verdict.reasons, verdict.mended);
  if (!verdict.loss.empty()) fixed.push_back(entry_of(picture, verdict.reason, verdict.loss));
  largest_scratch_bytes = std::max(largest_scratch_bytes, verdict.decode_scratch_bytes);
  if (picture.split == SplitKind::kTrain) sums.add(verdict.sums);
}

void ShardContribution::add(ShardContribution other) {
  sums.add(other.sums);
  largest_scratch_bytes = std::max(largest_scratch_bytes, other.largest_scratch_bytes);
  num_reencoded += other.num_reencoded;
  num_rewritten += other.num_rewritten;
  num_in_several_scans += other.num_in_several_scans;
  num_optimized += other.num_optimized;
  num_stripped += other.num_stripped;
  stripped_bytes += other.stripped_bytes;
  num_text_skipped += other.num_text_skipped;
  reasons.add(other.reasons);
  append(fixed, std::move(other.fixed));
  append(quarantine, std::move(other.quarantine));
}

}  // namespace penstock::convert
