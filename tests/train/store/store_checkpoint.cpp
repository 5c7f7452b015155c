// Stores the small checkpoint of a step and removes what it supersedes, as a run does: a program of its own
// so that it can be killed and its system calls can fail.
//
//   store_checkpoint FOLDER STEP
//
// Prints the new checkpoint's name, or the error, and exits with 3.
#include <cstdio>
#include <string>

#include "streamer/core/error.h"
#include "tests/train/store/small_checkpoint.h"

using namespace penstock;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: store_checkpoint FOLDER STEP\n");
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    const train::CheckpointEntry published =
        train::write_checkpoint(folder, tests::small_checkpoint(std::stoull(argv[2])));
    std::printf("%s\n", published.name().c_str());
    train::remove_superseded(folder, published, {.num_newest = 2});
    return 0;
  } catch (const Error& error) {
    std::printf("%s: %s\n", std::string(error_code_name(error.code())).c_str(), error.what());
    return 3;
  }
}
