// OpenMP threads must sleep while they wait: the loader's threads need the cores. libgomp reads its
// environment when it is loaded, before main, so the policy is set in the executable's
// .preinit_array, which the dynamic linker runs first of all. Only the program does this; the
// library never changes its user's environment.
#include <cstdlib>

namespace {

using PreinitFunction = void (*)(int argc, char** argv, char** environment);

void set_omp_wait_policy(int, char**, char**) {
  constexpr int kKeepTheUsersOwn = 0;
  ::setenv("OMP_WAIT_POLICY", "passive", kKeepTheUsersOwn);
}

[[gnu::section(".preinit_array"), gnu::used]] const PreinitFunction kPreinit = set_omp_wait_policy;

}  // namespace
