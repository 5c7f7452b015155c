// The fuzz target of safetensors files: weights of a user, and the tensors of a checkpoint. Driven by libFuzzer
// (preset fuzz) or by seeded_mutations.cpp.
//
// The first byte of an input is left out, the rest is the file. It may be refused with CorruptData or Unsupported,
// nothing else; what is not refused must keep the promises of safetensors_reader.h; nothing allocates more than
// some bytes for each of the input's.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/allocation_ceiling.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/temporary_folder.h"
#include "train/store/safetensors_reader.h"

namespace penstock::fuzz {
namespace {

// One file in memory for all inputs, opened by its name as any file is.
class MemoryFile {
 public:
  MemoryFile() : file_(::memfd_create("tensors", MFD_CLOEXEC)) {
    demand(static_cast<bool>(file_), "a file in memory");
  }
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }
  void fill(std::span<const std::byte> bytes) const {
    demand(::ftruncate(file_.get(), static_cast<off_t>(bytes.size())) == 0, "room in memory");
    write_at(file_, 0, bytes, path());
  }

 private:
  UniqueFd file_;
};

void read_tensors(std::span<const std::byte> bytes) {
  static const MemoryFile memory;
  memory.fill(bytes);
  const train::SafetensorsReader reader = train::SafetensorsReader::open(memory.path());
  reader.check_tensors(reader.tensors());
  std::uint64_t num_values = 0;
  for (const train::TensorSpec& tensor : reader.tensors()) {
    std::uint64_t size = 1;
    for (const std::uint64_t side : tensor.shape) {
      demand(!__builtin_mul_overflow(size, side, &size), "a size of 64 bits");
    }
    num_values += size;
    demand(num_values <= bytes.size() / sizeof(float), "no more values than the file holds");
    std::vector<float> values(size);
    reader.read(tensor, values);
  }
}

Input seed_of(std::string_view bytes) {
  Input seed = {0};
  seed.insert(seed.end(), bytes.begin(), bytes.end());
  return seed;
}

Input seed_of(const train::TensorFile& content) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x";
  train::write_safetensors(path, content);
  return seed_of(read_text_file(path));
}

/// A header by hand: its length in eight bytes, the least first; fewer than 256.
Input seed_of_header(std::string_view header, std::size_t num_value_bytes) {
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  return seed_of(bytes + std::string(header) + std::string(num_value_bytes, '\0'));
}

}  // namespace

const char* target_name() {
  return "safetensors_fuzz";
}

// As the writer makes them, and as others may: without metadata, out of the order of the bytes, escaped names,
// another type.
std::vector<Input> target_seeds() {
  return {
      seed_of(train::TensorFile{.tensors = {{"w", {2, 1}, {1, 2}}, {"b", {}, {3}}},
                                .metadata = {{"format", "penstock"}}}),
      seed_of(train::TensorFile{.tensors = {{"none", {0, 3}, {}}}, .metadata = {}}),
      seed_of_header(R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},)"
                     R"("a\u00e9":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}   )",
                     12),
      seed_of_header(R"({"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})", 4),
  };
}

}  // namespace penstock::fuzz

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const tests::AllocationCeiling ceiling(64 * size + 65536);  // a tensor takes 128 for its 50
  try {
    fuzz::read_tensors(std::as_bytes(std::span(data, size)).subspan(1));
  } catch (const Error& error) {
    fuzz::demand(error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kUnsupported,
                 error.what());
  }  // anything else, std::bad_alloc too, ends the process
  return 0;
}
