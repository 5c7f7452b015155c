#include "tools/care/shard_rewrite.h"

#include "streamer/core/error.h"
#include "streamer/shard/shard_writer.h"

namespace penstock::care {
namespace {

template <class Visit>
void for_each_kept(const ShardRewrite& rewrite, const Visit& visit) {
  const CareShard& from = *rewrite.from;
  for (std::uint64_t page = 0; page < from.num_index_pages(); ++page) {
    const std::uint64_t first = page * kRecordsPerPage;
    const std::uint64_t end = std::min(first + kRecordsPerPage, from.num_samples());
    bool has_any = false;
    for (std::uint64_t i = first; i < end; ++i) has_any = has_any || rewrite.is_kept[i] != 0;
    if (!has_any) continue;  // such a page may not even be readable
    std::uint64_t ignored = 0;
    const std::vector<IndexRecord> records = from.read_index_page(page, ignored);
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (rewrite.is_kept[first + i] != 0) visit(first + i, records[i]);
    }
  }
}

}  // namespace

ManifestShard rewrite_shard(const ShardRewrite& rewrite, const std::stop_token& stop) {
  const bool has_names = rewrite.from->find("names") != nullptr;
  ShardWriterConfig config{.split = rewrite.split,
                           .class_names = rewrite.class_names,
                           .num_samples = 0,
                           .payload_bytes = 0,
                           .store_names = has_names && rewrite.names == StoredNames::kKept};
  for_each_kept(rewrite, [&](std::uint64_t, const IndexRecord& record) {
    ++config.num_samples;
    config.payload_bytes += record.length_bytes;
  });
  const bool stores_names = config.store_names;
  ShardWriter writer(rewrite.to, std::move(config));
  std::vector<std::byte> bytes;
  for_each_kept(rewrite, [&](std::uint64_t sample_idx, const IndexRecord& record) {
    if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: rewriting: on request");
    rewrite.from->read_sample(record, bytes);
    writer.add({.encoded = bytes,
                .record = record,
                .name = stores_names ? rewrite.from->read_name(sample_idx) : std::string()});
  });
  return writer.finish();
}

}  // namespace penstock::care
