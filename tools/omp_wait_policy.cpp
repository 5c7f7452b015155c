// OpenMP threads must sleep while they wait: the loader's threads need the cores. libgomp reads its
// environment when it is loaded, and libc takes the environment from the kernel even later than this
// executable's .preinit_array runs: a variable set there is lost. So the program starts itself once
// more with the variable set, before anything else of it runs, when it is to compute: a second start
// takes some 20 ms. Only the program does this; the library never changes its user's environment.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

using PreinitFunction = void (*)(int argc, char** argv, char** environment);

constexpr char kName[] = "OMP_WAIT_POLICY=";
constexpr std::size_t kNameLength = sizeof(kName) - 1;
char passive[] = "OMP_WAIT_POLICY=passive";

// Commands that compute with OpenMP.
constexpr std::array<std::string_view, 4> kComputing = {"train", "evaluate", "predict", "bench"};

// A path that is called so costs a second start, and no more.
bool computes(int argc, char** argv) {
  return std::any_of(argv + std::min(argc, 1), argv + argc, [](std::string_view argument) {
    return std::ranges::find(kComputing, argument) != kComputing.end();
  });
}

bool is_policy(const char* variable) {
  return std::strncmp(variable, kName, kNameLength) == 0;
}

// Where that is refused, no /proc or no exec, the program goes on and its threads spin.
void start_again_with_passive_waiting(int argc, char** argv, char** environment) {
  bool is_needed = computes(argc, argv);
  std::vector<char*> variables;
  for (; *environment != nullptr; ++environment) {
    if (!is_policy(*environment)) {
      variables.push_back(*environment);
    } else if ((*environment)[kNameLength] != '\0') {
      return;  // the user's own, or ours
    } else {
      is_needed = true;  // libgomp would complain of an empty one
    }
  }
  if (!is_needed) return;
  variables.push_back(passive);
  variables.push_back(nullptr);
  std::array<char, 4096> self{};  // the name, not the link, so that the process is called as before
  if (::readlink("/proc/self/exe", self.data(), self.size() - 1) > 0) {
    ::execve(self.data(), argv, variables.data());
  }
}

[[gnu::section(".preinit_array"), gnu::used]] const PreinitFunction kPreinit =
    start_again_with_passive_waiting;

}  // namespace
