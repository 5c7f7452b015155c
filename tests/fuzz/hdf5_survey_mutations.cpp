// The slow path through the HDF5 library on files bent at random, by seeds: what is not refused lies within
// the file. In child processes, so that a signal or a hang anywhere names its seed.
//
//   hdf5_survey_mutations SECONDS [SEED]
#include <hdf5.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/hdf5_survey.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::Bytes;

constexpr int kInputsPerChild = 50;
constexpr unsigned kMostSecondsPerChild = 30;

// A shard's parts in the oldest file format, whose metadata have no checksums: what is bent there gets far.
Bytes old_format(const tests::TemporaryFolder& folder) {
  const auto shard = folder.path() / "shard.h5";
  const auto old = folder.path() / "old.h5";
  tests::ShardMaker{.num_samples = 70}.write(shard);
  const hid_t from = H5Fopen(shard.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t to = H5Fcreate(old.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (const char* name :
       {"images", "index", "index_page_xxh3", "class_names", "name_offsets", "names"}) {
    const hid_t source = H5Dopen2(from, name, H5P_DEFAULT);
    const hid_t type = H5Dget_type(source);
    const hid_t space = H5Dget_space(source);
    Bytes bytes(static_cast<std::size_t>(H5Dget_storage_size(source)));
    H5Dread(source, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
    const hid_t copy = H5Dcreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(copy, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
    for (const hid_t id : {copy, source}) H5Dclose(id);
    H5Tclose(type);
    H5Sclose(space);
  }
  H5Fclose(to);
  H5Fclose(from);
  return tests::read_bytes(old);
}

void bend(Bytes& bytes, std::mt19937_64& random) {
  for (std::size_t i = 1 + random() % 4; i > 0; --i) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0:
        bytes[at] ^= static_cast<std::byte>(1u << random() % 8);
        break;
      case 1:
        bytes[at] = static_cast<std::byte>(random());
        break;
      case 2:  // 0, 255, and numbers of 8 bytes that are too large
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    std::min<std::size_t>(1 + random() % 8, bytes.size() - at),
                    static_cast<std::byte>(random() % 2 * 255));
        break;
      default:
        if (random() % 16 == 0) bytes.resize(at + 1);
    }
  }
}

// True when nothing but what is promised comes of it.
bool survives(const std::filesystem::path& path, std::size_t size_bytes) {
  try {
    const Hdf5Survey survey = survey_hdf5(path);
    return std::ranges::all_of(survey.parts, [&](const Hdf5Part& part) {
      return part.offset_bytes <= size_bytes && part.length_bytes <= size_bytes - part.offset_bytes;
    });
  } catch (const Error& error) {
    return (error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kUnsupported) &&
           !error.hint().empty();
  }
}

[[noreturn]] void run_child(const std::vector<Bytes>& seeds, std::uint64_t seed,
                            const std::filesystem::path& path) {
  ::alarm(kMostSecondsPerChild);
  std::mt19937_64 random(seed);
  for (int i = 0; i < kInputsPerChild; ++i) {
    Bytes bytes = seeds[random() % seeds.size()];
    bend(bytes, random);
    std::filesystem::remove(path);  // a new file: the library knows old ones by their inode
    tests::write_bytes(path, bytes);
    if (!survives(path, bytes.size())) ::_exit(1);
  }
  ::_exit(0);
}

int run(int num_seconds, std::uint64_t first_seed) {
  const tests::TemporaryFolder folder;
  std::vector<Bytes> seeds = {old_format(folder), tests::read_bytes(folder.path() / "shard.h5")};
  const auto path = folder.path() / "bent.h5";
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(num_seconds);
  std::uint64_t seed = first_seed;
  for (; std::chrono::steady_clock::now() < end; ++seed) {
    const pid_t child = ::fork();
    if (child == 0) run_child(seeds, seed, path);
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) return 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    std::fprintf(stderr, "seed %llu: %s %d\n", static_cast<unsigned long long>(seed),
                 WIFSIGNALED(status) ? "ended by signal" : "a broken promise, exit code",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return 1;
  }
  std::printf("{\"harness\": \"hdf5_survey_mutations\", \"num_inputs\": %llu}\n",
              static_cast<unsigned long long>((seed - first_seed) * kInputsPerChild));
  return 0;
}

}  // namespace
}  // namespace penstock

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  return penstock::run(std::atoi(argv[1]), argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
}
