// The program where there is no GPU, no driver and no CUDA library: it starts, trains on the CPU, and says why.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include "fixtures/shapes_dataset.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

/// A module whose library the loader does not find, as on a machine without cuDNN.
struct Fixture {
  TemporaryFolder folder;
  EnvironmentChanges without_library{{"PENSTOCK_CUDA_MODULE", FAKE_CUDA_needy_named}};
  const std::string reason =
      std::string("CUDA module: ") + FAKE_CUDA_needy_named +
      ": expected a module that loads, found: libfake_cuda_dependency_named.so: cannot open "
      "shared object file: No such file or directory";

  fs::path dataset() const {
    const fs::path path = folder.path() / "shapes.ds";
    if (fs::exists(path)) return path;
    fixtures::make_shapes(folder.path() / "pictures", {.num_train = 20,
                                                       .num_validation = 10,
                                                       .num_test = 10,
                                                       .min_side_px = 32,
                                                       .max_side_px = 36});
    const CommandResult converted = run_penstock({"convert", folder.path() / "pictures", path});
    BOOST_REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
    return path;
  }
};

BOOST_FIXTURE_TEST_SUITE(gpu_absent_cli, Fixture)

// binutils and glibc say it, not the program.
BOOST_AUTO_TEST_CASE(no_cuda_library_is_needed_to_start) {
  const CommandResult needed = run_program("/usr/bin/readelf", {"-d", PENSTOCK_PROGRAM});
  const CommandResult loaded = run_program("/usr/bin/ldd", {PENSTOCK_PROGRAM});
  BOOST_TEST(contains(needed.out, "Shared library: [libstdc++.so.6]"));
  BOOST_TEST(contains(loaded.out, "libstdc++.so.6 => "));
  for (const char* const library : {"libcuda", "libcudart", "libcudnn", "libcublas", "libnvrtc"}) {
    BOOST_TEST(!contains(needed.out, library));
    BOOST_TEST(!contains(loaded.out, library));
  }
}

BOOST_AUTO_TEST_CASE(a_run_trains_on_the_cpu) {
  const CommandResult trained =
      run_penstock({"train", dataset(), "-o", folder.path() / "run", "--model", "small_cnn",
                    "--image-size", "16", "--epochs", "1", "--batch-size", "10"},
                   without_library);
  BOOST_TEST(trained.exit_code == 0, trained.err);
  BOOST_TEST(fs::exists(folder.path() / "run" / "weights.safetensors"));
}

BOOST_AUTO_TEST_CASE(info_says_why_there_is_no_gpu) {
  const CommandResult info = run_penstock({"info"}, without_library);
  BOOST_TEST(info.exit_code == 0);
  BOOST_TEST(contains(info.out, "\n  GPU        none; " + reason + "\n"));
}

BOOST_AUTO_TEST_CASE(a_step_on_a_gpu_is_not_measured_on_the_cpu_instead) {
  check_refused(
      run_penstock({"bench", "train", "--device", "cuda", "--model", "lenet", "--image-size", "28"},
                   without_library),
      1, reason, "--device cpu");
  check_refused(run_penstock({"bench", "train", "--device", "tpu"}), 2,
                "--device: expected auto, cpu or cuda, found 'tpu'", "--device auto");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
