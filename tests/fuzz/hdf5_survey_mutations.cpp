// The slow paths through the HDF5 library on files bent at random, by seeds: shards without a header, and
// arrays. What is not refused lies within the file, or is copied whole. In child processes, so that a signal
// or a hang anywhere names its seed.
//
//   hdf5_survey_mutations SECONDS [SEED]
#include <hdf5.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/hdf5_array.h"
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

// Compressed chunks, in the oldest format too.
Bytes chunked_array(const tests::TemporaryFolder& folder) {
  const auto path = folder.path() / "array.h5";
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  const std::array<hsize_t, 2> shape = {60, 8};
  const std::array<hsize_t, 2> chunk = {7, 8};
  H5Pset_chunk(list, 2, chunk.data());
  H5Pset_shuffle(list);
  H5Pset_deflate(list, 1);
  const hid_t space = H5Screate_simple(2, shape.data(), nullptr);
  const hid_t set =
      H5Dcreate2(file, "images", H5T_STD_U16BE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  std::vector<std::uint16_t> numbers(60 * 8);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::uint16_t>(i * i);
  H5Dwrite(set, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data());
  H5Dclose(set);
  H5Sclose(space);
  H5Pclose(list);
  H5Fclose(file);
  return tests::read_bytes(path);
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

// True when nothing but what is promised comes of an action.
template <class Action>
bool holds_or_is_refused(const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    const bool is_refusal = error.code() == ErrorCode::kCorruptData ||
                            error.code() == ErrorCode::kUnsupported ||
                            error.code() == ErrorCode::kNotFound;
    return is_refusal && !error.hint().empty();
  }
}

bool survey_holds(const std::filesystem::path& path, std::size_t size_bytes) {
  const Hdf5Survey survey = survey_hdf5(path);
  return std::ranges::all_of(survey.parts, [&](const Hdf5Part& part) {
    return part.offset_bytes <= size_bytes && part.length_bytes <= size_bytes - part.offset_bytes;
  });
}

bool array_holds(const std::filesystem::path& path, std::size_t size_bytes) {
  const Hdf5Array array = survey_hdf5_array(path, "images");
  if (array.offset_bytes) return *array.offset_bytes <= size_bytes;
  constexpr std::uint64_t kMostBytes = 8u << 20;  // of what a bent shape may claim, tried here
  std::uint64_t num_bytes = array.element_bytes;
  for (const std::uint64_t side : array.shape) num_bytes *= side;
  if (num_bytes > kMostBytes || array.element_kind != Hdf5ElementKind::kUnsigned ||
      array.element_bytes > 2) {
    return true;
  }
  std::uint64_t num_given = 0;
  copy_hdf5_array(path, "images",
                  {.take = [&](auto bytes) { num_given += bytes.size(); },
                   .lose = [&](std::uint64_t num_lost, const auto&) { num_given += num_lost; }},
                  {});
  return num_given == num_bytes;
}

bool survives(const std::filesystem::path& path, std::size_t size_bytes) {
  return holds_or_is_refused([&] { return survey_holds(path, size_bytes); }) &&
         holds_or_is_refused([&] { return array_holds(path, size_bytes); }) &&
         holds_or_is_refused([&] { return hdf5_dataset_names(path).size() <= 1000; });
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
  std::vector<Bytes> seeds = {old_format(folder), tests::read_bytes(folder.path() / "shard.h5"),
                              chunked_array(folder)};
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
