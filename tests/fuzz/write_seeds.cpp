// Writes the seeds of a target into the first folder named on the command line, where libFuzzer takes them
// from.
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/fuzz/fuzz_target.h"

namespace penstock::fuzz {
namespace {

void write_seeds(int argc, const char* const* argv) {
  const std::vector<Input> seeds = target_seeds();
  for (int i = 1; i < argc; ++i) {
    const std::filesystem::path folder = argv[i];
    if (!std::filesystem::is_directory(folder)) continue;
    for (std::size_t seed = 0; seed < seeds.size(); ++seed) {
      std::ofstream(folder / ("seed-" + std::to_string(seed)), std::ios::binary)
          .write(reinterpret_cast<const char*>(seeds[seed].data()),
                 static_cast<std::streamsize>(seeds[seed].size()));
    }
    return;
  }
}

}  // namespace
}  // namespace penstock::fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  penstock::fuzz::write_seeds(*argc, *argv);
  return 0;
}
