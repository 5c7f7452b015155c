// The fuzz target of what is read of arrays before any pixel is: headers of .npy, directories and members
// of .npz. Driven by libFuzzer (preset fuzz) or by seeded_mutations.cpp.
//
// The first byte of an input: even, the bytes of a .npy file follow; odd, those of an .npz. An input may be
// refused with CorruptData or Unsupported, nothing else; what is not refused must keep the promises of
// npy_header.h and zip_directory.h; nothing allocates more than the file could fill.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/allocation_ceiling.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/tools/convert/source/array_files.h"
#include "tools/convert/source/npy_header.h"
#include "tools/convert/source/zip_directory.h"
#include "tools/convert/source/zip_member.h"

namespace penstock::fuzz {
namespace {

using Bytes = std::span<const std::byte>;

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

void read_header(Bytes input) {
  const convert::NpyHeader header = convert::parse_npy_header(input, "input");
  demand(header.header_bytes <= input.size(), "a header within the file");
  demand(!header.form.shape.empty(), "a dimension");
  demand(header.form.element_bytes > 0, "an element has bytes");
  std::uint64_t rest = INT64_MAX / header.form.element_bytes;
  for (const std::uint64_t side : header.form.shape) {
    if (side == 0) continue;
    demand(side <= rest, "a size of 63 bits");
    rest /= side;
  }
}

// One file in memory for all inputs.
class MemoryFile {
 public:
  MemoryFile() : file_(::memfd_create("arrays", MFD_CLOEXEC)) {
    demand(static_cast<bool>(file_), "a file in memory");
  }
  const UniqueFd& fill(Bytes bytes) const {
    demand(::ftruncate(file_.get(), static_cast<off_t>(bytes.size())) == 0, "room in memory");
    write_at(file_, 0, bytes, "input");
    return file_;
  }

 private:
  UniqueFd file_;
};

void read_members(Bytes input) {
  static const MemoryFile memory;
  const UniqueFd& file = memory.fill(input);
  for (const convert::ZipMember& member : convert::read_zip_directory(file, "input")) {
    demand(member.data_offset_bytes <= input.size() &&
               member.compressed_bytes <= input.size() - member.data_offset_bytes,
           "a member lies within the file");
    std::uint64_t given_bytes = 0;
    const auto fault = convert::read_zip_member(
        file, "input", member, [&](Bytes piece) { given_bytes += piece.size(); }, {});
    demand(given_bytes <= member.size_bytes, "no more bytes than a member says");
    demand(fault || given_bytes == member.size_bytes, "as many bytes as it says, or a fault");
  }
}

Input input_of(char kind, const std::string& bytes) {
  Input input(1, static_cast<std::uint8_t>(kind));
  input.insert(input.end(), bytes.begin(), bytes.end());
  return input;
}

}  // namespace

const char* target_name() {
  return "array_fuzz";
}

std::vector<Input> target_seeds() {
  const std::string npy = tests::npy_file("<u4", "(2, 3)", tests::counted_bytes(24));
  return {
      input_of('\0', npy),
      input_of('\0',
               tests::npy_header("{'shape': (7L,), 'descr': '>U3', 'fortran_order': True}", 3)),
      input_of('\1', tests::zip_file({{.name = "x.npy", .bytes = npy},
                                      {.name = "y.npy", .bytes = npy, .is_deflated = true}})),
      input_of('\1', tests::zip_file({{.name = "x.npy", .bytes = npy, .has_zip64_sizes = true}}))};
}

}  // namespace penstock::fuzz

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const fuzz::Bytes input = std::as_bytes(std::span(data, size)).subspan(1);
  // Two pieces of 256 KiB and zlib's window; a directory is never longer than its file.
  const tests::AllocationCeiling ceiling(300 * 1024 + 64 * size);
  if ((data[0] & 1) == 0) {
    fuzz::run([&] { fuzz::read_header(input); });
  } else {
    fuzz::run([&] { fuzz::read_members(input); });
  }
  return 0;
}
