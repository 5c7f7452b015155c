// The fuzz target of sources that are one file: tar archives, plain and compressed, and what is found in
// them (layouts, WebDataset rows, CIFAR batches, IDX). Driven by libFuzzer (preset fuzz) or by
// seeded_mutations.cpp.
//
// The first byte of an input is 0 or kUnsealed: whether the checksums of tar headers are put right, or no
// mutation of one would get past it. The rest is the file. It may be refused as no source, with a hint;
// of what is not refused every picture has a name of its own beneath the archive and its bytes are
// there; nothing allocates more than the file, its blocks and the spool's limit.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "fixtures/cifar_batch.h"
#include "fixtures/idx_file.h"
#include "fixtures/tar_maker.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/allocation_ceiling.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/tools/compressed.h"
#include "tools/convert/source/any_source.h"

namespace penstock::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSpoolLimitBytes = 1u << 20;
constexpr std::size_t kTarBlockBytes = 512;

// In memory where the system has such a folder: thousands of spools are made.
fs::path spool_folder() {
  return fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
}

// One file in memory for all inputs, opened by its name as any source is.
class MemoryFile {
 public:
  MemoryFile() : file_(::memfd_create("archive", MFD_CLOEXEC)) {
    demand(static_cast<bool>(file_), "a file in memory");
  }
  fs::path path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }
  void fill(std::span<const std::byte> bytes) const {
    demand(::ftruncate(file_.get(), static_cast<off_t>(bytes.size())) == 0, "room in memory");
    write_at(file_, 0, bytes, path());
  }

 private:
  UniqueFd file_;
};

// Puts the sum right of every block that says it is a header.
void seal(std::span<std::byte> tar) {
  constexpr std::size_t kSumAt = 148;
  constexpr std::size_t kMagicAt = 257;
  for (; tar.size() >= kTarBlockBytes; tar = tar.subspan(kTarBlockBytes)) {
    auto* const header = reinterpret_cast<char*>(tar.data());
    if (std::string_view(header + kMagicAt, 5) != "ustar") continue;
    std::fill_n(header + kSumAt, 8, ' ');
    unsigned sum = 0;
    for (std::size_t i = 0; i < kTarBlockBytes; ++i) sum += static_cast<unsigned char>(header[i]);
    std::snprintf(header + kSumAt, 7, "%06o", sum);
  }
}

void check_name(std::string_view name) {
  demand(!name.empty() && name.front() != '/', "a name beneath the archive");
  demand(("/" + std::string(name) + "/").find("/../") == std::string::npos, "no way up");
}

void read_pictures(const convert::SourceScan& scan) {
  std::set<std::string_view> names;
  convert::SourcePicture picture;
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    const convert::ListedPicture listed = scan.pictures[i];
    check_name(listed.name);
    demand(names.insert(listed.name).second, "a name of its own");
    demand(listed.class_idx < scan.class_names.size(), "a class");
    scan.source->read(listed, picture);
    demand(picture.bytes.size() == listed.size_bytes, "as many bytes as were listed");
    demand(!scan.source->where(listed).empty(), "a place for messages");
  }
}

Input as_input(const std::string& file) {
  Input input(1, 0);
  input.insert(input.end(), file.begin(), file.end());
  return input;
}

}  // namespace

const char* target_name() {
  return "archive_fuzz";
}

std::vector<Input> target_seeds() {
  using fixtures::make_tar;
  const std::string rows = make_tar({{"a/0.jpg", "picture"},
                                     {"a/0.cls", "1"},
                                     {"a/1.png", "another"},
                                     {"a/1.json", R"({"label": "cat"})"}});
  const std::string layout = make_tar({{"p/train/cat/1.jpg", "one"},
                                       {"p/train/" + std::string(110, 'x') + "/2.jpg", "two"},
                                       {"p/val/cat/", "", '5'},
                                       {.name = "p/l", .type = '2', .link_target = "/etc"},
                                       {.name = "p/h", .type = '1', .link_target = "p/l"}});
  const std::string cifar = make_tar(
      {{"c/data_batch_1.bin", fixtures::cifar_10_batch(2, 0)}, {"c/batches.meta.txt", "a\nb\n"}});
  const std::string idx =
      make_tar({{"train-images-idx3-ubyte",
                 fixtures::idx_pictures({.num_pictures = 2, .height_px = 4, .width_px = 4})},
                {"train-labels-idx1-ubyte", fixtures::idx_labels(2)}});
  std::vector<Input> seeds;
  for (const std::string& tar : {rows, layout, cifar, idx}) seeds.push_back(as_input(tar));
  seeds.push_back(as_input(tests::gzipped(rows)));
  for (const char* filter : {"bzip2", "xz", "zstd"}) {
    seeds.push_back(as_input(tests::compressed(rows, filter)));
  }
  return seeds;
}

}  // namespace penstock::fuzz

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::MemoryFile memory;
  if (size == 0) return 0;
  std::vector<std::byte> file(size - 1);
  std::transform(data + 1, data + size, file.begin(), [](std::uint8_t b) { return std::byte{b}; });
  if ((data[0] & fuzz::kUnsealed) == 0) fuzz::seal(file);
  memory.fill(file);
  // Blocks of 1 MiB and 64 KiB are taken for any file; a name may stand in findings twice.
  const tests::AllocationCeiling ceiling(4 * size + (2u << 20));
  try {
    fuzz::read_pictures(convert::scan_source(
        {.path = memory.path(),
         .spool = {.folder = fuzz::spool_folder(), .limit_bytes = fuzz::kSpoolLimitBytes}},
        {}));
  } catch (const Error& error) {
    // What is no archive may be text: a table of labels; an .npz or HDF5 file that is damaged is refused as
    // a whole; splits with different classes are a reason to stop.
    const bool is_refusal =
        error.code() == ErrorCode::kInvalidArgument || error.code() == ErrorCode::kCorruptData ||
        error.code() == ErrorCode::kUnsupported || error.code() == ErrorCode::kTooManyBad ||
        (error.code() == ErrorCode::kIo && error.os_error() == ENOSPC);
    fuzz::demand(is_refusal, error.what());
    fuzz::demand(!error.hint().empty(), "a refusal has a hint");
  }  // anything else, std::bad_alloc too, ends the process
  return 0;
}
