// Prints the tensors of a safetensors file as our reader sees them, one JSON object a line:
// {"name": ..., "shape": [...], "bits": [...]}, the bits of each float32 as an integer.
//
//   tensor_probe FILE
#include <bit>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>

#include "train/store/safetensors_reader.h"

using namespace penstock::train;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tensor_probe FILE\n");
    return 2;
  }
  try {
    for (const NamedTensor& tensor : read_safetensors(argv[1]).tensors) {
      std::vector<std::uint32_t> bits;
      for (const float value : tensor.values) bits.push_back(std::bit_cast<std::uint32_t>(value));
      const nlohmann::json line = {{"name", tensor.name}, {"shape", tensor.shape}, {"bits", bits}};
      std::printf("%s\n", line.dump().c_str());
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
