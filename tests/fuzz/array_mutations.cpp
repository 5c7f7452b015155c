// Drives array_fuzz without libFuzzer: random changes to its seeds, the same for the same seed.
//
//   array_seeded_mutations NUM_INPUTS [SEED]
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/fuzz/array_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

// Characters that mean something in a header are more likely than others.
std::uint8_t drawn_byte(std::mt19937_64& bits) {
  constexpr char kMeaningful[] = "{}()[],:'\"<>|=0123456789LTrueFalseOuifbSU \n";
  if (bits() % 2 == 0) return static_cast<std::uint8_t>(bits());
  return static_cast<std::uint8_t>(kMeaningful[bits() % (sizeof kMeaningful - 1)]);
}

void mutate(Input& input, std::mt19937_64& bits) {
  if (input.size() < 2) return;
  const std::size_t at = 1 + bits() % (input.size() - 1);
  switch (bits() % 5) {
    case 0:
      input[at] = drawn_byte(bits);
      break;
    case 1:
      input[at] ^= static_cast<std::uint8_t>(1 << bits() % 8);
      break;
    case 2:
      input.erase(input.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case 3:
      input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), drawn_byte(bits));
      break;
    default:  // a number of extremes
      for (std::size_t i = at; i < std::min(input.size(), at + 4); ++i) input[i] = 0xFF;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: array_seeded_mutations NUM_INPUTS [SEED]\n");
    return 2;
  }
  const unsigned long num_inputs = std::strtoul(argv[1], nullptr, 10);
  const unsigned long seed = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1;
  std::printf("{\"harness\": \"array_fuzz\", \"inputs\": %lu, \"seed\": %lu}\n", num_inputs, seed);
  std::fflush(stdout);  // before anything is found
  const auto seeds = penstock::fuzz::array_seeds();
  for (const Input& input : seeds) LLVMFuzzerTestOneInput(input.data(), input.size());
  std::mt19937_64 bits(seed);
  for (unsigned long i = 0; i < num_inputs; ++i) {
    Input input = seeds[bits() % seeds.size()];
    for (std::size_t j = 1 + bits() % 4; j > 0; --j) mutate(input, bits);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  return 0;
}
