// The fuzz target of what is read of a dataset before any picture is: header, index, names, manifest.
// Driven by libFuzzer (preset fuzz) or by seeded_mutations.cpp.
//
// An input may be refused with CorruptData or Unsupported, nothing else; what is not refused must keep
// the promises of shard_header.h and index_page.h; nothing allocates more than the file could fill.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/manifest.h"
#include "streamer/shard/shard_file.h"
#include "streamer/shard/shard_header.h"
#include "tests/allocation_ceiling.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace penstock::fuzz {
namespace {

const RealDataset& real_dataset() {
  static const RealDataset real = make_real_dataset();
  return real;
}

// One file in memory for all inputs, opened by its name as any shard is.
class MemoryFile {
 public:
  MemoryFile() : file_(::memfd_create("shard", MFD_CLOEXEC)) {
    demand(static_cast<bool>(file_), "a file in memory");
  }
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }
  void fill(const Bytes& bytes) const {
    demand(::ftruncate(file_.get(), static_cast<off_t>(bytes.size())) == 0, "room in memory");
    write_at(file_, 0, bytes, path());
  }

 private:
  UniqueFd file_;
};

void check_header(const Bytes& shard) {
  if (shard.size() < kShardHeaderBytes) return;
  const ShardHeader header = parse_shard_header(
      std::span<const std::byte, kShardHeaderBytes>(shard.data(), kShardHeaderBytes), "input");
  std::vector<ShardSection> sections = header.sections;
  std::ranges::sort(sections, {}, &ShardSection::offset_bytes);
  std::uint64_t end = kShardHeaderBytes;
  for (const ShardSection& section : sections) {
    demand(section.offset_bytes >= end, "sections lie apart, behind the header");
    demand(section.offset_bytes <= header.file_size_bytes &&
               section.length_bytes <= header.file_size_bytes - section.offset_bytes,
           "sections lie within the file");
    end = section.offset_bytes + section.length_bytes;
  }
  demand(header.num_samples > 0 && header.num_classes > 0, "counts are not zero");
  demand(header.find("index")->length_bytes == 64 * header.num_samples, "64 bytes a record");
}

void read_shard(const Bytes& shard) {
  static const MemoryFile memory;
  memory.fill(shard);
  const ShardFile file = ShardFile::open(memory.path());
  demand(file.num_samples() <= shard.size() / 64, "as many samples as the file has room for");
  for (std::uint64_t i = 0; i < file.num_samples(); ++i) {
    demand(file.read_name(i).size() <= shard.size(), "a name within the file");
  }
  demand(file.read_class_names().size() == file.num_classes(), "a name for every class");
  const std::vector<IndexRecord> records = file.read_index();
  demand(records.size() == file.num_samples(), "a record for every sample");
  for (const IndexRecord& record : records) {
    demand(record.class_idx == 0xFFFFFFFF || record.class_idx < file.num_classes(), "a class");
    demand(record.width_px > 0 && record.height_px > 0, "a picture has sides");
    demand(record.length_bytes <= shard.size(), "a sample within the file");
    Bytes encoded(record.length_bytes);
    file.read_sample(record, encoded);
  }
  demand(file.read_names().size() <= file.num_samples(), "a name for every sample, or none");
}

template <class Action>
void run(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    demand(error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kUnsupported,
           error.what());
    demand(!error.hint().empty(), "a refusal has a hint");
  }  // anything else, std::bad_alloc too, ends the process
}

}  // namespace

const char* target_name() {
  return "shard_fuzz";
}

std::vector<Input> target_seeds() {
  return seed_inputs(real_dataset());
}

}  // namespace penstock::fuzz

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::FuzzCase input = fuzz::fuzz_case({data, size}, fuzz::real_dataset());
  // Of what is read, the longest text or table, twice: vectors and strings grow by doubling.
  const std::size_t whole = std::max(input.shard.size(), input.manifest.size());
  const tests::AllocationCeiling ceiling(2 * whole + 65536);
  if (input.is_manifest) {
    fuzz::run([&] { parse_manifest(input.manifest, "input"); });
  } else {
    fuzz::run([&] { fuzz::check_header(input.shard); });
    fuzz::run([&] { fuzz::read_shard(input.shard); });
  }
  return 0;
}
