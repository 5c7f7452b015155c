#include "tools/convert/write/shard_contribution.h"

#include <algorithm>
#include <numeric>

namespace penstock::convert {

std::uint64_t ShardContribution::num_reencoded() const noexcept {
  return std::accumulate(num_reencoded_by_codec.begin(), num_reencoded_by_codec.end(),
                         std::uint64_t{0});
}

void ShardContribution::add(const ListedPicture& picture, const ImageVerdict& verdict,
                            bool rewrites_several_scans) {
  met.add(verdict.reasons);
  switch (verdict.fate) {
    case FileFate::kKept:
      if (rewrites_several_scans && (verdict.record.flags & kFlagProgressive) != 0) {
        ++num_in_several_scans;
      }
      break;
    case FileFate::kReencoded:
      ++num_reencoded_by_codec[static_cast<std::size_t>(verdict.record.codec)];
      break;
    case FileFate::kRewritten:
      if (verdict.mended.has(ReasonCode::kProgressive)) ++num_rewritten;
      if (verdict.is_optimized) ++num_optimized;
      break;
    case FileFate::kSkippedText:
      ++num_text_skipped;
      met.add(ReasonCode::kText);
      break;
    case FileFate::kQuarantined:
      reasons.add_quarantined(verdict.reason);
      met.add(verdict.reason);
      break;
  }
  if (!is_stored(verdict.fate)) return;
  if (verdict.is_resized) ++num_resized;
  if (verdict.is_lossy) ++num_lossy;
  if (verdict.stripped_bytes > 0) ++num_stripped;
  stripped_bytes += verdict.stripped_bytes;
  source_bytes += picture.size_bytes;
  reasons.add_stored(verdict.reasons, verdict.mended);
  if (!verdict.loss.empty()) ++num_listed_as_fixed;
  largest_scratch_bytes = std::max(largest_scratch_bytes, verdict.decode_scratch_bytes);
  if (picture.split == SplitKind::kTrain) sums.add(verdict.sums);
}

void ShardContribution::add(const ShardContribution& other) {
  sums.add(other.sums);
  largest_scratch_bytes = std::max(largest_scratch_bytes, other.largest_scratch_bytes);
  largest_picture_bytes = std::max(largest_picture_bytes, other.largest_picture_bytes);
  for (const auto& [name, counter] : kShardCounters) this->*counter += other.*counter;
  for (std::size_t i = 0; i < kNumCodecs; ++i) {
    num_reencoded_by_codec[i] += other.num_reencoded_by_codec[i];
  }
  reasons.add(other.reasons);
  met.add(other.met);
}

}  // namespace penstock::convert
