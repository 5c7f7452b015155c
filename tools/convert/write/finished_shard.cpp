#include "tools/convert/write/finished_shard.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/shard/shard_file.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kBlockBytes = 256u << 10;

class SampleCheck {
 public:
  SampleCheck(const ShardFile& file, const std::stop_token& stop)
      : file_(file), stop_(stop), block_(kBlockBytes) {}

  bool holds(const IndexRecord& record) {
    hasher_.reset();
    for (std::uint64_t at = 0; at < record.length_bytes;) {
      if (stop_.stop_requested()) {
        throw Error(ErrorCode::kStopped, "stopped: conversion: on request");
      }
      const auto part =
          std::span(block_).first(std::min<std::uint64_t>(block_.size(), record.length_bytes - at));
      file_.read_sample_part(record, at, part);
      hasher_.update(part);
      at += part.size();
    }
    return hasher_.digest_64() == record.xxh3;
  }

 private:
  const ShardFile& file_;
  const std::stop_token& stop_;
  std::vector<std::byte> block_;
  StreamHasher hasher_;
};

}  // namespace

std::optional<std::vector<IndexRecord>> read_finished_shard(const std::filesystem::path& path,
                                                            const ManifestShard& expected,
                                                            const std::stop_token& stop) {
  try {
    const ShardFile file = ShardFile::open(path);
    const bool is_same = file.size_bytes() == expected.size_bytes &&
                         file.header_xxh3() == expected.header_xxh3 &&
                         file.uuid() == expected.uuid && file.num_samples() == expected.num_samples;
    if (!is_same) return std::nullopt;
    // Throw where their checksums fail.
    static_cast<void>(file.read_class_names());
    static_cast<void>(file.read_names());
    std::vector<IndexRecord> records = file.read_index();
    SampleCheck check(file, stop);
    if (!std::ranges::all_of(records, [&](const IndexRecord& one) { return check.holds(one); })) {
      return std::nullopt;
    }
    return records;
  } catch (const Error& error) {
    // Gone or damaged: it is made again. A disk that fails would fail that too.
    if (error.code() == ErrorCode::kIo || error.code() == ErrorCode::kStopped) throw;
    return std::nullopt;
  }
}

}  // namespace penstock::convert
