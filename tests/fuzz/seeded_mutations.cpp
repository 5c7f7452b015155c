// Drives a fuzz target without libFuzzer: random changes to its seeds, the same for the same seed.
// Blind where libFuzzer sees coverage, but it needs no clang, so it runs with the ordinary tests.
//
//   seeded_mutations NUM_INPUTS [SEED]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace penstock::fuzz {
namespace {

using Input = std::vector<std::uint8_t>;

// The first byte of an input says what the rest is; its highest bit is a target's own (kUnsealed).
constexpr std::uint8_t kFirstByteFlag = 0x80;

// splitmix-like quality is not needed; the standard fixes the sequence of mt19937_64.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : bits_(seed) {}

  Input mutated(const std::vector<Input>& seeds) {
    Input input = seeds[below(seeds.size())];
    if (below(16) == 0) input[0] ^= kFirstByteFlag;
    for (std::size_t i = 1 + below(4); i > 0; --i) mutate(input);
    return input;
  }

 private:
  std::size_t below(std::size_t limit) { return bits_() % limit; }

  void mutate(Input& input) {
    if (input.size() < 2) return;
    const std::size_t at = 1 + below(input.size() - 1);  // the first byte is the part
    const std::size_t length = 1 + below(std::min<std::size_t>(input.size() - at, 64));
    const auto begin = input.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(7)) {
      case 0:
        input[at] ^= static_cast<std::uint8_t>(1 << below(8));
        break;
      case 1:
        input[at] = static_cast<std::uint8_t>(bits_());
        break;
      case 2:
        put_extreme(input, at);
        break;
      case 3:
        input.erase(begin, begin + static_cast<std::ptrdiff_t>(length));
        break;
      case 4:
        input.insert(begin, length, static_cast<std::uint8_t>(bits_()));
        break;
      case 5:  // some bytes again, elsewhere
        std::memmove(&input[1 + below(input.size() - length)], &input[at],
                     std::min(length, input.size() - at) / 2);
        break;
      default:
        input.resize(at);
    }
  }

  // A number of 1, 2, 4 or 8 bytes, as fields have, often where a field begins.
  void put_extreme(Input& input, std::size_t at) {
    const std::size_t width = std::size_t{1} << below(4);
    if (below(2) == 0) at = 1 + (at - 1) / width * width;
    if (at + width > input.size()) return;
    std::uint64_t old = 0;
    std::memcpy(&old, &input[at], width);
    const std::uint64_t max = UINT64_MAX >> (64 - 8 * width);
    const std::uint64_t values[] = {0,       1,       max,     max - 1, max / 2, max / 2 + 1,
                                    old + 1, old - 1, old * 2, old / 2, 4096,    bits_()};
    const std::uint64_t value = values[below(std::size(values))];
    std::memcpy(&input[at], &value, width);
  }

  std::mt19937_64 bits_;
};

}  // namespace
}  // namespace penstock::fuzz

int main(int argc, char** argv) {
  using namespace penstock::fuzz;
  if (argc < 2) {
    std::fprintf(stderr, "usage: seeded_mutations NUM_INPUTS [SEED]\n");
    return 2;
  }
  const unsigned long num_inputs = std::strtoul(argv[1], nullptr, 10);
  const unsigned long seed = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1;
  std::printf("{\"harness\": \"%s\", \"inputs\": %lu, \"seed\": %lu}\n", target_name(), num_inputs,
              seed);
  std::fflush(stdout);  // before anything is found
  const auto seeds = target_seeds();
  for (const auto& input : seeds) LLVMFuzzerTestOneInput(input.data(), input.size());
  Mutator mutator(seed);
  for (unsigned long i = 0; i < num_inputs; ++i) {
    const auto input = mutator.mutated(seeds);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  return 0;
}
