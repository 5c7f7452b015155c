#include "tools/care/sample_run.h"

#include <fmt/core.h>

#include <algorithm>

namespace penstock::care {

void SampleRun::take(std::uint64_t offset_bytes, std::span<const std::byte> block,
                     const std::string* why) {
  for (; next_ < samples_.size(); ++next_) {
    const PlacedSample& sample = samples_[next_];
    if (sample.offset_bytes >= offset_bytes + block.size()) return;
    const std::uint64_t begin = std::max(sample.offset_bytes, offset_bytes);
    const std::uint64_t end = std::min(sample.end_bytes(), offset_bytes + block.size());
    const auto bytes = block.subspan(begin - offset_bytes, end - begin);
    if (why != nullptr && unread_.empty()) unread_ = *why;
    if (bytes.size() == sample.length_bytes) {
      conclude(sample, xxh3_64(bytes));
      continue;
    }
    if (begin == sample.offset_bytes) hasher_.reset();
    hasher_.update(bytes);
    if (end < sample.end_bytes()) return;  // goes on in the next block
    conclude(sample, hasher_.digest_64());
  }
}

void SampleRun::conclude(const PlacedSample& sample, std::uint64_t found) {
  if (!unread_.empty()) {
    damage_.push_back({sample.sample_idx, unread_});
    unread_.clear();
  } else if (found != sample.xxh3) {
    damage_.push_back({sample.sample_idx, fmt::format("checksum: expected {}, found {}",
                                                      hex(sample.xxh3), hex(found))});
  } else {
    is_whole_[sample.sample_idx] = 1;
  }
}

std::vector<std::span<const PlacedSample>> cut_runs(std::span<const PlacedSample> samples,
                                                    std::uint64_t run_bytes) {
  std::vector<std::span<const PlacedSample>> runs;
  for (std::size_t begin = 0; begin < samples.size();) {
    std::size_t end = begin;
    std::uint64_t bytes = 0;
    while (end < samples.size() && bytes < run_bytes) bytes += samples[end++].length_bytes;
    runs.push_back(samples.subspan(begin, end - begin));
    begin = end;
  }
  return runs;
}

}  // namespace penstock::care
